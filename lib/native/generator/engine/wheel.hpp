#pragma once
// When something happens to a flow next: a timing wheel with one entry for each flow.

#include <cstdint>
#include <vector>

#include "generator/engine/lazy_array.hpp"

namespace nfvcert::engine {

class Wheel {
public:
    static constexpr unsigned slot_shift = 20;  // a slot is 1.05 ms
    static constexpr std::uint32_t slots = 1U << 16;

    explicit Wheel(std::size_t most_flows) : next_{most_flows, false}, due_ns_{most_flows, false}, heads_(slots, nobody) {}

    void begin(std::uint64_t now_ns) { done_ = now_ns >> slot_shift; }

    /// `flow` has no other entry. A time that is past comes with the next slot.
    void put(std::uint32_t flow, std::uint64_t due_ns) {
        const auto wanted = due_ns >> slot_shift;
        const auto slot = (wanted > done_ ? wanted : done_ + 1) % slots;
        due_ns_[flow] = due_ns;
        next_[flow] = heads_[slot];
        heads_[slot] = flow;
    }

    [[nodiscard]] bool has_slot_due(std::uint64_t now_ns) const { return (now_ns >> slot_shift) > done_ + 1; }

    /// Calls act(flow) for what was due in slots that have passed completely, at most `most_slots` of them.
    template <class Act>
    void advance(std::uint64_t now_ns, unsigned most_slots, Act&& act) {
        for (unsigned i = 0; i < most_slots && has_slot_due(now_ns); ++i) {
            ++done_;
            const auto end_ns = (done_ + 1) << slot_shift;
            auto flow = heads_[done_ % slots];
            heads_[done_ % slots] = nobody;
            while (flow != nobody) {
                const auto following = next_[flow];
                if (due_ns_[flow] < end_ns) {
                    act(flow);
                } else {  // a later turn of the wheel
                    next_[flow] = heads_[done_ % slots];
                    heads_[done_ % slots] = flow;
                }
                flow = following;
            }
        }
    }

private:
    static constexpr std::uint32_t nobody = ~0U;
    LazyArray<std::uint32_t> next_;
    LazyArray<std::uint64_t> due_ns_;
    std::vector<std::uint32_t> heads_;
    std::uint64_t done_ = 0;
};

}  // namespace nfvcert::engine
