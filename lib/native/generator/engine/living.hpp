#pragma once
// The flows that are being sent, in the order in which their turns come: one packet of each, then again.

#include <cstdint>

#include "generator/engine/lazy_array.hpp"

namespace nfvcert::engine {

/// What a packet of a flow needs, ready to be written.
struct alignas(32) SendRecord {
    std::uint64_t addresses;    // source and destination, as on the wire
    std::uint32_t ports;        // source and destination, as on the wire
    std::uint32_t flow;
    std::uint32_t sequence;     // of the next packet
    std::uint16_t address_sum;  // addresses alone, folded
    std::uint16_t tuple_sum;    // addresses and ports, folded
    std::uint64_t last_ns;      // when the last packet was sent
};
static_assert(sizeof(SendRecord) == 32);

class Living {
public:
    static constexpr std::uint32_t nowhere = ~0U;

    explicit Living(std::size_t most_flows) : records_{most_flows, true}, places_{most_flows, false} {}

    [[nodiscard]] std::uint32_t size() const { return size_; }
    [[nodiscard]] SendRecord& at(std::uint32_t place) { return records_[place]; }
    [[nodiscard]] const SendRecord& at(std::uint32_t place) const { return records_[place]; }

    void insert(const SendRecord& record) {
        records_[size_] = record;
        places_[record.flow] = size_++;
    }

    /// Takes a flow out; nobody who waits loses a turn and nobody gets two.
    SendRecord remove(std::uint32_t flow) {
        auto hole = places_[flow];
        const auto removed = records_[hole];
        if (hole < turn_) {  // has had its turn: the last of those who had theirs fills the hole
            --turn_;
            move(turn_, hole);
            hole = turn_;
        }
        move(size_ - 1, hole);
        --size_;
        places_[flow] = nowhere;
        if (turn_ >= size_) {
            turn_ = 0;
        }
        return removed;
    }
    [[nodiscard]] bool sending(std::uint32_t flow) const { return places_[flow] != nowhere; }
    [[nodiscard]] const SendRecord& of(std::uint32_t flow) const { return records_[places_[flow]]; }
    [[nodiscard]] std::uint32_t turn() const { return turn_; }

    /// `turns` packets have been sent.
    void advance(std::uint32_t turns) { turn_ = turn_ + turns < size_ ? turn_ + turns : (turn_ + turns) % size_; }

private:
    void move(std::uint32_t from, std::uint32_t to) {
        if (from != to) {
            records_[to] = records_[from];
            places_[records_[to].flow] = to;
        }
    }

    LazyArray<SendRecord> records_;
    LazyArray<std::uint32_t> places_;
    std::uint32_t size_ = 0;
    std::uint32_t turn_ = 0;
};

}  // namespace nfvcert::engine
