#pragma once
// Random numbers that are the same everywhere for the same seed (the distributions of the standard library are not).

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace nfvcert::engine {

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_{seed} {}

    /// Evenly in (0, 1].
    double uniform() { return (static_cast<double>(engine_() >> 11) + 1.0) * 0x1p-53; }
    double exponential(double mean) { return -mean * std::log(uniform()); }
    double normal() { return std::sqrt(-2.0 * std::log(uniform())) * std::cos(2.0 * std::numbers::pi * uniform()); }
    /// Evenly in 0..below-1.
    std::uint64_t below(std::uint64_t below) {
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((static_cast<Wide>(engine_()) * below) >> 64);
    }
    std::uint64_t bits() { return engine_(); }

private:
    std::mt19937_64 engine_;
};

}  // namespace nfvcert::engine
