#include "switch/server_switch.hpp"

#include <algorithm>
#include <stdexcept>

#include "packet/address.hpp"

namespace nfvcert::switching {
namespace {

using nlohmann::json;

constexpr std::uint16_t burst_size = 64;
constexpr std::size_t default_capacity = 262'144;
constexpr std::uint64_t default_timeout_ms = 500;
constexpr std::uint64_t default_linger_ms = 100;
constexpr std::uint8_t tcp = 6;
constexpr std::size_t most_held = 8192;
constexpr std::uint8_t most_detours = 4;
constexpr std::uint64_t look_period_ns = 10'000'000;  // each flow is looked at this often, and each watch
constexpr std::size_t uplink = 0;

std::vector<dpdk::Port*> ports_of(dpdk::Program& program) {
    std::vector<dpdk::Port*> ports{&program.port("uplink")};
    for (const auto& [name, port] : program.ports()) {
        if (name != "uplink") {
            ports.push_back(port.get());
        }
    }
    return ports;
}

/// What owners and ids mean: flows that were kept under another one are not taken up.
std::uint64_t setting_of(dpdk::Program& program) {
    std::string text = program.configuration().value("identity", "five-tuple");
    for (const auto* port : ports_of(program)) {
        text += ' ' + port->name();
    }
    text += program.configuration().value("peers", json::object()).dump();
    std::uint64_t sum = 0xcbf2'9ce4'8422'2325;  // FNV-1a
    for (const auto letter : text) {
        sum = (sum ^ static_cast<std::uint8_t>(letter)) * 0x100'0000'01b3;
    }
    return sum;
}

}  // namespace

ServerSwitch::ServerSwitch(dpdk::Program& program, const ServerSwitchPolicy& policy)
    : program_{program},
      policy_{policy},
      identity_{identity_named(program.configuration().value("identity", "five-tuple"))},
      ports_{ports_of(program)},
      outputs_{ports_},
      store_{program.configuration().value("state_file", ""),
             program.configuration().value("capacity", default_capacity), !policy.remembers()},
      table_{store_.store(), program.configuration().value("capacity", default_capacity),
             program.ports().size() - 1 + program.configuration().value("peers", json::object()).size(),
             setting_of(program), dpdk::TscClock::tsc()},
      timeout_{program.clock().to_tsc(
          policy.timeout_ms(program.configuration().value("idle_timeout_ms", default_timeout_ms)) * 1'000'000)},
      linger_{std::min(timeout_, program.clock().to_tsc(
                                     program.configuration().value("tcp_linger_ms", default_linger_ms) * 1'000'000))},
      look_period_{program.clock().to_tsc(look_period_ns)},
      held_ids_(id_count) {
    const auto add_owner = [this](const std::string& name) -> OwnerState& {
        owners_.push_back(std::make_unique<OwnerState>());
        owners_.back()->name = name;
        return *owners_.back();
    };
    for (std::size_t port = 1; port < ports_.size(); ++port) {
        auto& owner = add_owner(ports_[port]->name());
        owner.local = true;
        owner.port = port;
    }
    for (const auto& [name, mac] :
         program.configuration().value("peers", std::map<std::string, std::string>{})) {
        add_owner(name).mac = mac_of(mac);
    }
    read_addresses();
    held_.reserve(most_held);
    program.loop().add([this](std::uint64_t tsc) { return poll(tsc); });
    program.loop().stay_while_full();
    answer_orders();
}

void ServerSwitch::read_addresses() {
    using Addresses = std::map<std::string, std::vector<std::string>>;
    for (const auto& [name, addresses] : program_.configuration().value("addresses", Addresses{})) {
        const auto& owner = *owners_[owner_named(name)];
        for (const auto& text : addresses) {
            const auto address = packet::Ipv4Address::parse(text);
            if (!owner.local || !address) {
                throw std::invalid_argument("'addresses' gives instances of this server IPv4 addresses, found " + name + ": " + text);
            }
            addresses_.push_back({address->value, owner.port});
        }
    }
}

const ServerSwitch::OwnAddress* ServerSwitch::addressed(const rte_mbuf* packet) const {
    if (addresses_.empty()) {
        return nullptr;
    }
    const auto found = std::ranges::find(addresses_, destination_of(rte_pktmbuf_mtod(packet, const std::uint8_t*)),
                                         &OwnAddress::address);
    return found != addresses_.end() ? &*found : nullptr;
}

void ServerSwitch::note_way_back(const rte_mbuf* packet, std::uint64_t tsc) {
    const auto key = key_of(rte_pktmbuf_mtod(packet, const std::uint8_t*), packet->data_len, identity_);
    if (!key) {
        return;
    }
    const auto flow = reversed(*key);
    if (auto* known = table_.find(flow, hash_of(flow)); known != nullptr) {
        known->last_seen = tsc;
    }
}

unsigned ServerSwitch::poll(std::uint64_t tsc) {
    rte_mbuf* burst[burst_size];
    unsigned handled = 0;
    if (const auto count = ports_[uplink]->rx(burst, burst_size); count > 0) {
        from_uplink(burst, count, tsc);
        handled += count;
    }
    for (std::size_t port = 1; port < ports_.size(); ++port) {
        const auto count = ports_[port]->rx(burst, burst_size);
        for (std::uint16_t i = 0; i < count; ++i) {
            if (!addresses_.empty()) {
                note_way_back(burst[i], tsc);
            }
            outputs_.put(uplink, burst[i]);
        }
        handled += count;
    }
    if (handled > 0) {
        outputs_.flush();
    }
    table_.expire(tsc, timeout_, linger_, look_period_);
    if (watch_ && tsc >= next_watch_) {
        look_at_watch(tsc);
    }
    return handled;
}

void ServerSwitch::from_uplink(rte_mbuf** burst, std::uint16_t count, std::uint64_t tsc) {
    std::optional<FlowKey> keys[burst_size];
    std::uint64_t hashes[burst_size];
    for (std::uint16_t i = 0; i < count; ++i) {
        keys[i] = key_of(rte_pktmbuf_mtod(burst[i], const std::uint8_t*), burst[i]->data_len, identity_);
        hashes[i] = keys[i] ? hash_of(*keys[i]) : 0;
        table_.prefetch(hashes[i]);
    }
    for (std::uint16_t i = 0; i < count; ++i) {
        table_.prefetch_flow(hashes[i]);
    }
    for (std::uint16_t i = 0; i < count; ++i) {
        if (!keys[i]) {
            bad_frames_.fetch_add(1, std::memory_order_relaxed);
            rte_pktmbuf_free(burst[i]);
            continue;
        }
        if (const auto* own = addressed(burst[i]); own != nullptr) {
            outputs_.put(own->port, burst[i]);
            continue;
        }
        auto* flow = table_.find(*keys[i], hashes[i]);
        const auto id = flow != nullptr ? flow->id : policy_.id(*keys[i], identity_);
        auto owner = table_.owner_of_new(id);
        if (flow != nullptr) {
            owner = policy_.served_by(*flow, owner);
        } else if (owner != no_owner) {
            flow = table_.insert(*keys[i], hashes[i], id, owner, tsc);
            if (flow == nullptr) {
                table_full_.fetch_add(1, std::memory_order_relaxed);
                owner = policy_.served_when_full(owner);
            }
        }
        if (flow != nullptr) {
            flow->last_seen = tsc;
            ++flow->packets;
            if (keys[i]->protocol == tcp) {
                table_.follow_tcp(*flow, tcp_flags(rte_pktmbuf_mtod(burst[i], const std::uint8_t*)));
            }
        }
        serve(burst[i], flow, owner, id);
    }
}

void ServerSwitch::serve(rte_mbuf* packet, Flow* flow, Owner owner, std::uint16_t id) {
    if (owner == no_owner) {
        no_range_.fetch_add(1, std::memory_order_relaxed);
        rte_pktmbuf_free(packet);
        return;
    }
    auto& state = *owners_[owner];
    if (state.local) {
        if (holding_ && held_ids_[id]) {
            hold(packet);
        } else {
            outputs_.put(state.port, packet);
        }
        return;
    }
    if (flow != nullptr && policy_.handles_too(*flow)) {
        if (auto* copy = rte_pktmbuf_copy(packet, program_.pool(), 0, UINT32_MAX); copy != nullptr) {
            outputs_.put(1, copy);
        }
    }
    send_on(packet, state);
}

void ServerSwitch::send_on(rte_mbuf* packet, OwnerState& owner) {
    auto* frame = rte_pktmbuf_mtod(packet, std::uint8_t*);
    if (++frame[detour_octet] >= most_detours) {
        loops_.fetch_add(1, std::memory_order_relaxed);
        rte_pktmbuf_free(packet);
        return;
    }
    store_mac(frame + destination_mac, owner.mac);
    owner.detoured_packets.fetch_add(1, std::memory_order_relaxed);
    owner.detoured_bytes.fetch_add(packet->pkt_len, std::memory_order_relaxed);
    outputs_.put(uplink, packet);
}

void ServerSwitch::hold(rte_mbuf* packet) {
    if (held_.size() < most_held) {
        held_.push_back(packet);
        return;
    }
    held_dropped_.fetch_add(1, std::memory_order_relaxed);
    rte_pktmbuf_free(packet);
}

void ServerSwitch::look_at_watch(std::uint64_t tsc) {
    next_watch_ = tsc + look_period_;
    const auto found = living(watch_->ranges, watch_->owner);
    if (found < watch_->below) {
        watch_.reset();
        program_.control().publish({{"event", "below"}, {"flows", found}, {"t_ns", program_.clock().to_ns(tsc)}});
    }
}

std::size_t ServerSwitch::living(const std::vector<IdRange>& ranges, Owner owner) const {
    std::size_t found = 0;
    const auto counts = table_.counts(owner);
    for (const auto& range : ranges) {
        for (std::size_t id = range.low; id <= range.high; ++id) {
            found += counts[id];
        }
    }
    return found;
}

int server_switch_main(int argc, char** argv, const ServerSwitchPolicy& policy) {
    std::unique_ptr<ServerSwitch> kept;
    return dpdk::polling_main("nfvcert-server-switch", argc, argv, [&](dpdk::Program& program) {
        kept = std::make_unique<ServerSwitch>(program, policy);
    });
}

}  // namespace nfvcert::switching
