#pragma once
// Sessions and half-open connections of each source.

#include <cstdint>
#include <vector>

#include "functions/common/flat_index.hpp"

namespace nfvcert::nf {

class HostTable {
public:
    struct Host {
        std::uint32_t address = 0;
        std::uint32_t sessions = 0;
        std::uint32_t half_open = 0;
    };

    explicit HostTable(std::size_t most) : index_{most}, records_(most), free_(most) {
        for (std::size_t i = 0; i < most; ++i) {
            free_[i] = static_cast<std::uint32_t>(most - 1 - i);
        }
    }

    /// Counters of a source; zeros when it has no session.
    [[nodiscard]] Host counts(std::uint32_t address) const {
        const auto record = find(address);
        return record == no_record ? Host{address, 0, 0} : records_[record];
    }
    void add_session(std::uint32_t address) {
        auto record = find(address);
        if (record == no_record) {
            record = free_.back();  // a host has a session, and there are as many records as sessions
            free_.pop_back();
            records_[record] = {address, 0, 0};
            index_.insert(hash_words(address, 0), record);
        }
        ++records_[record].sessions;
    }
    void remove_session(std::uint32_t address) {
        const auto record = find(address);
        if (record != no_record && --records_[record].sessions == 0) {
            index_.erase(hash_words(address, 0), record);
            free_.push_back(record);
        }
    }
    void add_half_open(std::uint32_t address) {
        if (const auto record = find(address); record != no_record) {
            ++records_[record].half_open;
        }
    }
    void remove_half_open(std::uint32_t address) {
        if (const auto record = find(address); record != no_record) {
            --records_[record].half_open;
        }
    }
    [[nodiscard]] std::size_t size() const { return records_.size() - free_.size(); }

private:
    [[nodiscard]] std::uint32_t find(std::uint32_t address) const {
        return index_.find(hash_words(address, 0), [&](std::uint32_t record) { return records_[record].address == address; });
    }

    FlatIndex index_;
    std::vector<Host> records_;
    std::vector<std::uint32_t> free_;
};

}  // namespace nfvcert::nf
