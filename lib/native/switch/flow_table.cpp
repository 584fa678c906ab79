#include "switch/flow_table.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace nfvcert::switching {

void FlowStore::clear(std::uint64_t setting_) {
    magic = 0;  // no store while it is neither the old nor the new one
    count = 0;
    setting = setting_;
    std::fill(std::begin(by_id), std::end(by_id), no_owner);
    __atomic_signal_fence(__ATOMIC_RELEASE);
    magic = expected_magic;
}

FlowTable::FlowTable(FlowStore& store, std::size_t capacity, std::size_t owners, std::uint64_t setting, std::uint64_t now)
    : store_{store},
      flows_{store.flows()},
      capacity_{capacity},
      slots_(std::bit_ceil(std::max<std::size_t>(capacity * 2, 64))),
      mask_{slots_.size() - 1},
      counts_(owners, std::vector<std::uint32_t>(id_count)),
      totals_(owners) {
    if (store_.magic != FlowStore::expected_magic || store_.setting != setting || store_.count > capacity) {
        store_.clear(setting);
    }
    take_up(owners, now);
}

void FlowTable::take_up(std::size_t owners, std::uint64_t now) {
    for (std::size_t place = 0; place < store_.count;) {
        auto& flow = flows_[place];
        const auto hash = hash_of(flow.key);
        auto* twin = flow.owner < owners ? find(flow.key, hash) : nullptr;
        if (twin == nullptr && flow.owner < owners) {
            flow.last_seen = std::min(flow.last_seen, now);  // the counter of a machine that was off begins anew
            enter(hash, place);
            account(flow, 1);
            ++place;
            continue;
        }
        if (twin != nullptr) {  // killed while the last flow was moving to a free place: the last one is whole
            account(*twin, -1);
            *twin = flow;
            account(*twin, 1);
        }
        flow = flows_[--store_.count];
    }
}

Flow* FlowTable::find(const FlowKey& key, std::uint64_t hash) {
    for (auto at = hash & mask_; slots_[at] != 0; at = (at + 1) & mask_) {
        if (((slots_[at] ^ hash) >> 32U) == 0) {
            auto& flow = flows_[static_cast<std::uint32_t>(slots_[at]) - 1];
            if (flow.key == key) {
                return &flow;
            }
        }
    }
    return nullptr;
}

Flow* FlowTable::insert(const FlowKey& key, std::uint64_t hash, std::uint16_t id, Owner owner, std::uint64_t now) {
    if (store_.count == capacity_) {
        return nullptr;
    }
    const auto place = store_.count;
    auto& flow = flows_[place];
    flow = {.key = key, .id = id, .owner = owner, .packets = 0, .last_seen = now};
    __atomic_signal_fence(__ATOMIC_RELEASE);  // whole before it counts
    store_.count = place + 1;
    enter(hash, place);
    account(flow, 1);
    return &flow;
}

void FlowTable::erase(Flow* flow) {
    const auto place = static_cast<std::size_t>(flow - flows_);
    const auto last = store_.count - 1;
    account(*flow, -1);
    empty_slot(slot_holding(hash_of(flow->key), place));
    if (place != last) {
        const auto hash = hash_of(flows_[last].key);
        slots_[slot_holding(hash, last)] = slot_of(hash, place);
        *flow = flows_[last];
    }
    __atomic_signal_fence(__ATOMIC_RELEASE);
    store_.count = last;
}

void FlowTable::change_owner(Flow& flow, Owner owner) {
    account(flow, -1);
    flow.owner = owner;
    account(flow, 1);
}

void FlowTable::follow_tcp(Flow& flow, std::uint8_t flags) {
    if ((flags & tcp_rst) != 0) {
        flow.ends = ended;
    } else if ((flags & (tcp_syn | tcp_ack)) == tcp_syn) {
        flow.ends = 0;  // another connection of the same ports
    } else if ((flags & tcp_fin) != 0 && flow.ends == 0) {
        flow.ends = half_ended;
        const auto& [source, destination, source_port, destination_port, protocol] = flow.key;
        const FlowKey back{destination, source, destination_port, source_port, protocol};
        if (auto* other = find(back, hash_of(back)); other != nullptr && other->ends != 0) {
            flow.ends = ended;
            other->ends = ended;
        }
    }
}

void FlowTable::expire(std::uint64_t now, std::uint64_t timeout, std::uint64_t linger, std::uint64_t period) {
    if (looked_at_ == 0) {
        looked_at_ = now;
    }
    const auto due = static_cast<std::size_t>(static_cast<double>(store_.count) * static_cast<double>(now - looked_at_) /
                                              static_cast<double>(period));
    if (due == 0) {
        return;
    }
    looked_at_ = now;
    for (auto left = std::min(due, store_.count); left > 0 && store_.count > 0; --left) {
        if (next_look_ >= store_.count) {
            next_look_ = 0;
        }
        auto& flow = flows_[next_look_];
        if (now > flow.last_seen && now - flow.last_seen > (flow.ends == ended ? linger : timeout)) {
            erase(&flow);  // another one has taken its place
        } else {
            ++next_look_;
        }
    }
}

void FlowTable::enter(std::uint64_t hash, std::size_t place) {
    auto at = hash & mask_;
    while (slots_[at] != 0) {
        at = (at + 1) & mask_;
    }
    slots_[at] = slot_of(hash, place);
}

std::size_t FlowTable::slot_holding(std::uint64_t hash, std::size_t place) const {
    const auto wanted = slot_of(hash, place);
    auto at = hash & mask_;
    while (slots_[at] != wanted) {
        at = (at + 1) & mask_;
    }
    return at;
}

void FlowTable::empty_slot(std::size_t at) {
    // what stands behind moves up, unless it stands at its own place already
    for (auto next = (at + 1) & mask_; slots_[next] != 0; next = (next + 1) & mask_) {
        const auto home = hash_of(flows_[static_cast<std::uint32_t>(slots_[next]) - 1].key) & mask_;
        if (((next - home) & mask_) >= ((next - at) & mask_)) {
            slots_[at] = slots_[next];
            at = next;
        }
    }
    slots_[at] = 0;
}

void FlowTable::account(const Flow& flow, int change) {
    counts_[flow.owner][flow.id] += static_cast<std::uint32_t>(change);
    totals_[flow.owner] += static_cast<std::size_t>(change);
}

}  // namespace nfvcert::switching
