#include "functions/port_allocator.hpp"

#include <algorithm>
#include <stdexcept>

namespace nfvcert::functions {

std::size_t PortMap::index(Protocol protocol) {
    switch (protocol) {
        case Protocol::icmp:
            return 0;
        case Protocol::tcp:
            return 1;
        case Protocol::udp:
            break;
    }
    return 2;
}

SequentialPorts::SequentialPorts(PortRange range) : range_{range} {}

std::optional<std::uint16_t> SequentialPorts::allocate(Protocol protocol, Ipv4Address /*user*/) {
    for (std::uint32_t tried = 0; tried < range_.size(); ++tried) {
        const auto port = static_cast<std::uint16_t>(range_.first + next_);
        next_ = (next_ + 1) % range_.size();
        if (!map_.taken(protocol, port)) {
            map_.set(protocol, port, true);
            return port;
        }
    }
    return std::nullopt;
}

bool SequentialPorts::reserve(Protocol protocol, Ipv4Address /*user*/, std::uint16_t port) {
    if (map_.taken(protocol, port)) {
        return false;
    }
    map_.set(protocol, port, true);
    return true;
}

void SequentialPorts::release(Protocol protocol, std::uint16_t port) { map_.set(protocol, port, false); }

BlockPorts::BlockPorts(PortRange range, std::uint32_t block_size) : range_{range}, block_size_{block_size} {
    if (block_size == 0 || block_size > range.size()) {
        throw std::invalid_argument("port block size must lie between 1 and the size of the port range");
    }
    blocks_.resize(range.size() / block_size);
}

std::optional<std::uint16_t> BlockPorts::free_port_in(std::size_t block, Protocol protocol) const {
    const auto first = range_.first + static_cast<std::uint32_t>(block) * block_size_;
    for (auto port = first; port < first + block_size_; ++port) {
        if (!map_.taken(protocol, static_cast<std::uint16_t>(port))) {
            return static_cast<std::uint16_t>(port);
        }
    }
    return std::nullopt;
}

std::optional<std::size_t> BlockPorts::block_of(std::uint16_t port) const {
    if (!range_.contains(port)) {
        return std::nullopt;
    }
    const auto block = static_cast<std::size_t>(port - range_.first) / block_size_;
    return block < blocks_.size() ? std::optional{block} : std::nullopt;
}

std::optional<std::size_t> BlockPorts::free_block_for(Ipv4Address user) const {
    const auto preferred = user.value % blocks_.size();
    for (std::size_t step = 0; step < blocks_.size(); ++step) {
        const auto block = (preferred + step) % blocks_.size();
        if (blocks_[block].taken == 0) {
            return block;
        }
    }
    return std::nullopt;
}

void BlockPorts::take(std::size_t block, Ipv4Address user, Protocol protocol, std::uint16_t port) {
    if (blocks_[block].taken++ == 0) {
        blocks_[block].user = user;
        blocks_of_user_[user].push_back(block);
    }
    map_.set(protocol, port, true);
}

std::optional<std::uint16_t> BlockPorts::allocate(Protocol protocol, Ipv4Address user) {
    if (const auto owned = blocks_of_user_.find(user); owned != blocks_of_user_.end()) {
        for (const auto block : owned->second) {
            if (const auto port = free_port_in(block, protocol)) {
                take(block, user, protocol, *port);
                return port;
            }
        }
    }
    const auto block = free_block_for(user);
    if (!block) {
        return std::nullopt;
    }
    const auto port = free_port_in(*block, protocol);
    take(*block, user, protocol, *port);
    return port;
}

bool BlockPorts::reserve(Protocol protocol, Ipv4Address user, std::uint16_t port) {
    if (map_.taken(protocol, port)) {
        return false;
    }
    if (const auto block = block_of(port)) {
        take(*block, user, protocol, port);
    } else {
        map_.set(protocol, port, true);
    }
    return true;
}

void BlockPorts::release(Protocol protocol, std::uint16_t port) {
    if (!map_.taken(protocol, port)) {
        return;
    }
    map_.set(protocol, port, false);
    const auto block = block_of(port);
    if (!block || --blocks_[*block].taken != 0) {
        return;
    }
    const auto owned = blocks_of_user_.find(blocks_[*block].user);
    std::erase(owned->second, *block);
    if (owned->second.empty()) {
        blocks_of_user_.erase(owned);
    }
}

}  // namespace nfvcert::functions
