#include "functions/nat/port_pool.hpp"

#include <algorithm>

#include "functions/common/frame_view.hpp"
#include "packet/address.hpp"

namespace nfvcert::nf {
namespace {

constexpr unsigned tick_bits = 20;  // about 1 ms
constexpr std::size_t protocols = 3;
constexpr int most_skipped = 16;    // resting ports out of order are passed over, so many at a time

std::uint32_t tick(std::uint64_t ns) { return static_cast<std::uint32_t>(ns >> tick_bits); }

std::size_t space_index(std::uint8_t protocol) {
    return protocol == protocol::tcp ? 0 : protocol == protocol::udp ? 1 : 2;
}

void shuffle(std::vector<std::uint16_t>& queue, std::uint64_t seed) {
    for (std::size_t i = queue.size(); i > 1; --i) {
        seed = packet::mix64(seed + i);
        std::swap(queue[i - 1], queue[seed % i]);
    }
}

}  // namespace

PortPool::PortPool(const PortPoolConfig& config)
    : config_{config},
      spaces_(config.addresses.size() * protocols),
      delay_ticks_{config.reuse_delay_ns == 0 ? 0 : tick(config.reuse_delay_ns) + 1} {
    const std::size_t count = static_cast<std::size_t>(config_.last) - config_.first + 1;
    for (std::size_t i = 0; i < spaces_.size(); ++i) {
        auto& space = spaces_[i];
        space.ports.resize(count);
        space.queue.resize(count);
        for (std::size_t port = 0; port < count; ++port) {
            space.queue[port] = static_cast<std::uint16_t>(port);
            space.ports[port].queued = true;
        }
        space.count = count;
        if (config_.order_seed != 0) {
            shuffle(space.queue, config_.order_seed + i);
        }
    }
}

bool PortPool::serves(std::uint32_t address) const {
    return std::ranges::find(config_.addresses, address) != config_.addresses.end() ||
           std::ranges::find(adopted_, address) != adopted_.end();
}

void PortPool::adopt(std::uint32_t address) {
    if (!serves(address)) {
        adopted_.push_back(address);
    }
}

PortPool::Space* PortPool::space_of(std::uint8_t protocol, std::uint32_t address) {
    const auto found = std::ranges::find(config_.addresses, address);
    if (found == config_.addresses.end()) {
        return nullptr;
    }
    const auto place = static_cast<std::size_t>(found - config_.addresses.begin());
    return &spaces_[place * protocols + space_index(protocol)];
}

PortPool::Port* PortPool::port_of(std::uint8_t protocol, const ExternalEndpoint& endpoint) {
    auto* const space = space_of(protocol, endpoint.address);
    if (space == nullptr || endpoint.port < config_.first || endpoint.port > config_.last) {
        return nullptr;
    }
    return &space->ports[endpoint.port - config_.first];
}

void PortPool::push(Space& space, std::uint16_t offset) {
    space.queue[(space.head + space.count) % space.queue.size()] = offset;
    ++space.count;
    space.ports[offset].queued = true;
}

std::uint16_t PortPool::pop(Space& space) {
    const auto offset = space.queue[space.head];
    space.head = (space.head + 1) % space.queue.size();
    --space.count;
    space.ports[offset].queued = false;
    return offset;
}

std::optional<ExternalEndpoint> PortPool::allocate(std::uint8_t protocol, std::uint32_t inside, std::uint64_t now_ns) {
    const auto address = config_.addresses[packet::mix64(inside) % config_.addresses.size()];
    auto& space = *space_of(protocol, address);
    for (int skipped = 0; skipped < most_skipped && space.count > 0;) {
        const auto offset = pop(space);
        auto& port = space.ports[offset];
        if (port.taken) {
            continue;  // reserved while it was free; it comes back when it is released
        }
        if (port.used && tick(now_ns) - port.freed < delay_ticks_) {
            push(space, offset);
            ++skipped;
            continue;
        }
        port.taken = true;
        ++taken_;
        return ExternalEndpoint{address, static_cast<std::uint16_t>(config_.first + offset)};
    }
    return std::nullopt;
}

bool PortPool::reserve(std::uint8_t protocol, const ExternalEndpoint& endpoint) {
    auto* const port = port_of(protocol, endpoint);
    if (port == nullptr) {
        return true;
    }
    if (port->taken && !port->ceded) {
        return false;
    }
    if (port->ceded) {
        port->ceded = false;
        --ceded_;
    }
    port->taken = true;
    ++taken_;
    return true;
}

void PortPool::release(std::uint8_t protocol, const ExternalEndpoint& endpoint, std::uint64_t now_ns) {
    auto* const port = port_of(protocol, endpoint);
    if (port == nullptr || !port->taken || port->ceded) {
        return;
    }
    port->taken = false;
    port->used = true;
    port->freed = tick(now_ns);
    --taken_;
    if (!port->queued) {
        push(*space_of(protocol, endpoint.address), static_cast<std::uint16_t>(endpoint.port - config_.first));
    }
}

void PortPool::cede(std::uint8_t protocol, const ExternalEndpoint& endpoint) {
    auto* const port = port_of(protocol, endpoint);
    if (port != nullptr && port->taken && !port->ceded) {
        port->ceded = true;
        --taken_;
        ++ceded_;
    }
}

}  // namespace nfvcert::nf
