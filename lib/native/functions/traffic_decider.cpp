#include "functions/traffic_decider.hpp"

#include <algorithm>

#include "packet/transport.hpp"

namespace nfvcert::functions {

FlowIdentity flow_identity(packet::ConstBytes packet, const packet::Ipv4Header& header) {
    FlowIdentity flow{header.source, header.destination, header.protocol, 0, 0};
    if (header.carries(packet::Protocol::icmp) || header.fragment_offset != 0) {
        return flow;
    }
    if (const auto ports = packet::parse_quoted_ports(packet.subspan(header.header_length))) {
        flow.source_port = ports->source;
        flow.destination_port = ports->destination;
    }
    return flow;
}

AffinityKey TrafficDecider::affinity_key(const FlowIdentity& flow) const { return {0, flow.source.value}; }

TrafficDecider::Worker* TrafficDecider::worker_of_known_user(Worker* current, const FlowIdentity& /*flow*/) {
    return current;
}

bool TrafficDecider::admits(const FlowIdentity& /*flow*/, std::uint64_t /*now_ns*/) { return true; }

void TrafficDecider::on_workers_removed(std::uint64_t /*now_ns*/) {}

TrafficDecider::Worker* TrafficDecider::find(const std::string& id) {
    const auto found = std::ranges::find_if(workers_, [&](const Worker& worker) { return worker.member.id == id; });
    return found == workers_.end() ? nullptr : &*found;
}

std::vector<TrafficDecider::Worker*> TrafficDecider::present_workers() {
    std::vector<Worker*> present;
    for (auto& worker : workers_) {
        if (worker.present) {
            present.push_back(&worker);
        }
    }
    return present;
}

void TrafficDecider::set_pool(const std::vector<PoolMember>& pool, std::uint64_t now_ns) {
    bool removed = false;
    for (auto& worker : workers_) {
        const bool stays = std::ranges::any_of(pool, [&](const auto& member) { return member.id == worker.member.id; });
        removed = removed || (worker.present && !stays);
        if (!stays) {
            worker.present = false;
            worker.held = false;
            worker.vacated = false;
            worker.held_packets.reset();
        }
    }
    for (const auto& member : pool) {
        if (auto* const known = find(member.id)) {
            known->member = member;
            known->present = true;
        } else {
            workers_.emplace_back().member = member;
        }
    }
    if (removed) {
        on_workers_removed(now_ns);
    }
    drop_unused_workers();
}

void TrafficDecider::drop_unused_workers() {
    workers_.remove_if([](const Worker& worker) { return !worker.present && worker.users == 0; });
}

/// The worker in service with the fewest users, of one group or of all; one that is not held if possible.
TrafficDecider::Worker* TrafficDecider::least_loaded(const std::string* group) {
    Worker* best = nullptr;
    for (auto* const worker : present_workers()) {
        if (worker->vacated || (group != nullptr && worker->member.group != *group)) {
            continue;
        }
        const bool better = best == nullptr || (best->held && !worker->held) ||
                            (best->held == worker->held && worker->users < best->users);
        best = better ? worker : best;
    }
    return best;
}

TrafficDecider::Worker* TrafficDecider::choose_worker(const FlowIdentity& /*flow*/) {
    const auto serves = [this](const std::string& group) { return least_loaded(&group) != nullptr; };
    if (const auto group = shares_.next(serves)) {
        return least_loaded(&*group);
    }
    // No group has both a share and a worker in service: any worker is better than losing the request.
    if (auto* const worker = least_loaded(nullptr)) {
        return worker;
    }
    const auto present = present_workers();
    return present.empty() ? nullptr : present.front();
}

void TrafficDecider::assign(User& user, Worker& worker) {
    if (user.worker != nullptr) {
        --user.worker->users;
    }
    user.worker = &worker;
    ++worker.users;
}

/// Gives a user without a worker in the pool one; false when there is none.
bool TrafficDecider::seat(User& user, const FlowIdentity& flow) {
    if (user.worker != nullptr && user.worker->present) {
        if (auto* const worker = worker_of_known_user(user.worker, flow); worker != user.worker) {
            assign(user, *worker);
        }
        return true;
    }
    auto* const worker = choose_worker(flow);
    if (worker == nullptr) {
        return false;
    }
    assign(user, *worker);
    ++worker->new_users;
    return true;
}

bool TrafficDecider::is_idle(const User& user, std::uint64_t now_ns) const {
    const bool waits = user.waiting_in && !user.waiting_in->drained;
    return !waits && now_ns > user.last_seen_ns && now_ns - user.last_seen_ns > limits_.user_idle_ns;
}

void TrafficDecider::forget(Users::iterator user) {
    if (user->second.worker != nullptr) {
        --user->second.worker->users;
    }
    users_.erase(user);
}

void TrafficDecider::forget_users() {
    for (auto next = users_.begin(); next != users_.end();) {
        const auto current = next++;
        if (!current->second.waiting_in || current->second.waiting_in->drained) {
            forget(current);
        }
    }
}

void TrafficDecider::expire(std::uint64_t now_ns) {
    for (auto next = users_.begin(); next != users_.end();) {
        const auto current = next++;
        if (is_idle(current->second, now_ns)) {
            forget(current);
        }
    }
    drop_unused_workers();
}

void TrafficDecider::touch(packet::Ipv4Address address, std::uint64_t now_ns) {
    const auto user = users_.find({0, address.value});
    if (user != users_.end() && !is_idle(user->second, now_ns)) {
        user->second.last_seen_ns = now_ns;
    }
}

TrafficDecider::Decision TrafficDecider::handle(const FlowIdentity& flow, packet::ConstBytes frame, std::uint64_t now_ns) {
    if (!admits(flow, now_ns)) {
        return {};
    }
    const auto key = affinity_key(flow);
    auto found = users_.find(key);
    if (found != users_.end() && is_idle(found->second, now_ns)) {
        forget(found);
        found = users_.end();
    }
    if (found == users_.end()) {
        found = users_.try_emplace(key).first;
    }
    auto& user = found->second;
    user.last_seen_ns = now_ns;
    if (user.waiting_in && !user.waiting_in->drained) {
        return queue(*user.waiting_in, key, flow, frame);
    }
    user.waiting_in.reset();
    if (!seat(user, flow)) {
        forget(found);
        ++no_worker_drops_;
        return {};
    }
    auto& worker = *user.worker;
    if (worker.held) {
        if (!worker.held_packets) {
            worker.held_packets = std::make_shared<HeldPackets>();
            held_.push_back(worker.held_packets);
        }
        user.waiting_in = worker.held_packets;
        return queue(*user.waiting_in, key, flow, frame);
    }
    ++worker.packets;
    return {Action::forward, worker.member.mac};
}

TrafficDecider::Decision TrafficDecider::queue(HeldPackets& held, const AffinityKey& key, const FlowIdentity& flow,
                                               packet::ConstBytes frame) {
    if (held.items.size() >= limits_.held_packets || held.octets + frame.size() > limits_.held_octets) {
        ++hold_drops_;
        return {};
    }
    held.items.push_back({key, flow, {frame.begin(), frame.end()}});
    held.octets += frame.size();
    return {Action::queued, {}};
}

}  // namespace nfvcert::functions
