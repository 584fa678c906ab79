#pragma once
// Timers of many records: one list a tick, each record in at most one list. Arming and disarming take constant time; a
// packet of a flow does not touch its timer, the timer looks at the record when its tick has come.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "functions/common/flat_index.hpp"

namespace nfvcert::nf {

class TimerWheel {
public:
    static constexpr unsigned tick_bits = 22;  // 4.2 ms
    static constexpr std::size_t ticks = 4096; // 17 s; later timers are looked at then, and armed again

    explicit TimerWheel(std::size_t records) : links_(records) { heads_.fill(no_record); }

    /// `record` is due at `due_ns`, not before; it is in no list.
    void arm(std::uint32_t record, std::uint64_t due_ns, std::uint64_t now_ns) {
        start(now_ns);
        const auto wanted = (due_ns >> tick_bits) + 1;
        const auto tick = std::clamp(wanted, next_, next_ + ticks - 1);
        auto& head = heads_[tick % ticks];
        links_[record] = {no_record, head, static_cast<std::uint32_t>(tick % ticks)};
        if (head != no_record) {
            links_[head].previous = record;
        }
        head = record;
    }

    void disarm(std::uint32_t record) {
        const auto link = links_[record];
        if (link.bucket == idle) {
            return;
        }
        (link.previous == no_record ? heads_[link.bucket] : links_[link.previous].next) = link.next;
        if (link.next != no_record) {
            links_[link.next].previous = link.previous;
        }
        links_[record] = Link{};
    }

    /// Disarms records whose tick has come and calls `due(record)` for each, for at most `most` of them.
    template <class Due>
    void advance(std::uint64_t now_ns, unsigned most, Due&& due) {
        start(now_ns);
        const auto now_tick = now_ns >> tick_bits;
        if (now_tick > next_ + ticks) {
            next_ = now_tick - ticks;  // after a long pause every list is visited once
        }
        while (next_ <= now_tick) {
            while (heads_[next_ % ticks] != no_record) {
                if (most-- == 0) {
                    return;
                }
                const auto record = heads_[next_ % ticks];
                disarm(record);
                due(record);
            }
            ++next_;
        }
    }

private:
    static constexpr std::uint32_t idle = 0xffffffff;
    struct Link {
        std::uint32_t previous = no_record;
        std::uint32_t next = no_record;
        std::uint32_t bucket = idle;
    };

    void start(std::uint64_t now_ns) {
        if (next_ == 0) {
            next_ = (now_ns >> tick_bits) + 1;
        }
    }

    std::vector<Link> links_;
    std::array<std::uint32_t, ticks> heads_{};
    std::uint64_t next_ = 0;  // first tick not handled yet; 0 before the first time is known
};

}  // namespace nfvcert::nf
