#pragma once
// How many packets are due. Asked often, it answers rarely: packets are handed out in small bursts, and what was missed
// is made good slowly, so that a pause of the processor does not become a flood.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace nfvcert::engine {

class Pacer {
public:
    static constexpr unsigned largest_burst = 64;
    static constexpr double burst_ns = 5'000;       // packets of 5 us go together
    static constexpr double catch_up = 1.25;        // times the rate, while behind
    static constexpr double longest_lag_ns = 1e9;   // what is older is given up and counted
    static constexpr double largest_step = 1024;    // packets at once after a pause: what rings take

    Pacer() = default;
    /// `per_second` packets from `now_ns` on; keeps what was due until then.
    void set_rate(double per_second, std::uint64_t now_ns) {
        advance(now_ns);
        per_ns_ = per_second / 1e9;
        burst_ = static_cast<unsigned>(std::clamp(per_ns_ * burst_ns, 1.0, static_cast<double>(largest_burst)));
    }
    void begin(double per_second, std::uint64_t now_ns) {
        *this = Pacer{};
        last_ns_ = now_ns;
        set_rate(per_second, now_ns);
    }
    /// As many as possible: every time a full burst.
    void begin_unlimited(std::uint64_t now_ns) {
        *this = Pacer{};
        last_ns_ = now_ns;
        unlimited_ = true;
    }
    /// Counts on from what an earlier pacer issued.
    void resume_count(std::uint64_t issued) { issued_ += issued; }
    [[nodiscard]] bool unlimited() const { return unlimited_; }

    /// Nothing more becomes due from `now_ns` on; what is due already still is.
    void finish(std::uint64_t now_ns) {
        advance(now_ns);
        finishing_ = true;
    }
    /// Packets to send now; call issued() with how many were.
    [[gnu::always_inline]] unsigned due(std::uint64_t now_ns) {
        if (unlimited_) {
            last_ns_ = now_ns;
            return largest_burst;
        }
        advance(now_ns);
        const auto allowed = std::min(owed_, allowance_) + rounding;
        return allowed < (finishing_ ? 1 : burst_) ? 0 : static_cast<unsigned>(std::min<double>(allowed, largest_burst));
    }
    /// After finish(): nothing is left to send.
    [[nodiscard]] bool finished() const { return unlimited_ || owed_ + rounding < 1; }
    [[gnu::always_inline]] void issued(unsigned packets) {
        if (!unlimited_) {
            owed_ -= packets;
            allowance_ -= packets;
        }
        issued_ += packets;
    }

    [[nodiscard]] std::uint64_t issued_so_far() const { return issued_; }
    /// What the rate asked for until the last call, given up or not; without a rate what was issued.
    [[nodiscard]] std::uint64_t intended() const {
        return unlimited_ ? issued_ : issued_ + static_cast<std::uint64_t>(std::max(owed_ + rounding, 0.0)) + given_up();
    }
    [[nodiscard]] std::uint64_t given_up() const { return static_cast<std::uint64_t>(given_up_); }

private:
    static constexpr double rounding = 1e-6;  // packets

    [[gnu::always_inline]] void advance(std::uint64_t now_ns) {
        if (now_ns <= last_ns_) {
            return;
        }
        const auto due = static_cast<double>(now_ns - last_ns_) * per_ns_;
        last_ns_ = now_ns;
        owed_ += finishing_ ? 0 : due;
        allowance_ = std::min(allowance_ + due * catch_up, largest_step);
        const auto most = per_ns_ * longest_lag_ns + largest_burst;
        if (__builtin_expect(owed_ > most, 0)) {
            given_up_ += owed_ - most;
            owed_ = most;
        }
    }

    double per_ns_ = 0;
    double owed_ = 0;       // due and not sent
    double allowance_ = 0;  // bucket that bounds the speed of catching up
    double given_up_ = 0;
    std::uint64_t last_ns_ = 0;
    std::uint64_t issued_ = 0;
    unsigned burst_ = 1;
    bool unlimited_ = false;
    bool finishing_ = false;
};

}  // namespace nfvcert::engine
