#pragma once
// A token bucket in whole numbers, so that no rounding ever adds up: credit is counted in 10^-9 bits.

#include <algorithm>
#include <cstdint>

namespace nfvcert::nf {

/// In any time t it lets at most burst + rate * t pass.
class TokenBucket {
public:
    static constexpr std::uint64_t nano = 1'000'000'000;
    static constexpr std::uint64_t most_burst_bytes = 1U << 30U;  // so that credit fits 64 bits

    /// `rate_bps` > 0; starts full at the first time it is asked.
    TokenBucket(std::uint64_t rate_bps, std::uint64_t burst_bytes)
        : rate_{rate_bps}, full_{burst_bytes * 8 * nano}, fill_ns_{full_ / rate_bps + 1}, credit_{full_} {}

    void refill(std::uint64_t now_ns) {
        if (now_ns > filled_ns_) {
            const auto passed = now_ns - filled_ns_;
            credit_ = passed >= fill_ns_ ? full_ : std::min(full_, credit_ + passed * rate_);
            filled_ns_ = now_ns;
        }
    }
    [[nodiscard]] bool covers(std::uint64_t bytes) const { return credit_ >= bytes * 8 * nano; }
    void take(std::uint64_t bytes) { credit_ -= bytes * 8 * nano; }
    /// Whether a packet of this size can ever pass.
    [[nodiscard]] bool fits(std::uint64_t bytes) const { return full_ >= bytes * 8 * nano; }

private:
    std::uint64_t rate_;
    std::uint64_t full_;
    std::uint64_t fill_ns_;  // from empty to full
    std::uint64_t credit_;
    std::uint64_t filled_ns_ = 0;
};

}  // namespace nfvcert::nf
