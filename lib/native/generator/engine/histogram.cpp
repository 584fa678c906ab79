#include "generator/engine/histogram.hpp"

#include <bit>
#include <cmath>

namespace nfvcert::engine {

std::uint64_t Histogram::lowest_of(std::size_t cell) {
    constexpr std::size_t half = std::size_t{1} << significant_bits;
    if (cell < 2 * half) {
        return cell;
    }
    const auto shift = cell / half - 1;
    return static_cast<std::uint64_t>(half + cell % half) << shift;
}

std::uint64_t Histogram::highest_of(std::size_t cell) { return lowest_of(cell + 1) - 1; }

void Histogram::merge(const Histogram& other) {
    for (std::size_t cell = 0; cell < cells; ++cell) {
        counts_[cell] += other.counts_[cell];
    }
}

std::uint64_t Histogram::count() const {
    std::uint64_t sum = 0;
    for (const auto count : counts_) {
        sum += count;
    }
    return sum;
}

std::uint64_t Histogram::least() const {
    const auto* found = std::find_if(counts_.begin(), counts_.end(), [](auto count) { return count != 0; });
    return found == counts_.end() ? 0 : lowest_of(static_cast<std::size_t>(found - counts_.begin()));
}

std::uint64_t Histogram::greatest() const {
    const auto found = std::find_if(counts_.rbegin(), counts_.rend(), [](auto count) { return count != 0; });
    return found == counts_.rend() ? 0 : highest_of(static_cast<std::size_t>(counts_.rend() - found) - 1);
}

double Histogram::mean() const {
    double weighted = 0;
    double sum = 0;
    for (std::size_t cell = 0; cell < cells; ++cell) {
        if (counts_[cell] != 0) {
            const auto middle = (static_cast<double>(lowest_of(cell)) + static_cast<double>(highest_of(cell))) / 2;
            weighted += middle * static_cast<double>(counts_[cell]);
            sum += static_cast<double>(counts_[cell]);
        }
    }
    return sum == 0 ? 0 : weighted / sum;
}

std::vector<std::uint64_t> Histogram::percentiles(const std::vector<double>& shares) const {
    std::vector<std::uint64_t> values;
    const auto total = count();
    std::size_t cell = 0;
    std::uint64_t seen = counts_[0];
    for (const auto share : shares) {
        const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total)));
        const auto wanted = std::clamp<std::uint64_t>(rank, 1, std::max<std::uint64_t>(total, 1));
        while (seen < wanted && cell + 1 < cells) {
            seen += counts_[++cell];
        }
        values.push_back(total == 0 ? 0 : highest_of(cell));
    }
    return values;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Histogram::used() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    for (std::size_t cell = 0; cell < cells; ++cell) {
        if (counts_[cell] != 0) {
            found.emplace_back(lowest_of(cell), counts_[cell]);
        }
    }
    return found;
}

}  // namespace nfvcert::engine
