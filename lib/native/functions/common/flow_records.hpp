#pragma once
// What the tables of flows have in common: counting what passed, ending what was idle, and giving state away.
//
// A record has alive(), flow() (its FlowKey), `frozen` (its state was given away) and `last_ns` (of its last packet); a table
// has capacity() and operator[] by the number of a record.

#include <algorithm>
#include <cstdint>

#include "functions/common/flow_selector.hpp"
#include "functions/common/state_block.hpp"
#include "functions/common/timer_wheel.hpp"
#include "functions/network_function.hpp"

namespace nfvcert::nf {

/// Time from `then_ns` to `now_ns`, and by the same rule back: what is exchanged are ages, for clocks need not agree.
inline std::uint64_t age(std::uint64_t now_ns, std::uint64_t then_ns) { return now_ns > then_ns ? now_ns - then_ns : 0; }

/// What passed of a flow that has two sides, by the side that sent it.
struct TwoWayTraffic {
    std::uint64_t last_ns = 0;
    std::uint64_t packets[2] = {0, 0};
    std::uint64_t bytes[2] = {0, 0};

    void count(std::size_t side, std::uint16_t length, std::uint64_t now_ns) {
        last_ns = now_ns;
        ++packets[side];
        bytes[side] += length;
    }
    [[nodiscard]] std::uint64_t all_packets() const { return packets[0] + packets[1]; }
    [[nodiscard]] std::uint64_t all_bytes() const { return bytes[0] + bytes[1]; }

    // In a state: idle ns u64 | packets by side u64 u64 | octets by side u64 u64.
    void write(StateWriter& out, std::uint64_t now_ns) const {
        out.u64(age(now_ns, last_ns));
        for (const auto counter : {packets[0], packets[1], bytes[0], bytes[1]}) {
            out.u64(counter);
        }
    }
    void read(StateReader& in, std::uint64_t now_ns) {
        last_ns = age(now_ns, in.u64());
        for (auto* const counter : {&packets[0], &packets[1], &bytes[0], &bytes[1]}) {
            *counter = in.u64();
        }
    }
};

/// Whether nothing passed for longer than `timeout_ns`; a frozen record does not age.
template <class Record>
[[nodiscard]] bool is_idle(const Record& record, std::uint64_t timeout_ns, std::uint64_t now_ns) {
    return !record.frozen && age(now_ns, record.last_ns) > timeout_ns;
}

/// Looks at the records whose timers are due, a bounded number of them: `close(number)` for those that have been idle for
/// longer than `timeout_of(record)`; the timers of the others are armed again.
template <class Table, class Timeout, class Close>
void end_idle(const Table& table, TimerWheel& timers, std::uint64_t now_ns, Timeout&& timeout_of, Close&& close) {
    constexpr unsigned timers_per_call = 256;
    constexpr std::uint64_t frozen_recheck_ns = 1'000'000'000;
    timers.advance(now_ns, timers_per_call, [&](std::uint32_t number) {
        const auto& record = table[number];
        if (record.frozen) {
            timers.arm(number, now_ns + frozen_recheck_ns, now_ns);
        } else if (is_idle(record, timeout_of(record), now_ns)) {
            close(number);
        } else {
            timers.arm(number, record.last_ns + timeout_of(record), now_ns);
        }
    });
}

/// Calls `visit(number, record)` for each living record of a slice.
template <class Table, class Visit>
void for_living(Table& table, SlotRange range, Visit&& visit) {
    const auto end = static_cast<std::uint32_t>(std::min(range.end, table.capacity()));
    for (auto number = static_cast<std::uint32_t>(std::min<std::size_t>(range.begin, end)); number < end; ++number) {
        if (auto& record = table[number]; record.alive()) {
            visit(number, record);
        }
    }
}

/// Writes the selected records of a slice that have not `ended(record)`, each by `write(record)`, and freezes them when
/// `freeze`. Returns how many.
template <class Table, class Ended, class Write>
std::size_t export_records(Table& table, const FlowSelector& selector, SlotRange range, bool freeze, StateWriter& out,
                           Ended&& ended, Write&& write) {
    std::size_t count = 0;
    for_living(table, range, [&](std::uint32_t, auto& record) {
        if (ended(record) || !selector.matches(record.flow())) {
            return;
        }
        record.frozen = record.frozen || freeze;
        write(record);
        out.end_record();
        ++count;
    });
    return count;
}

/// Calls `visit(number, record)` for each selected frozen record of a slice. Returns how many.
template <class Table, class Visit>
std::size_t for_frozen(Table& table, const FlowSelector& selector, SlotRange range, Visit&& visit) {
    std::size_t count = 0;
    for_living(table, range, [&](std::uint32_t number, auto& record) {
        if (record.frozen && selector.matches(record.flow())) {
            visit(number, record);
            ++count;
        }
    });
    return count;
}

/// Thaws the selected frozen records of a slice.
template <class Table>
std::size_t resume_records(Table& table, const FlowSelector& selector, SlotRange range) {
    return for_frozen(table, selector, range, [](std::uint32_t, auto& record) { record.frozen = false; });
}

/// Lists the records of a slice with TwoWayTraffic that have not `ended(record)`.
template <class Table, class Ended>
void list_records(const Table& table, SlotRange range, std::vector<FlowCounters>& out, Ended&& ended) {
    for_living(table, range, [&](std::uint32_t, const auto& record) {
        if (!ended(record)) {
            out.push_back({record.flow(), record.all_packets(), record.all_bytes(), 0, record.last_ns, record.frozen});
        }
    });
}

}  // namespace nfvcert::nf
