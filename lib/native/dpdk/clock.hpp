#pragma once
// CLOCK_MONOTONIC without a system call: the processor's time stamp counter, tied to the clock now and then.

#include <cstdint>

namespace nfvcert::dpdk {

class TscClock {
public:
    /// Measures the counter's rate for about 20 ms.
    TscClock();

    [[nodiscard]] static std::uint64_t tsc();
    [[nodiscard]] std::uint64_t now_ns() const { return to_ns(tsc()); }
    /// Time of a counter value near the present one.
    [[nodiscard]] std::uint64_t to_ns(std::uint64_t tsc) const {
        const auto difference = static_cast<Wide>(static_cast<std::int64_t>(tsc - tied_tsc_));
        return tied_ns_ + static_cast<std::uint64_t>((difference * ns_per_tsc_) >> shift);
    }
    [[nodiscard]] std::uint64_t to_tsc(std::uint64_t duration_ns) const {
        return static_cast<std::uint64_t>(static_cast<double>(duration_ns) * per_second_ / 1e9);
    }
    [[nodiscard]] std::uint64_t tsc_per_second() const { return static_cast<std::uint64_t>(per_second_); }
    /// Ties the counter to the clock anew and mends its rate; called by the polling thread about once a second.
    void sync();

private:
    __extension__ using Wide = __int128;
    static constexpr int shift = 32;
    void set_rate(double per_second);

    std::uint64_t first_tsc_ = 0;
    std::uint64_t first_ns_ = 0;
    std::uint64_t tied_tsc_ = 0;
    std::uint64_t tied_ns_ = 0;
    std::int64_t ns_per_tsc_ = 0;  // in units of 2^-32
    double per_second_ = 0;
};

}  // namespace nfvcert::dpdk
