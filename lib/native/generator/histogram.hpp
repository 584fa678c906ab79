#pragma once
// Log-linear histogram of latencies: 2^bits buckets for each power of two. With 7 bits a value is known to better than
// 1 %, with 10 bits to three significant digits.

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace nfvcert::generator {

template <unsigned bits>
class Histogram {
public:
    void add(std::uint64_t nanoseconds) {
        const auto index = index_of(nanoseconds);
        if (index >= counts_.size()) {
            counts_.resize(index + 1);
        }
        ++counts_[index];
        ++total_;
        highest_ = nanoseconds > highest_ ? nanoseconds : highest_;
    }

    [[nodiscard]] std::uint64_t total() const { return total_; }
    [[nodiscard]] std::uint64_t highest() const { return highest_; }

    /// Value (ns) below which `share` (0..1) of the values lie; 0 without values.
    [[nodiscard]] std::uint64_t percentile(double share) const {
        const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            seen += counts_[i];
            if (counts_[i] != 0 && seen > wanted) {
                return value_of(i);
            }
        }
        return highest_;
    }

    /// (value in ns, count) of all buckets in use, in order of value.
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets() const {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> used;
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            if (counts_[i] != 0) {
                used.emplace_back(value_of(i), counts_[i]);
            }
        }
        return used;
    }

private:
    static constexpr std::uint64_t linear = 1ULL << bits;

    static std::size_t index_of(std::uint64_t value) {
        if (value < linear) {
            return static_cast<std::size_t>(value);
        }
        const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
        return static_cast<std::size_t>((shift + 1) * linear + ((value >> shift) - linear));
    }

    static std::uint64_t value_of(std::size_t index) {
        if (index < linear) {
            return index;
        }
        const auto shift = index / linear - 1;
        const auto low = (linear + index % linear) << shift;
        return low + ((1ULL << shift) >> 1);
    }

    std::vector<std::uint32_t> counts_;
    std::uint64_t total_ = 0;
    std::uint64_t highest_ = 0;
};

}  // namespace nfvcert::generator
