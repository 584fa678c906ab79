#include "generator/engine/ledger.hpp"

#include <algorithm>
#include <limits>
#include <memory>

namespace nfvcert::engine {
namespace {

constexpr std::uint16_t none_usual = 0xffff;

std::uint16_t in_memory(Handling handling) {
    return static_cast<std::uint16_t>(handling.detours | (handling.instance << 8));
}

}  // namespace

void Tally::clear() { std::construct_at(this); }

void Tally::add(const Tally& other) {
    end_ns = other.end_ns;
    sent += other.sent;
    received += other.received;
    received_bytes += other.received_bytes;
    foreign += other.foreign;
    duplicates += other.duplicates;
    reordered += other.reordered;
    ambiguous += other.ambiguous;
    detoured += other.detoured;
    born += other.born;
    ended += other.ended;
    living = other.living;
    missing = other.missing;
    for (std::size_t i = 0; i < instances.size(); ++i) {
        instances[i].packets += other.instances[i].packets;
        instances[i].bytes += other.instances[i].bytes;
        instances[i].detoured += other.instances[i].detoured;
        instances[i].violations += other.instances[i].violations;
    }
    direct.merge(other.direct);
    detoured_latency.merge(other.detoured_latency);
}

std::uint64_t Ledger::last_owner_ns(std::uint32_t flow) const {
    const auto& cold = cold_[flow];
    if (cold.seen == 0) {
        return 0;
    }
    if (cold.last_instance != cold.first_instance) {
        return cold.last_owner_ns;
    }
    return begin_ns_ + (static_cast<std::uint64_t>(hot_[flow].last_tick) << tick_shift);
}

void Ledger::take_unusual(Tally& tally, std::uint32_t flow, std::uint32_t sequence, Handling handling, std::uint32_t octets,
                          std::uint64_t latency_ns, std::uint32_t now_tick) {
    auto& hot = hot_[flow];
    auto& cold = cold_[flow];
    const auto now_ns = begin_ns_ + (static_cast<std::uint64_t>(now_tick) << tick_shift);

    if (cold.seen != 0) {
        hot.longest_gap = std::max(hot.longest_gap, now_tick - hot.last_tick);
    }
    take_handling(tally, hot, cold, handling, now_ns);
    hot.last_tick = now_tick;
    take_sequence(tally, hot, cold, sequence);

    const auto latency = static_cast<std::uint32_t>(std::min<std::uint64_t>(latency_ns, std::numeric_limits<std::uint32_t>::max()));
    cold.odd_latencies += latency < latency_ns ? 1 : 0;
    hot.latency_least = std::min(hot.latency_least, latency);
    hot.latency_greatest = std::max(hot.latency_greatest, latency);
    hot.latency_sum += latency_ns;
    (handling.detours == 0 ? tally.direct : tally.detoured_latency).add(latency_ns);

    auto& instance = tally.instances[handling.instance];
    ++instance.packets;
    instance.bytes += octets;
}

void Ledger::take_handling(Tally& tally, HotRecord& hot, ColdRecord& cold, Handling handling, std::uint64_t now_ns) {
    auto& instance = tally.instances[handling.instance];
    if (cold.seen == 0) {
        cold.seen = 1;
        cold.first_instance = handling.instance;
    } else if (handling.instance != cold.last_instance) {
        ++cold.changes;
        if (cold.last_instance == cold.first_instance) {
            cold.last_owner_ns = begin_ns_ + (static_cast<std::uint64_t>(hot.last_tick) << tick_shift);
        }
    }
    cold.last_instance = handling.instance;
    const auto other = handling.instance != cold.first_instance;
    if (other) {
        cold.first_other_ns = cold.other_packets == 0 ? now_ns : cold.first_other_ns;
        ++cold.other_packets;
        ++instance.violations;
    }
    if (handling.detours != 0) {
        ++cold.detoured;
        cold.last_detoured_ns = now_ns;
        ++instance.detoured;
        ++tally.detoured;
    }
    hot.usual = other || handling.detours != 0 ? none_usual : in_memory(handling);
}

void Ledger::take_sequence(Tally& tally, HotRecord& hot, ColdRecord& cold, std::uint32_t sequence) {
    if (sequence == hot.next) {
        ++hot.next;
    } else if (sequence > hot.next) {
        const auto count = sequence - hot.next;
        remember_gap(cold, hot.next, count);
        cold.missing += count;
        missing_ += count;
        hot.next = sequence + 1;
    } else {
        take_late(tally, cold, sequence);
    }
}

void Ledger::take_late(Tally& tally, ColdRecord& cold, std::uint32_t sequence) {
    std::uint32_t known = 0;
    for (auto& gap : cold.gaps) {
        known += gap.count;
        if (sequence - gap.first < gap.count) {
            const auto before = sequence - gap.first;
            const auto after = gap.count - before - 1;
            const auto behind = sequence + 1;
            --cold.missing;
            --missing_;
            ++cold.reordered;
            ++tally.reordered;
            if (before == 0) {
                gap = {behind, after};
            } else {
                gap.count = before;
                if (after != 0) {
                    remember_gap(cold, behind, after);
                }
            }
            return;
        }
    }
    if (known == cold.missing) {  // every missing number is known, this is none of them
        ++cold.duplicates;
        ++tally.duplicates;
    } else {
        ++cold.ambiguous;
        ++tally.ambiguous;
    }
}

void Ledger::remember_gap(ColdRecord& cold, std::uint32_t first, std::uint32_t count) {
    auto* unused = std::find_if(cold.gaps.begin(), cold.gaps.end(), [](const auto& gap) { return gap.count == 0; });
    if (unused == cold.gaps.end()) {
        std::move(cold.gaps.begin() + 1, cold.gaps.end(), cold.gaps.begin());  // the oldest will hardly come any more
        unused = cold.gaps.end() - 1;
    }
    *unused = {first, count};
}

}  // namespace nfvcert::engine
