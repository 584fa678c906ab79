#pragma once
// Packets and octets from and to each network of one prefix length.

#include <cstdint>
#include <vector>

#include "functions/common/flat_index.hpp"

namespace nfvcert::nf {

struct Volume {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    void add(std::uint64_t more_bytes) {
        ++packets;
        bytes += more_bytes;
    }
    void add(const Volume& other) {
        packets += other.packets;
        bytes += other.bytes;
    }
};

class PrefixCounters {
public:
    struct Record {
        std::uint32_t network = 0;
        Volume from;
        Volume to;
    };

    /// `bits`: 1..32. Networks beyond `most` are counted together as record 0.
    PrefixCounters(unsigned bits, std::size_t most) : shift_{32 - bits}, most_{most}, index_{most} {
        records_.reserve(most + 1);
        records_.push_back({});
    }

    /// Number of the record for the network of `address`; 0 when there is no room for it.
    std::uint32_t record_of(std::uint32_t address) {
        const auto network = address >> shift_ << shift_;
        const auto hash = hash_words(network, shift_);
        auto number = index_.find(hash, [&](std::uint32_t one) { return records_[one].network == network; });
        if (number == no_record) {
            if (records_.size() > most_) {
                return 0;
            }
            number = static_cast<std::uint32_t>(records_.size());
            records_.push_back({network, {}, {}});
            index_.insert(hash, number);
        }
        return number;
    }
    Record& operator[](std::uint32_t number) { return records_[number]; }
    /// Record 0: what found no room.
    [[nodiscard]] const std::vector<Record>& records() const { return records_; }
    [[nodiscard]] unsigned bits() const { return 32 - shift_; }

private:
    unsigned shift_;
    std::size_t most_;
    FlatIndex index_;
    std::vector<Record> records_;
};

}  // namespace nfvcert::nf
