#pragma once
// When the packets of a stream are due: continuous, one burst, or bursts with gaps between them. Times are nanoseconds of
// CLOCK_MONOTONIC as doubles (a tenth of a microsecond after months).

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "generator/engine/pacer.hpp"
#include "generator/engine/stream_plan.hpp"

namespace nfvcert::engine {

class StreamSchedule {
public:
    StreamSchedule() = default;
    explicit StreamSchedule(const StreamPlan& plan)
        : gap_before_ns_{plan.gap_before_ns},
          gap_between_ns_{plan.gap_between_ns},
          per_second_{plan.packets_per_second},
          burst_packets_{plan.burst_packets},
          bursts_{plan.bursts},
          action_count_{plan.action_count} {}

    /// Starts (again) at `now`, after the stream's own gap. The rate's multiplier stays.
    void start(double now) {
        next_ = now + gap_before_ns_;
        asked_ = now;
        packets_left_ = burst_packets_;
        bursts_left_ = bursts_;
        allowance_ = 0;
        running_ = true;
    }
    void set_multiplier(double multiplier, double now) {
        const auto before = gap_ns_;
        gap_ns_ = 1e9 / (per_second_ * multiplier);
        burst_ = std::clamp(Pacer::burst_ns / gap_ns_, 1.0, static_cast<double>(Pacer::largest_burst));
        if (running_ && before > 0 && next_ > now && packets_left_ < burst_packets_) {
            next_ = now + (next_ - now) * gap_ns_ / before;  // within a burst the next packet comes as much earlier or later
        }
    }
    /// What is due stays due by the same while.
    void pause(double now) { paused_at_ = now; }
    void resume(double now) {
        next_ += now - paused_at_;
        asked_ = now;
    }
    void stop() { running_ = false; }
    [[nodiscard]] bool running() const { return running_; }

    /// Packets due at `now`, at most a burst of the generator's.
    [[nodiscard]] unsigned due(double now) {
        if (!running_ || now < wake()) {
            return 0;
        }
        const auto behind = (now - next_) / gap_ns_;
        if (behind > Pacer::longest_lag_ns / gap_ns_ + Pacer::largest_burst && burst_packets_ == StreamPlan::endless) {
            const auto late = std::floor(behind - Pacer::longest_lag_ns / gap_ns_);
            given_up_ += static_cast<std::uint64_t>(late);
            next_ += late * gap_ns_;
        }
        allowance_ = std::min(allowance_ + (now - asked_) / gap_ns_ * Pacer::catch_up, Pacer::largest_step);
        asked_ = now;
        const auto most = std::min<double>(Pacer::largest_burst, static_cast<double>(packets_left_));
        const auto ready = std::floor((now - next_) / gap_ns_ + 1e-9) + 1;
        return static_cast<unsigned>(std::max(0.0, std::min({most, ready, std::max(1.0, allowance_)})));
    }
    /// Packets of this schedule whose time has come and that are not sent.
    [[nodiscard]] std::uint64_t owed(double now) const {
        if (!running_ || now < next_) {
            return 0;
        }
        const auto ready = std::floor((now - next_) / gap_ns_ + 1e-9) + 1;
        return static_cast<std::uint64_t>(std::min(ready, static_cast<double>(packets_left_)));
    }
    /// When due() is worth asking again.
    [[nodiscard]] double wake() const {
        return next_ + (std::min(burst_, static_cast<double>(packets_left_)) - 1) * gap_ns_;
    }

    /// `count` packets have gone. True when the stream has ended with them.
    bool sent(unsigned count) {
        next_ += count * gap_ns_;
        allowance_ = std::max(0.0, allowance_ - count);
        if (burst_packets_ == StreamPlan::endless) {
            return false;
        }
        packets_left_ -= count;
        if (packets_left_ != 0 || count == 0) {
            return false;
        }
        next_ -= gap_ns_;  // the last packet's time: gaps count from there
        if (--bursts_left_ == 0) {
            running_ = false;
            return true;
        }
        next_ += gap_between_ns_;
        packets_left_ = burst_packets_;
        return false;
    }
    /// Time of the last packet of a stream that has ended.
    [[nodiscard]] double ended_at() const { return next_; }
    [[nodiscard]] std::uint64_t given_up() const { return given_up_; }

    /// Whether the stream behind may start once more; counts it.
    bool may_go_on() { return action_count_ == 0 || --action_count_ != 0; }

private:
    double gap_before_ns_ = 0;
    double gap_between_ns_ = 0;
    double per_second_ = 1;
    std::uint64_t burst_packets_ = 0;
    std::uint64_t bursts_ = 0;
    std::uint32_t action_count_ = 0;

    double gap_ns_ = 0;   // between packets
    double burst_ = 1;    // packets that are waited for
    double next_ = 0;     // when the next packet is due
    double asked_ = 0;
    double allowance_ = 0;
    double paused_at_ = 0;
    std::uint64_t packets_left_ = 0;
    std::uint64_t bursts_left_ = 0;
    std::uint64_t given_up_ = 0;
    bool running_ = false;
};

}  // namespace nfvcert::engine
