#pragma once
// What came back of every flow. The part that each packet touches is 32 octets; the rest is touched when something is
// unusual: first packet, gap, late packet, another instance, a detour.

#include <array>
#include <cstdint>

#include "generator/engine/histogram.hpp"
#include "generator/engine/lazy_array.hpp"

namespace nfvcert::engine {

/// The two last octets of the source MAC address as the test image writes them: detours so far, instance that handled it.
struct Handling {
    std::uint8_t detours;
    std::uint8_t instance;
};

struct alignas(32) HotRecord {
    std::uint32_t next = 0;              // sequence number that is expected
    std::uint32_t last_tick = 0;         // arrival of the last packet, in ticks since the beginning
    std::uint32_t longest_gap = 0;       // between two arrivals, ticks
    std::uint32_t latency_least = ~0U;   // ns
    std::uint32_t latency_greatest = 0;  // ns, stops at its limit of 4.29 s; the histogram goes on to 137 s
    std::uint16_t usual = 0xffff;        // handling (network order) that needs no special care; 0xffff: none
    std::uint16_t spare = 0;
    std::uint64_t latency_sum = 0;       // ns
};
static_assert(sizeof(HotRecord) == 32);

struct ColdRecord {
    static constexpr unsigned gaps_kept = 4;
    struct Gap {
        std::uint32_t first;
        std::uint32_t count;
    };
    std::array<Gap, gaps_kept> gaps;   // sequence numbers that have not come, oldest first; count 0: unused
    std::uint32_t missing;             // sequence numbers below `next` that have not come, kept in `gaps` or not
    std::uint32_t duplicates;
    std::uint32_t reordered;
    std::uint32_t ambiguous;           // late packets of gaps no longer kept: late or duplicate, nobody knows
    std::uint32_t other_packets;       // handled by another instance than the first
    std::uint32_t changes;             // consecutive packets from different instances
    std::uint32_t detoured;
    std::uint32_t odd_latencies;       // above 4.29 s
    std::uint64_t first_other_ns;
    std::uint64_t last_owner_ns;       // valid when the last packet came from another instance
    std::uint64_t last_detoured_ns;
    std::uint8_t first_instance;
    std::uint8_t last_instance;
    std::uint8_t seen;
};

struct InstanceCounters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t detoured = 0;
    std::uint64_t violations = 0;  // packets of flows that began at another instance
};

/// What happened in a stretch of time; filled by the polling thread, read by others when it is closed.
struct Tally {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t foreign = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t reordered = 0;
    std::uint64_t ambiguous = 0;
    std::uint64_t detoured = 0;
    std::uint64_t born = 0;
    std::uint64_t ended = 0;
    std::uint64_t living = 0;   // at the end
    std::uint64_t missing = 0;  // at the end: gaps that are open
    std::array<InstanceCounters, 256> instances{};
    Histogram direct;
    Histogram detoured_latency;

    void clear();
    /// Adds what can be added; `living`, `missing` and the end are the other's.
    void add(const Tally& other);
};

/// Packets in a row that arrived alike: those of one burst were sent at one time and mostly handled in one place.
struct Usual {
    std::uint32_t latency = 0;
    std::uint16_t handling = 0;
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;

    void flush(Tally& tally) {
        if (packets != 0) {
            auto& instance = tally.instances[handling >> 8];
            instance.packets += packets;
            instance.bytes += octets;
            tally.direct.add(latency, packets);
            packets = 0;
            octets = 0;
        }
    }
};

class Ledger {
public:
    static constexpr unsigned tick_shift = 10;  // a tick is 1.024 us

    explicit Ledger(std::size_t most_flows) : hot_{most_flows, true}, cold_{most_flows, false} {}

    /// The time that ticks are counted from.
    void begin(std::uint64_t now_ns) { begin_ns_ = now_ns; }
    /// A flow that may be heard of from now on.
    void open(std::uint32_t flow) { hot_.make(flow); }
    [[nodiscard]] std::uint64_t begin_ns() const { return begin_ns_; }
    [[nodiscard]] std::uint32_t tick(std::uint64_t now_ns) const {
        return static_cast<std::uint32_t>((now_ns - begin_ns_) >> tick_shift);
    }
    void prefetch(std::uint32_t flow) const { __builtin_prefetch(&hot_[flow], 1); }

    /// A packet of `flow` came. `handling` as in the packet (two octets in memory order), `octets` without check sequence.
    /// `usual` gathers what packets in a row have in common; flush() it at the end.
    [[gnu::always_inline]] void take(Tally& tally, Usual& usual, std::uint32_t flow, std::uint32_t sequence,
                                     std::uint16_t handling, std::uint32_t octets, std::uint64_t latency_ns,
                                     std::uint32_t now_tick) {
        auto& record = hot_[flow];
        if (__builtin_expect(sequence == record.next && handling == record.usual && latency_ns <= ~0U, 1)) {
            const auto gap = now_tick - record.last_tick;
            const auto latency = static_cast<std::uint32_t>(latency_ns);
            record.next = sequence + 1;
            record.last_tick = now_tick;
            record.longest_gap = gap > record.longest_gap ? gap : record.longest_gap;
            record.latency_least = latency < record.latency_least ? latency : record.latency_least;
            record.latency_greatest = latency > record.latency_greatest ? latency : record.latency_greatest;
            record.latency_sum += latency;
            if (__builtin_expect(latency != usual.latency || handling != usual.handling, 0)) {
                usual.flush(tally);
                usual.latency = latency;
                usual.handling = handling;
            }
            ++usual.packets;
            usual.octets += octets;
            return;
        }
        take_unusual(tally, flow, sequence, {static_cast<std::uint8_t>(handling), static_cast<std::uint8_t>(handling >> 8)},
                     octets, latency_ns, now_tick);
    }

    [[nodiscard]] const HotRecord& hot(std::uint32_t flow) const { return hot_[flow]; }
    [[nodiscard]] const ColdRecord& cold(std::uint32_t flow) const { return cold_[flow]; }
    /// Different packets of the flow that came.
    [[nodiscard]] std::uint32_t unique(std::uint32_t flow) const { return hot_[flow].next - cold_[flow].missing; }
    [[nodiscard]] std::uint64_t missing() const { return missing_; }
    /// Time of the last packet that the flow's first instance handled; 0 when none came.
    [[nodiscard]] std::uint64_t last_owner_ns(std::uint32_t flow) const;

private:
    void take_unusual(Tally& tally, std::uint32_t flow, std::uint32_t sequence, Handling handling, std::uint32_t octets,
                      std::uint64_t latency_ns, std::uint32_t now_tick);
    void take_sequence(Tally& tally, HotRecord& hot, ColdRecord& cold, std::uint32_t sequence);
    void take_late(Tally& tally, ColdRecord& cold, std::uint32_t sequence);
    void take_handling(Tally& tally, HotRecord& hot, ColdRecord& cold, Handling handling, std::uint64_t now_ns);
    static void remember_gap(ColdRecord& cold, std::uint32_t first, std::uint32_t count);

    LazyArray<HotRecord> hot_;
    LazyArray<ColdRecord> cold_;
    std::uint64_t begin_ns_ = 0;
    std::uint64_t missing_ = 0;
};

}  // namespace nfvcert::engine
