#include "functions/neighbour_table.hpp"

#include <iterator>

namespace nfvcert::functions {

void NeighbourTable::ask(Entry& entry, std::uint64_t now_ns) {
    if (entry.attempts++ == 0) {
        ++questions_;
    }
    entry.asked_ns = now_ns;
}

NeighbourTable::Answer NeighbourTable::resolve(Ipv4Address address, std::uint64_t now_ns) {
    auto& entry = entries_[address];
    const bool stale = !entry.mac || now_ns - entry.confirmed_ns > config_.reachable_ns;
    if (!stale || entry.attempts != 0) {
        return {entry.mac, false};
    }
    ask(entry, now_ns);
    return {entry.mac, true};
}

bool NeighbourTable::wait(Ipv4Address address, Packet packet) {
    auto& pending = entries_[address].pending;
    if (pending.size() >= config_.pending_limit) {
        ++unresolved_drops_;
        return false;
    }
    pending.push_back(std::move(packet));
    return true;
}

std::vector<NeighbourTable::Packet> NeighbourTable::learn(Ipv4Address address, const MacAddress& mac,
                                                          bool addressed_to_us, std::uint64_t now_ns) {
    const auto found = entries_.find(address);
    if (found == entries_.end() && !addressed_to_us) {
        return {};
    }
    auto& entry = found == entries_.end() ? entries_[address] : found->second;
    entry.mac = mac;
    entry.confirmed_ns = now_ns;
    if (entry.attempts != 0) {
        entry.attempts = 0;
        --questions_;
    }
    std::vector<Packet> released{std::make_move_iterator(entry.pending.begin()),
                                 std::make_move_iterator(entry.pending.end())};
    entry.pending.clear();
    return released;
}

std::vector<Ipv4Address> NeighbourTable::due(std::uint64_t now_ns) {
    std::vector<Ipv4Address> addresses;
    if (questions_ == 0) {
        return addresses;
    }
    for (auto next = entries_.begin(); next != entries_.end();) {
        const auto current = next++;
        auto& entry = current->second;
        if (entry.attempts == 0 || now_ns - entry.asked_ns < config_.retry_ns) {
            continue;
        }
        if (entry.attempts < config_.attempts) {
            ask(entry, now_ns);
            addresses.push_back(current->first);
        } else {
            unresolved_drops_ += entry.pending.size();
            --questions_;
            entries_.erase(current);
        }
    }
    return addresses;
}

}  // namespace nfvcert::functions
