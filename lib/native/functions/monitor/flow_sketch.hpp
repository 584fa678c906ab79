#pragma once
// How many packets a flow had at least roughly, for any number of flows in fixed memory: count-min sketch (Cormode and
// Muthukrishnan 2005), and the flows that had most.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "functions/common/flat_index.hpp"
#include "functions/common/flow_selector.hpp"

namespace nfvcert::nf {

/// Estimates never fall short; they exceed the truth by more than 2 N / width (N: all packets) with probability 2^-depth.
class CountMinSketch {
public:
    static constexpr std::size_t depth = 4;

    /// `width`: rounded up to a power of two.
    explicit CountMinSketch(std::size_t width)
        : mask_{static_cast<std::uint32_t>(std::bit_ceil(width) - 1)}, counters_(depth * (std::size_t{mask_} + 1)) {}

    void prefetch(std::uint64_t hash) const {
        for (std::size_t row = 0; row < depth; ++row) {
            __builtin_prefetch(&counters_[place(row, hash)], 1);
        }
    }
    /// Counts a packet of the flow with this hash; answers the estimate.
    std::uint32_t add(std::uint64_t hash) {
        std::uint32_t least = UINT32_MAX;
        for (std::size_t row = 0; row < depth; ++row) {
            auto& counter = counters_[place(row, hash)];
            counter += counter == UINT32_MAX ? 0 : 1;
            least = std::min(least, counter);
        }
        return least;
    }
    [[nodiscard]] std::uint32_t estimate(std::uint64_t hash) const {
        std::uint32_t least = UINT32_MAX;
        for (std::size_t row = 0; row < depth; ++row) {
            least = std::min(least, counters_[place(row, hash)]);
        }
        return least;
    }

private:
    [[nodiscard]] std::size_t place(std::size_t row, std::uint64_t hash) const {
        // two hashes make all rows (Kirsch and Mitzenmacher 2006)
        const auto first = static_cast<std::uint32_t>(hash);
        const auto second = static_cast<std::uint32_t>(hash >> 32) | 1U;
        const auto mixed = static_cast<std::uint32_t>(first + row * second);
        return row * (std::size_t{mask_} + 1) + ((mixed ^ (mixed >> 15)) & mask_);
    }

    std::uint32_t mask_;
    std::vector<std::uint32_t> counters_;
};

/// The flows with the highest estimates so far.
class HeavyHitters {
public:
    struct Entry {
        FlowKey flow;
        std::uint32_t packets = 0;
    };

    explicit HeavyHitters(std::size_t most) : most_{most} { entries_.reserve(most); }

    [[nodiscard]] bool interested(std::uint32_t packets) const { return packets >= least_; }
    void offer(const FlowKey& flow, std::uint32_t packets) {
        const auto known = std::ranges::find(entries_, flow, &Entry::flow);
        if (known != entries_.end()) {
            known->packets = std::max(known->packets, packets);
        } else if (entries_.size() < most_) {
            entries_.push_back({flow, packets});
        } else if (auto& smallest = *std::ranges::min_element(entries_, {}, &Entry::packets); packets > smallest.packets) {
            smallest = {flow, packets};
        }
        least_ = entries_.size() < most_ ? 0 : std::ranges::min_element(entries_, {}, &Entry::packets)->packets;
    }
    /// Largest first.
    [[nodiscard]] std::vector<Entry> sorted() const {
        auto all = entries_;
        std::ranges::sort(all, [](const Entry& a, const Entry& b) {
            return a.packets != b.packets ? a.packets > b.packets : a.flow < b.flow;
        });
        return all;
    }

private:
    std::size_t most_;
    std::uint32_t least_ = 0;
    std::vector<Entry> entries_;
};

}  // namespace nfvcert::nf
