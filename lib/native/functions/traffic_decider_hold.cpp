// Holding the packets of a worker's users, moving the users, and letting the packets go in order.

#include <algorithm>

#include "functions/traffic_decider.hpp"

namespace nfvcert::functions {

namespace {

void put_into_service(TrafficDecider::Worker& worker) {
    worker.held = false;
    worker.vacated = false;
    worker.held_packets.reset();
}

}  // namespace

bool TrafficDecider::hold(const std::string& id) {
    auto* const worker = find(id);
    if (worker == nullptr || !worker->present) {
        return false;
    }
    worker->held = true;
    return true;
}

bool TrafficDecider::unhold(const std::string& id) {
    auto* const worker = find(id);
    if (worker == nullptr || !worker->present) {
        return false;
    }
    put_into_service(*worker);
    return true;
}

std::optional<std::size_t> TrafficDecider::move(const std::string& from, const std::string& to) {
    auto* const source = find(from);
    auto* const target = find(to);
    if (source == nullptr || target == nullptr || !target->present) {
        return std::nullopt;
    }
    std::size_t moved = 0;
    put_into_service(*source);
    put_into_service(*target);
    if (source == target) {
        return moved;
    }
    source->vacated = true;
    for (auto& [key, user] : users_) {
        if (user.worker == source) {
            assign(user, *target);
            ++moved;
        }
    }
    return moved;
}

/// The packets of a queue may go when the user at its head is no longer on a held worker.
std::size_t TrafficDecider::release(std::size_t limit, std::uint64_t now_ns, const Sink& sink) {
    std::size_t released = 0;
    for (auto next = held_.begin(); next != held_.end();) {
        auto& held = **next;
        while (!held.items.empty() && released < limit) {
            auto& item = held.items.front();
            const auto user = users_.find(item.user);
            const bool seated = user != users_.end() && seat(user->second, item.flow);
            if (seated && user->second.worker->held) {
                break;
            }
            if (seated) {
                user->second.last_seen_ns = now_ns;
                ++user->second.worker->packets;
                sink(item.frame, user->second.worker->member.mac);
            } else {
                ++no_worker_drops_;
            }
            held.octets -= item.frame.size();
            held.items.pop_front();
            ++released;
        }
        const bool in_use = std::ranges::any_of(
            workers_, [&](const Worker& worker) { return worker.held_packets == *next; });
        if (held.items.empty() && !in_use) {
            held.drained = true;
            next = held_.erase(next);
        } else {
            ++next;
        }
    }
    return released;
}

bool TrafficDecider::releasable() const {
    return std::ranges::any_of(held_, [&](const auto& held) {
        if (held->items.empty()) {
            return false;
        }
        const auto user = users_.find(held->items.front().user);
        return user == users_.end() || !user->second.worker->held;
    });
}

std::size_t TrafficDecider::waiting() const {
    std::size_t count = 0;
    for (const auto& held : held_) {
        count += held->items.size();
    }
    return count;
}

}  // namespace nfvcert::functions
