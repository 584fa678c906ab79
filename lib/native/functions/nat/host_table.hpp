#pragma once
// Sessions and half-open connections of each source.

#include <cstdint>

#include "functions/common/record_table.hpp"

namespace nfvcert::nf {

class HostTable {
public:
    struct Host {
        std::uint32_t address = 0;
        std::uint32_t sessions = 0;
        std::uint32_t half_open = 0;
    };

    explicit HostTable(std::size_t most) : records_{most, 1} {}

    /// Counters of a source; zeros when it has no session.
    [[nodiscard]] Host counts(std::uint32_t address) const {
        const auto record = find(address);
        return record == no_record ? Host{address, 0, 0} : records_[record];
    }
    void add_session(std::uint32_t address) {
        auto record = find(address);
        if (record == no_record) {
            // there is room: a host has a session, and there are as many records as sessions
            record = records_.add({address, 0, 0}, {hash_words(address, 0)});
        }
        ++records_[record].sessions;
    }
    void remove_session(std::uint32_t address) {
        const auto record = find(address);
        if (record != no_record && --records_[record].sessions == 0) {
            records_.remove(record, {hash_words(address, 0)});
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
    [[nodiscard]] std::size_t size() const { return records_.size(); }

private:
    [[nodiscard]] std::uint32_t find(std::uint32_t address) const {
        return records_.find(hash_words(address, 0), [&](const Host& host) { return host.address == address; });
    }

    RecordTable<Host> records_;
};

}  // namespace nfvcert::nf
