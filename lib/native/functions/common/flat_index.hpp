#pragma once
// Open-addressing index from hash to record number: linear probing, at most half full, nothing allocated after construction.
// The records are elsewhere; the caller compares their keys.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nfvcert::nf {

inline constexpr std::uint32_t no_record = 0xffffffff;

/// Multiplies wide and folds: one step of a fast hash over 64-bit words.
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const auto product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline std::uint64_t hash_words(std::uint64_t a, std::uint64_t b) {
    return fold(a ^ 0x9e3779b97f4a7c15ULL, b ^ 0xd1b54a32d192ed03ULL ^ std::rotl(a, 31));
}

class FlatIndex {
public:
    /// Room for `most` entries.
    explicit FlatIndex(std::size_t most)
        : entries_(std::bit_ceil(std::max<std::size_t>(most, 8) * 2)), mask_{entries_.size() - 1} {}

    void prefetch(std::uint64_t hash) const { __builtin_prefetch(&entries_[place(hash)]); }

    /// The record that is probably meant, to be fetched ahead; or no_record.
    [[nodiscard]] std::uint32_t candidate(std::uint64_t hash) const {
        const auto& entry = entries_[place(hash)];
        return entry.tag == tag(hash) ? entry.record : no_record;
    }

    /// Record with this hash for which `equal(record)` holds, or no_record.
    template <class Equal>
    [[nodiscard]] std::uint32_t find(std::uint64_t hash, Equal&& equal) const {
        const auto wanted = tag(hash);
        for (auto i = place(hash); entries_[i].tag != 0; i = (i + 1) & mask_) {
            if (entries_[i].tag == wanted && equal(entries_[i].record)) {
                return entries_[i].record;
            }
        }
        return no_record;
    }

    /// The caller knows that there is room and that the key is not present.
    void insert(std::uint64_t hash, std::uint32_t record) {
        auto i = place(hash);
        while (entries_[i].tag != 0) {
            i = (i + 1) & mask_;
        }
        entries_[i] = {tag(hash), record};
        ++size_;
    }

    /// Removes the entry of `record`; nothing happens when there is none.
    void erase(std::uint64_t hash, std::uint32_t record) {
        auto i = place(hash);
        while (entries_[i].tag != 0 && !(entries_[i].tag == tag(hash) && entries_[i].record == record)) {
            i = (i + 1) & mask_;
        }
        if (entries_[i].tag == 0) {
            return;
        }
        close_gap(i);
        --size_;
    }

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    struct Entry {
        std::uint32_t tag = 0;  // 0: empty; otherwise the lower half of the hash
        std::uint32_t record = no_record;
    };

    [[nodiscard]] static std::uint32_t tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash) | 1U; }
    [[nodiscard]] std::size_t place(std::uint64_t hash) const { return home(tag(hash)); }
    [[nodiscard]] std::size_t home(std::uint32_t tag) const {
        return static_cast<std::size_t>((tag * 0x9e3779b97f4a7c15ULL) >> 24) & mask_;
    }

    /// Moves later entries of the probe sequence back, so that no tombstones are needed.
    void close_gap(std::size_t gap) {
        for (auto i = (gap + 1) & mask_; entries_[i].tag != 0; i = (i + 1) & mask_) {
            const auto distance_home = (i - home(entries_[i].tag)) & mask_;
            const auto distance_gap = (i - gap) & mask_;
            if (distance_home >= distance_gap) {
                entries_[gap] = entries_[i];
                gap = i;
            }
        }
        entries_[gap] = Entry{};
    }

    std::vector<Entry> entries_;
    std::size_t mask_;
    std::size_t size_ = 0;
};

}  // namespace nfvcert::nf
