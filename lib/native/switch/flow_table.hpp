#pragma once
// The flows that a server's software switch knows, each with the owner that serves it (ETSI GS NFV-REL 002 clause 6.2,
// assumption 4), and the ids whose new flows each owner gets.
//
// Everything that must survive the process lies in memory that the caller provides.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "switch/identity.hpp"

namespace nfvcert::switching {

using Owner = std::uint8_t;
inline constexpr Owner no_owner = 0xff;

/// A direction of a TCP connection has said that it ends; the connection is over.
inline constexpr std::uint8_t half_ended = 1;
inline constexpr std::uint8_t ended = 2;

struct Flow {
    FlowKey key;
    std::uint16_t id = 0;
    Owner owner = no_owner;
    std::uint8_t ends = 0;  // how a TCP connection has ended so far
    std::uint32_t packets = 0;
    std::uint64_t last_seen = 0;  // time stamp counter
};
static_assert(sizeof(Flow) == 32);

/// What outlives the process: `count` flows are valid, dense from the first.
struct alignas(64) FlowStore {
    static constexpr std::uint64_t expected_magic = 0x6e66'7663'666c'6f32;

    std::uint64_t magic = 0;
    std::uint64_t setting = 0;  // under which it was written
    std::uint64_t count = 0;
    Owner by_id[id_count] = {};

    /// The flows lie behind the store.
    [[nodiscard]] Flow* flows() { return reinterpret_cast<Flow*>(this + 1); }
    static std::size_t octets(std::size_t flows) { return sizeof(FlowStore) + flows * sizeof(Flow); }
    void clear(std::uint64_t setting);
};

class FlowTable {
public:
    /// Takes up what the store holds if it was written under the same `setting` (a number that stands for what owners and
    /// ids mean), else clears it. Owners are 0 to `owners` - 1; nothing taken up was seen later than `now`.
    FlowTable(FlowStore& store, std::size_t capacity, std::size_t owners, std::uint64_t setting, std::uint64_t now);

    [[nodiscard]] std::size_t size() const { return store_.count; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

    /// Ask for what find() needs, some packets ahead.
    void prefetch(std::uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
    void prefetch_flow(std::uint64_t hash) const {
        if (const auto place = static_cast<std::uint32_t>(slots_[hash & mask_]); place != 0) {
            __builtin_prefetch(&flows_[place - 1], 1);
        }
    }
    [[nodiscard]] Flow* find(const FlowKey& key, std::uint64_t hash);
    /// nullptr when the table is full. The flow must not be known.
    Flow* insert(const FlowKey& key, std::uint64_t hash, std::uint16_t id, Owner owner, std::uint64_t now);
    void erase(Flow* flow);
    void change_owner(Flow& flow, Owner owner);

    /// What the flags of a segment of `flow` tell: a reset, or the FIN of both directions if both pass here, ends it.
    void follow_tcp(Flow& flow, std::uint8_t flags);

    /// Looks at some flows, so that all are looked at each `period` (counter ticks), and erases those silent for `timeout`,
    /// or those that have ended and are silent for `linger`.
    void expire(std::uint64_t now, std::uint64_t timeout, std::uint64_t linger, std::uint64_t period);

    [[nodiscard]] Owner owner_of_new(std::uint16_t id) const { return store_.by_id[id]; }
    [[nodiscard]] std::span<Owner, id_count> by_id() { return store_.by_id; }

    [[nodiscard]] std::span<const Flow> flows() const { return {flows_, store_.count}; }
    [[nodiscard]] std::span<Flow> flows() { return {flows_, store_.count}; }
    /// Living flows of an owner, for each id.
    [[nodiscard]] std::span<const std::uint32_t> counts(Owner owner) const { return counts_[owner]; }
    [[nodiscard]] std::size_t count(Owner owner) const { return totals_[owner]; }

private:
    using Slot = std::uint64_t;  // upper half: of the hash; lower half: place of the flow + 1, 0 is an empty slot

    static Slot slot_of(std::uint64_t hash, std::size_t place) {
        return (hash & 0xffff'ffff'0000'0000ULL) | static_cast<std::uint32_t>(place + 1);
    }
    void take_up(std::size_t owners, std::uint64_t now);
    void enter(std::uint64_t hash, std::size_t place);
    [[nodiscard]] std::size_t slot_holding(std::uint64_t hash, std::size_t place) const;
    void empty_slot(std::size_t at);
    void account(const Flow& flow, int change);

    FlowStore& store_;
    Flow* flows_;
    std::size_t capacity_;
    std::vector<Slot> slots_;
    std::size_t mask_;
    std::vector<std::vector<std::uint32_t>> counts_;
    std::vector<std::size_t> totals_;
    std::size_t next_look_ = 0;
    std::uint64_t looked_at_ = 0;
};

}  // namespace nfvcert::switching
