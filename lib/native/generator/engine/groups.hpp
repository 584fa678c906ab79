#pragma once
// Packet groups of streams: packets and octets sent and received per port, and for latency streams order and latency.
//
// A packet of flow statistics is known by its IPv4 identification (or the low 16 bits of an IPv6 flow label), 0xfc00 and
// up; packets of latency streams have 0xffff there and end in a trailer of 16 octets: magic 0xab, epoch of the group (1),
// slot of the group (2), sequence number (4), time of sending in ns of CLOCK_MONOTONIC (8), network order.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "generator/engine/histogram.hpp"
#include "generator/engine/stream_plan.hpp"

namespace nfvcert::engine {

inline constexpr std::size_t most_ports = 8;

struct PacketCount {
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
};

/// Order and latency of a latency stream, counted as TRex counts them.
struct Latency {
    std::uint32_t expected = 0;
    std::uint64_t dropped = 0;
    std::uint64_t out_of_order = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t too_high = 0;
    std::uint64_t too_low = 0;
    std::uint64_t count = 0;
    std::uint64_t sum_ns = 0;
    std::uint64_t least_ns = ~std::uint64_t{0};
    std::uint64_t greatest_ns = 0;
    std::uint64_t recent_greatest_ns = 0;  // since it was read last
    std::uint64_t last_ns = 0;
    double jitter_ns = 0;                  // RFC 3550, 6.4.1
    Histogram histogram;

    void take(std::uint32_t sequence, std::uint64_t latency_ns);

private:
    void take_order(std::uint32_t sequence);
};

struct Group {
    std::uint32_t number = 0;
    GroupKind kind = GroupKind::none;
    std::uint16_t slot = 0;
    std::uint8_t epoch = 0;
    std::uint32_t next_sequence = 0;
    std::array<PacketCount, most_ports> sent{};
    std::array<PacketCount, most_ports> received{};
    std::unique_ptr<Latency> latency;  // of latency streams
};

class Groups {
public:
    static constexpr std::uint16_t latency_mark = 0xffff;
    static constexpr std::uint16_t first_mark = 0xfc00;
    static constexpr std::size_t statistics_slots = latency_mark - first_mark;
    static constexpr std::size_t latency_slots = 256;
    static constexpr std::size_t trailer_octets = 16;

    /// A new group for the number, not yet in force; null when it is there already with this kind. Throws Refusal when the
    /// number is another kind's or no slot is left. Control thread.
    std::unique_ptr<Group> create(GroupKind kind, std::uint32_t number);
    /// Polling thread, with what create() made.
    Group* insert(std::unique_ptr<Group> group);
    std::unique_ptr<Group> remove(std::uint32_t number);
    [[nodiscard]] Group* find(std::uint32_t number) const;
    [[nodiscard]] const std::map<std::uint32_t, std::unique_ptr<Group>>& all() const { return groups_; }

    /// A packet that came; nothing happens when it is of no group. Polling thread.
    void take(std::size_t port, const std::uint8_t* packet, std::size_t octets, std::uint64_t now_ns);
    [[nodiscard]] bool any() const { return !groups_.empty(); }
    /// Latency packets of groups that are gone, and such without their trailer.
    [[nodiscard]] std::uint64_t old_packets() const { return old_; }
    [[nodiscard]] std::uint64_t bad_trailers() const { return bad_; }

    /// Marks a template as of this group. Throws Refusal when it is no IP packet.
    static void mark(const Group& group, std::vector<std::uint8_t>& packet, const std::string& where);
    [[gnu::always_inline]] static void write_trailer(const Group& group, std::uint8_t* packet, std::size_t octets,
                                                     std::uint32_t sequence, std::uint64_t now_ns);

private:
    std::map<std::uint32_t, std::unique_ptr<Group>> groups_;
    std::array<Group*, statistics_slots> by_mark_{};
    std::array<Group*, latency_slots> by_slot_{};
    std::uint8_t epoch_ = 0;
    std::uint64_t old_ = 0;
    std::uint64_t bad_ = 0;
};

}  // namespace nfvcert::engine

#include "generator/engine/wire.hpp"

namespace nfvcert::engine {

inline void Groups::write_trailer(const Group& group, std::uint8_t* packet, std::size_t octets, std::uint32_t sequence,
                                  std::uint64_t now_ns) {
    auto* trailer = packet + octets - trailer_octets;
    const auto head = (std::uint64_t{0xab} << 56) | (std::uint64_t{group.epoch} << 48) | (std::uint64_t{group.slot} << 32) | sequence;
    store(trailer, swap64(head));
    store(trailer + 8, swap64(now_ns));
}

}  // namespace nfvcert::engine
