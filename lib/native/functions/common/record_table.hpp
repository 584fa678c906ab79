#pragma once
// Records in numbered slots, each found by the hash of any of its keys. Nothing is allocated after construction.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "functions/common/flat_index.hpp"

namespace nfvcert::nf {

template <class Record>
class RecordTable {
public:
    /// Room for `most` records of `keys` keys each.
    RecordTable(std::size_t most, std::size_t keys) : index_{most * keys}, records_(most), free_(most) {
        for (std::size_t i = 0; i < most; ++i) {
            free_[i] = static_cast<std::uint32_t>(most - 1 - i);
        }
    }

    void prefetch(std::uint64_t hash) const { index_.prefetch(hash); }
    /// To be called once what prefetch() asked for may have come.
    void prefetch_record(std::uint64_t hash) const {
        if (const auto number = index_.candidate(hash); number != no_record) {
            __builtin_prefetch(&records_[number], 1);
        }
    }
    /// Number of the record with this hash for which `fits(record)` holds, or no_record.
    template <class Fits>
    [[nodiscard]] std::uint32_t find(std::uint64_t hash, Fits&& fits) const {
        return index_.find(hash, [&](std::uint32_t number) { return fits(records_[number]); });
    }

    [[nodiscard]] bool full() const { return free_.empty(); }
    /// The caller has made sure that there is room and that none of the keys is present.
    std::uint32_t add(const Record& record, std::initializer_list<std::uint64_t> hashes) {
        const auto number = free_.back();
        free_.pop_back();
        records_[number] = record;
        for (const auto hash : hashes) {
            index_.insert(hash, number);
        }
        return number;
    }
    /// Frees the slot; `hashes`: those that the record was added with. Its content stays until the slot is used again.
    void remove(std::uint32_t number, std::initializer_list<std::uint64_t> hashes) {
        for (const auto hash : hashes) {
            index_.erase(hash, number);
        }
        free_.push_back(number);
    }

    Record& operator[](std::uint32_t number) { return records_[number]; }
    const Record& operator[](std::uint32_t number) const { return records_[number]; }
    /// `record` is one of this table's.
    [[nodiscard]] std::uint32_t number_of(const Record& record) const {
        return static_cast<std::uint32_t>(&record - records_.data());
    }
    [[nodiscard]] std::size_t capacity() const { return records_.size(); }
    [[nodiscard]] std::size_t size() const { return records_.size() - free_.size(); }

private:
    FlatIndex index_;
    std::vector<Record> records_;
    std::vector<std::uint32_t> free_;
};

}  // namespace nfvcert::nf
