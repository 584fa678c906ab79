#include "generator/engine/groups.hpp"

#include <algorithm>
#include <cmath>

#include "packet/ethernet.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::uint8_t latency_magic = 0xab;
constexpr std::uint32_t far = 100'000;  // sequence numbers farther off than this have wrapped around
constexpr std::uint16_t ipv6 = 0x86dd;
constexpr std::uint16_t older_service_vlan = 0x9100;

struct Network {
    std::size_t offset;
    bool version6;
};

/// Where the IP header begins, behind up to two VLAN tags.
std::optional<Network> network_of(const std::uint8_t* packet, std::size_t octets) {
    std::size_t at = 12;
    for (int tags = 0; tags <= 2 && at + 2 + 20 <= octets; ++tags) {
        const auto type = swap16(load<std::uint16_t>(packet + at));
        if (type == packet::ethertype_ipv4) {
            return Network{at + 2, false};
        }
        if (type == ipv6 && at + 2 + 40 <= octets) {
            return Network{at + 2, true};
        }
        if (type != packet::ethertype_vlan && type != packet::ethertype_service_vlan && type != older_service_vlan) {
            return std::nullopt;
        }
        at += 4;
    }
    return std::nullopt;
}

std::size_t mark_offset(const Network& network) { return network.offset + (network.version6 ? 2 : 4); }

}  // namespace

void Latency::take(std::uint32_t sequence, std::uint64_t latency_ns) {
    take_order(sequence);
    const auto change = std::abs(static_cast<double>(latency_ns) - static_cast<double>(last_ns));
    jitter_ns += count == 0 ? 0 : (change - jitter_ns) / 16;
    last_ns = latency_ns;
    ++count;
    sum_ns += latency_ns;
    least_ns = std::min(least_ns, latency_ns);
    greatest_ns = std::max(greatest_ns, latency_ns);
    recent_greatest_ns = std::max(recent_greatest_ns, latency_ns);
    histogram.add(latency_ns);
}

void Latency::take_order(std::uint32_t sequence) {
    if (sequence == expected) {
        ++expected;
        return;
    }
    // ahead, with numbers that wrap around: a packet far behind is one far ahead
    const auto below = sequence < expected;
    const auto distance = below ? expected - sequence : sequence - expected;
    const auto ahead = below ? distance > far : distance <= far;
    if (ahead) {
        dropped += sequence - expected;
        ++too_high;
        expected = sequence + 1;
        return;
    }
    if (sequence + 1 == expected) {
        ++duplicate;
    } else {
        ++out_of_order;
        dropped -= dropped > 0 ? 1 : 0;  // it had been taken for lost
    }
    ++too_low;
}

std::unique_ptr<Group> Groups::create(GroupKind kind, std::uint32_t number) {
    if (const auto* known = find(number)) {
        if (known->kind != kind) {
            throw Refusal{"group-in-use", "group " + std::to_string(number) + " has been of the other kind; forget_group it first"};
        }
        return nullptr;
    }
    auto group = std::make_unique<Group>();
    group->number = number;
    group->kind = kind;
    group->epoch = ++epoch_;
    const auto reserve = [&](const auto& slots) {
        const auto unused = std::find(slots.begin(), slots.end(), nullptr);
        if (unused == slots.end()) {
            throw Refusal{"no-group", "all " + std::to_string(slots.size()) + " groups of this kind are used"};
        }
        group->slot = static_cast<std::uint16_t>(unused - slots.begin());
    };
    if (kind == GroupKind::latency) {
        reserve(by_slot_);
        group->latency = std::make_unique<Latency>();
    } else {
        reserve(by_mark_);
    }
    return group;
}

Group* Groups::insert(std::unique_ptr<Group> group) {
    auto* inserted = group.get();
    (group->kind == GroupKind::latency ? by_slot_[group->slot] : by_mark_[group->slot]) = inserted;
    groups_[group->number] = std::move(group);
    return inserted;
}

std::unique_ptr<Group> Groups::remove(std::uint32_t number) {
    const auto found = groups_.find(number);
    if (found == groups_.end()) {
        return nullptr;
    }
    auto group = std::move(found->second);
    (group->kind == GroupKind::latency ? by_slot_[group->slot] : by_mark_[group->slot]) = nullptr;
    groups_.erase(found);
    return group;
}

Group* Groups::find(std::uint32_t number) const {
    const auto found = groups_.find(number);
    return found == groups_.end() ? nullptr : found->second.get();
}

void Groups::take(std::size_t port, const std::uint8_t* packet, std::size_t octets, std::uint64_t now_ns) {
    const auto network = network_of(packet, octets);
    if (!network) {
        return;
    }
    const auto mark = swap16(load<std::uint16_t>(packet + mark_offset(*network)));
    if (mark < first_mark) {
        return;
    }
    Group* group = nullptr;
    if (mark == latency_mark) {
        const auto* trailer = packet + octets - trailer_octets;
        if (octets < network->offset + 20 + trailer_octets || trailer[0] != latency_magic) {
            ++bad_;
            return;
        }
        const auto slot = swap16(load<std::uint16_t>(trailer + 2));
        group = slot < latency_slots ? by_slot_[slot] : nullptr;
        if (group == nullptr || group->epoch != trailer[1]) {
            ++old_;
            return;
        }
        const auto sent_ns = swap64(load<std::uint64_t>(trailer + 8));
        group->latency->take(swap32(load<std::uint32_t>(trailer + 4)), now_ns > sent_ns ? now_ns - sent_ns : 0);
    } else {
        group = by_mark_[mark - first_mark];
    }
    if (group != nullptr) {
        ++group->received[port].packets;
        group->received[port].octets += octets;
    }
}

void Groups::mark(const Group& group, std::vector<std::uint8_t>& packet, const std::string& where) {
    const auto network = network_of(packet.data(), packet.size());
    if (!network) {
        refuse(where, "packets of a group are told by their IP header; this packet has none behind its Ethernet header and tags");
    }
    const auto value = group.kind == GroupKind::latency ? latency_mark : static_cast<std::uint16_t>(first_mark + group.slot);
    auto* field = packet.data() + mark_offset(*network);
    if (!network->version6) {
        auto* checksum = packet.data() + network->offset + 10;
        // RFC 1624: the checksum stays right or wrong by the same
        const auto before = load<std::uint16_t>(field);
        const auto sum = std::uint32_t{static_cast<std::uint16_t>(~load<std::uint16_t>(checksum))} +
                         static_cast<std::uint16_t>(~before) + swap16(value);
        store(checksum, static_cast<std::uint16_t>(~fold(sum)));
    }
    store(field, swap16(value));
}

}  // namespace nfvcert::engine
