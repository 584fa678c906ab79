#pragma once
// Divides a sequence of requests among groups by error diffusion: after n requests no group is off its exact share by
// one request or more (two groups), and every window of the period of the shares is exact.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace nfvcert::functions {

class ShareAccumulator {
public:
    using Shares = std::map<std::string, double>;

    /// Percent (or any other unit) per group, not negative. Errors are forgotten when the shares change.
    void set(const Shares& shares);
    [[nodiscard]] const Shares& shares() const { return shares_; }

    /// The next group among those for which `usable(group)` holds and whose share is above zero; nullopt if none.
    template <typename Predicate>
    std::optional<std::string> next(Predicate usable) {
        std::int64_t total = 0;
        Entry* best = nullptr;
        const std::string* name = nullptr;
        for (auto& [group, entry] : entries_) {
            if (entry.weight == 0 || !usable(group)) {
                continue;
            }
            total += entry.weight;
            entry.error += entry.weight;
            if (best == nullptr || entry.error > best->error) {
                best = &entry;
                name = &group;
            }
        }
        if (best == nullptr) {
            return std::nullopt;
        }
        best->error -= total;
        return *name;
    }

private:
    struct Entry {
        std::int64_t weight = 0;  // thousandths of the unit
        std::int64_t error = 0;   // what the group is owed
    };
    Shares shares_;
    std::map<std::string, Entry> entries_;
};

}  // namespace nfvcert::functions
