#include "dpdk/clock.hpp"

#include <time.h>
#include <x86intrin.h>

namespace nfvcert::dpdk {
namespace {

struct Pair {
    std::uint64_t tsc;
    std::uint64_t ns;
};

std::uint64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// The two clocks at one moment: the reading between whose two looks at the counter the least time passed.
Pair read_pair() {
    constexpr int looks = 5;
    Pair best{};
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < looks; ++i) {
        const auto before = TscClock::tsc();
        const auto ns = monotonic_ns();
        const auto width = TscClock::tsc() - before;
        if (width < least) {
            least = width;
            best = {before + width / 2, ns};
        }
    }
    return best;
}

}  // namespace

std::uint64_t TscClock::tsc() { return __rdtsc(); }

TscClock::TscClock() {
    const auto begin = read_pair();
    constexpr timespec pause{.tv_sec = 0, .tv_nsec = 20'000'000};
    nanosleep(&pause, nullptr);
    const auto end = read_pair();
    first_tsc_ = begin.tsc;
    first_ns_ = begin.ns;
    tied_tsc_ = end.tsc;
    tied_ns_ = end.ns;
    set_rate(static_cast<double>(end.tsc - begin.tsc) * 1e9 / static_cast<double>(end.ns - begin.ns));
}

void TscClock::sync() {
    const auto now = read_pair();
    set_rate(static_cast<double>(now.tsc - first_tsc_) * 1e9 / static_cast<double>(now.ns - first_ns_));
    tied_tsc_ = now.tsc;
    tied_ns_ = now.ns;
}

void TscClock::set_rate(double per_second) {
    per_second_ = per_second;
    ns_per_tsc_ = static_cast<std::int64_t>(1e9 / per_second * static_cast<double>(std::uint64_t{1} << shift));
}

}  // namespace nfvcert::dpdk
