#include <algorithm>
#include <array>
#include <tuple>

#include "packet/base64.hpp"
#include "switch/orders.hpp"
#include "switch/server_switch.hpp"

namespace nfvcert::switching {
namespace {

using nlohmann::json;

constexpr std::uint8_t nobody = 255;  // in a map of owners

}  // namespace

void ServerSwitch::answer_orders() {
    auto& control = program_.control();
    control.on("info", [this](const json&) {
        auto owners = json::array();
        for (const auto& owner : owners_) {
            owners.push_back({{"name", owner->name}, {"local", owner->local}});
        }
        return json{{"server", program_.configuration().value("server", "")},
                    {"owners", owners},
                    {"capacity", table_.capacity()},
                    {"flows", table_.size()}};
    });
    const auto on = [&](const char* name, json (ServerSwitch::*handler)(const json&)) {
        control.on(name, [this, handler](const json& order) { return (this->*handler)(order); });
    };
    on("set_ranges", &ServerSwitch::set_ranges);
    on("expect_flows", &ServerSwitch::expect_flows);
    on("forget_flows", &ServerSwitch::forget_flows);
    on("forget_owner", &ServerSwitch::forget_owner);
    on("occupancy", &ServerSwitch::occupancy);
    on("flows", &ServerSwitch::flows);
    on("count", &ServerSwitch::count);
    on("hold_flows", &ServerSwitch::hold_flows);
    on("release_held", &ServerSwitch::release_held);
    on("watch", &ServerSwitch::watch);
    control.on("counters", [this](const json&) { return counters(); });
}

json ServerSwitch::set_ranges(const json& order) {
    std::vector<Owner> owners;
    for (const auto& name : order.at("owners")) {
        owners.push_back(owner_named(name));
    }
    const auto map = packet::octets_of_base64(order.at("map").get<std::string>());
    if (!map || map->size() != id_count) {
        throw dpdk::Refusal{"bad-order", "the map has to be an octet for each of " + std::to_string(id_count) +
                                             " ids, in base64"};
    }
    std::vector<Owner> by_id(id_count, no_owner);
    for (std::size_t low = 0, next = 0; low < id_count; low = next) {
        const auto owner = (*map)[low];
        if (owner >= owners.size() && owner != nobody) {
            throw dpdk::Refusal{"bad-order", "id " + std::to_string(low) + " has owner " + std::to_string(owner) + " of " +
                                                 std::to_string(owners.size())};
        }
        while (next < id_count && (*map)[next] == owner) {
            ++next;
        }
        if (owner == nobody) {
            continue;
        }
        const auto range = policy_.covered({static_cast<std::uint16_t>(low), static_cast<std::uint16_t>(next - 1)});
        std::fill(by_id.begin() + range.low, by_id.begin() + range.high + 1, owners[owner]);
    }
    return program_.loop().inside([&] {
        std::copy(by_id.begin(), by_id.end(), table_.by_id().begin());
        return json{{"t_ns", now_ns()}, {"flows", table_.size()}};
    });
}

json ServerSwitch::expect_flows(const json& order) {
    const auto owner = owner_named(order.at("to"));
    std::vector<FlowKey> keys;
    for (const auto& raw : order.at("flows")) {
        keys.push_back(key_from_json(raw));
    }
    std::size_t refused = 0;
    const auto t_ns = program_.loop().inside([&] {
        const auto now = dpdk::TscClock::tsc();
        for (const auto& key : keys) {
            if (!policy_.expects(key)) {
                continue;
            }
            const auto hash = hash_of(key);
            if (auto* known = table_.find(key, hash); known != nullptr) {
                table_.change_owner(*known, owner);
                known->last_seen = now;
            } else if (table_.insert(key, hash, policy_.id(key, identity_), owner, now) == nullptr) {
                ++refused;
            }
        }
        return now_ns();
    });
    if (refused > 0) {
        throw dpdk::Refusal{"table-full", std::to_string(refused) + " flows have no place in the table",
                            {{"refused", refused}}};
    }
    return {{"t_ns", t_ns}, {"flows", keys.size()}};
}

json ServerSwitch::forget_flows(const json& order) {
    std::vector<FlowKey> keys;
    for (const auto& raw : order.at("flows")) {
        keys.push_back(key_from_json(raw));
    }
    return program_.loop().inside([&] {
        std::size_t forgotten = 0;
        for (const auto& key : keys) {
            if (auto* known = table_.find(key, hash_of(key)); known != nullptr) {
                table_.erase(known);
                ++forgotten;
            }
        }
        return json{{"flows", forgotten}};
    });
}

json ServerSwitch::forget_owner(const json& order) {
    const auto owner = owner_named(order.at("owner"));
    return program_.loop().inside([&] {
        std::size_t forgotten = 0;
        for (std::size_t place = 0; place < table_.size();) {
            auto& flow = table_.flows()[place];
            if (flow.owner == owner) {
                table_.erase(&flow);  // another one has taken its place
                ++forgotten;
            } else {
                ++place;
            }
        }
        return json{{"flows", forgotten}};
    });
}

json ServerSwitch::occupancy(const json& order) {
    const auto owner = owner_named(order.contains("owner") ? order["owner"] : order.at("to"));
    std::vector<std::uint32_t> counts;
    std::size_t total = 0;
    const auto t_ns = program_.loop().inside([&] {
        const auto found = table_.counts(owner);
        counts.assign(found.begin(), found.end());
        total = table_.count(owner);
        return now_ns();
    });
    std::vector<std::uint8_t> bitmap(id_count / 8);
    for (std::size_t id = 0; id < id_count; ++id) {
        if (counts[id] != 0) {
            bitmap[id / 8] = static_cast<std::uint8_t>(bitmap[id / 8] | (1U << (id % 8)));
        }
    }
    return {{"bitmap", packet::base64_of(bitmap)}, {"flows", total}, {"t_ns", t_ns}};
}

/// Copied slice by slice, so that packets never wait long. From the last flow to the first: one that ends meanwhile leaves
/// its place to the last one, which has been copied by then, and new ones come behind; so none of those that live all the
/// time is left out, and some may be there twice.
std::vector<Flow> ServerSwitch::copy_flows(std::uint64_t& t_ns) {
    constexpr std::size_t slice = 1024;
    std::vector<Flow> found;
    found.reserve(table_.size() + table_.size() / 4);
    for (auto end = ~std::size_t{0}; end != 0;) {
        program_.loop().inside([&] {
            const auto all = static_cast<const FlowTable&>(table_).flows();
            if (t_ns == 0) {
                t_ns = now_ns();
            }
            end = std::min(end, all.size());
            const auto begin = end > slice ? end - slice : 0;
            found.insert(found.end(), all.begin() + static_cast<std::ptrdiff_t>(begin),
                         all.begin() + static_cast<std::ptrdiff_t>(end));
            end = begin;
        });
    }
    const auto fields = [](const Flow& flow) {
        return std::tuple{flow.id,           flow.key.source,           flow.key.destination,
                          flow.key.source_port, flow.key.destination_port, flow.key.protocol};
    };
    std::sort(found.begin(), found.end(), [&](const Flow& a, const Flow& b) { return fields(a) < fields(b); });
    found.erase(std::unique(found.begin(), found.end(), [&](const Flow& a, const Flow& b) { return fields(a) == fields(b); }),
                found.end());
    return found;
}

json ServerSwitch::flows(const json& order) {
    const auto ranges = ranges_of(order);
    const auto owner = order.contains("owner") ? owner_named(order["owner"]) : no_owner;
    std::uint64_t t_ns = 0;
    const auto found = copy_flows(t_ns);
    std::vector<bool> wanted(id_count, ranges.empty());
    for (const auto& range : ranges) {
        std::fill(wanted.begin() + range.low, wanted.begin() + range.high + 1, true);
    }
    auto rows = json::array();
    for (const auto& flow : found) {
        if (wanted[flow.id] && (owner == no_owner || flow.owner == owner)) {
            rows.push_back({flow.id, flow.key.source, flow.key.destination, flow.key.source_port,
                            flow.key.destination_port, flow.key.protocol, program_.clock().to_ns(flow.last_seen),
                            flow.packets});
        }
    }
    return {{"flows", std::move(rows)}, {"t_ns", t_ns}};
}

json ServerSwitch::count(const json& order) {
    const auto ranges = ranges_of(order);
    const auto owner = owner_named(order.at("owner"));
    return program_.loop().inside([&] { return json{{"flows", living(ranges, owner)}, {"t_ns", now_ns()}}; });
}

json ServerSwitch::hold_flows(const json& order) {
    std::vector<bool> ids(id_count);
    for (const auto& range : ranges_of(order)) {
        std::fill(ids.begin() + range.low, ids.begin() + range.high + 1, true);
    }
    return program_.loop().inside([&] {
        held_ids_.swap(ids);
        holding_ = true;
        std::size_t living = 0;
        for (const auto& flow : static_cast<const FlowTable&>(table_).flows()) {
            living += held_ids_[flow.id] && owners_[flow.owner]->local ? 1U : 0U;
        }
        return json{{"t_ns", now_ns()}, {"flows", living}};
    });
}

json ServerSwitch::release_held(const json& order) {
    const auto to = owner_named(order.at("to"));
    return program_.loop().inside([&] {
        std::size_t moved = 0;
        for (auto& flow : table_.flows()) {
            if (holding_ && held_ids_[flow.id] && flow.owner != to && owners_[flow.owner]->local) {
                table_.change_owner(flow, to);
                ++moved;
            }
        }
        holding_ = false;
        const auto packets = held_.size();
        for (auto* packet : held_) {
            const auto key = key_of(rte_pktmbuf_mtod(packet, const std::uint8_t*), packet->data_len, identity_);
            auto* flow = key ? table_.find(*key, hash_of(*key)) : nullptr;
            const auto owner = flow != nullptr ? flow->owner : to;
            serve(packet, flow, owner, flow != nullptr ? flow->id : std::uint16_t{0});
        }
        held_.clear();
        outputs_.flush();
        return json{{"t_ns", now_ns()}, {"flows", moved}, {"packets", packets}};
    });
}

json ServerSwitch::watch(const json& order) {
    Watch wanted{ranges_of(order), owner_named(order.at("owner")), order.at("below").get<std::size_t>()};
    return program_.loop().inside([&] {
        watch_ = std::move(wanted);
        next_watch_ = 0;
        return json{{"t_ns", now_ns()}};
    });
}

json ServerSwitch::counters() const {
    auto detoured = json::object();
    auto living = json::object();
    for (std::size_t i = 0; i < owners_.size(); ++i) {
        const auto& owner = *owners_[i];
        living[owner.name] = table_.count(static_cast<Owner>(i));
        if (!owner.local) {
            detoured[owner.name] = {{"packets", owner.detoured_packets.load()}, {"bytes", owner.detoured_bytes.load()}};
        }
    }
    return {{"ports", program_.port_counters()},
            {"detoured", detoured},
            {"flows", living},
            {"flow_table_full", table_full_.load()},
            {"loops", loops_.load()},
            {"no_range", no_range_.load()},
            {"bad_frames", bad_frames_.load()},
            {"held_dropped", held_dropped_.load()},
            {"t_ns", program_.clock().now_ns()}};
}

Owner ServerSwitch::owner_named(const std::string& name) const {
    for (std::size_t i = 0; i < owners_.size(); ++i) {
        if (owners_[i]->name == name) {
            return static_cast<Owner>(i);
        }
    }
    std::string known;
    for (const auto& owner : owners_) {
        known += (known.empty() ? "" : ", ") + owner->name;
    }
    throw dpdk::Refusal{"unknown-owner", "there is no instance or server '" + name + "'; known are " + known};
}

std::vector<IdRange> ServerSwitch::ranges_of(const json& order) const {
    std::vector<IdRange> ranges;
    for (const auto& raw : order.value("ranges", json::array())) {
        ranges.push_back(policy_.covered(range_of(raw)));
    }
    return ranges;
}

}  // namespace nfvcert::switching
