#include "functions/share_accumulator.hpp"

#include <cmath>

namespace nfvcert::functions {

void ShareAccumulator::set(const Shares& shares) {
    if (shares == shares_) {
        return;
    }
    shares_ = shares;
    entries_.clear();
    for (const auto& [group, share] : shares) {
        entries_[group] = {std::llround(share * 1000.0), 0};
    }
}

}  // namespace nfvcert::functions
