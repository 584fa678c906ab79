#pragma once
// Histogram of durations in nanoseconds, 1 ns to 137 s, three significant digits everywhere (the layout of Tene's
// HdrHistogram: 2048 cells for the small values, then 1024 cells for each further power of two).

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nfvcert::engine {

class Histogram {
public:
    static constexpr unsigned significant_bits = 10;
    static constexpr unsigned largest_bits = 37;
    static constexpr std::uint64_t largest_ns = (std::uint64_t{1} << largest_bits) - 1;
    static constexpr std::size_t cells = ((largest_bits - 1 - significant_bits) << significant_bits) + (2U << significant_bits);

    /// Cell of a value; values above largest_ns have no cell.
    [[gnu::always_inline]] static std::size_t cell_of(std::uint64_t ns) {
        constexpr std::uint64_t small = (2U << significant_bits) - 1;
        const auto shift = static_cast<unsigned>(63 - std::countl_zero(ns | small)) - significant_bits;
        return (static_cast<std::size_t>(shift) << significant_bits) + static_cast<std::size_t>(ns >> shift);
    }
    /// Least and greatest value of a cell.
    static std::uint64_t lowest_of(std::size_t cell);
    static std::uint64_t highest_of(std::size_t cell);

    [[gnu::always_inline]] void add(std::uint64_t ns) { ++counts_[cell_of(ns < largest_ns ? ns : largest_ns)]; }
    void add(std::uint64_t ns, std::uint64_t times) { counts_[cell_of(std::min(ns, largest_ns))] += times; }
    void merge(const Histogram& other);
    void clear() { counts_.fill(0); }

    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] std::uint64_t least() const;
    [[nodiscard]] std::uint64_t greatest() const;
    [[nodiscard]] double mean() const;
    /// Value (ns) that `share` (0..1) of all values do not exceed, rounded up to its cell; 0 without values. Several shares
    /// in ascending order cost one pass.
    [[nodiscard]] std::vector<std::uint64_t> percentiles(const std::vector<double>& shares) const;
    [[nodiscard]] std::uint64_t percentile(double share) const { return percentiles({share}).front(); }
    /// (lowest value of the cell, count) of all cells in use.
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> used() const;

private:
    std::array<std::uint64_t, cells> counts_{};
};

/// The compressed form of HdrHistogram's version 2 in base64: what TRex calls hdrh. Values are microseconds from 1 to 10^7
/// with three digits, as TRex's latency streams count them.
std::string hdr_base64_us(const Histogram& histogram);

}  // namespace nfvcert::engine
