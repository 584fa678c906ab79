#include "generator/flows.hpp"

#include <algorithm>
#include <limits>

namespace nfvcert::generator {

namespace {

constexpr double second = 1e9;
constexpr double overlap = 0.7;  // the next flow of a user begins at this share of the life of the one before
constexpr std::size_t roomy = 1'000'000;  // flows; address space only, so that growth never stops the sending
constexpr std::uint64_t for_ever = std::numeric_limits<std::uint64_t>::max();

}  // namespace

FlowModel::FlowModel(const Profile& profile, std::vector<packet::Ipv4Address> servers)
    : profile_(profile), servers_(std::move(servers)), random_(profile.seed) {}

double FlowModel::exponential(double mean) { return std::exponential_distribution<double>(1.0 / mean)(random_); }

void FlowModel::begin(std::uint64_t now) {
    origin_ = now;
    next_end_ = for_ever;
    flows_.reserve(roomy);
    for (std::uint32_t i = 0; i < profile_.long_lived_flows; ++i) {
        planned_.push({now, for_ever, users_++, 20000});
    }
    const double life = profile_.mean_flow_lifetime_s * profile_.flows_per_user;
    next_user_s_ = -12.0 * life;
    advance(now);
}

void FlowModel::plan_user(double start_s, std::uint64_t origin, std::uint64_t now) {
    const auto user = users_;
    auto port = static_cast<std::uint16_t>(20000 + random_() % 20000);
    bool used = false;
    for (unsigned i = 0; i < profile_.flows_per_user; ++i) {
        const double life = exponential(profile_.mean_flow_lifetime_s);
        const double end_s = start_s + life;
        const auto end = end_s <= 0 ? 0 : origin + static_cast<std::uint64_t>(end_s * second);
        if (end > now) {
            const auto start = start_s <= 0 ? origin : origin + static_cast<std::uint64_t>(start_s * second);
            planned_.push({start, end, user, port});
            used = true;
        }
        port = static_cast<std::uint16_t>(port + 1 + random_() % 7);
        start_s += overlap * life;
    }
    users_ += used ? 1 : 0;
}

void FlowModel::advance(std::uint64_t now) {
    const double users_per_second = profile_.users_per_second();
    const double now_s = static_cast<double>(now - origin_) / second;
    while (users_per_second > 0 && next_user_s_ <= now_s) {
        plan_user(next_user_s_, origin_, now);
        next_user_s_ += exponential(1.0 / users_per_second);
    }
    while (!planned_.empty() && planned_.top().start <= now) {
        start_flow(planned_.top());
        planned_.pop();
    }
    if (next_end_ <= now) {
        end_flows(now);
    }
}

void FlowModel::end_flows(std::uint64_t now) {
    std::size_t kept = 0;
    auto turn = turn_;
    next_end_ = for_ever;
    for (std::size_t i = 0; i < living_.size(); ++i) {
        const auto end = flows_[living_[i]].end;
        if (end <= now) {
            turn -= i < turn_ ? 1 : 0;  // nobody who waits loses a turn
            continue;
        }
        living_[kept++] = living_[i];
        next_end_ = std::min(next_end_, end);
    }
    living_.resize(kept);
    turn_ = turn;
}

Flow* FlowModel::next_in_turn() {
    if (living_.empty()) {
        return nullptr;
    }
    turn_ = turn_ < living_.size() ? turn_ : 0;
    return &flows_[living_[turn_++]];
}

void FlowModel::start_flow(const Planned& planned) {
    Flow flow;
    flow.id = static_cast<std::uint32_t>(flows_.size());
    flow.user = planned.user;
    const auto kept = profile_.long_lived_flows;  // the first addresses are never free again
    const auto shared = profile_.user_count - kept;
    const auto place = flow.user < kept ? flow.user : kept + (flow.user - kept) % shared;
    flow.round = flow.user < kept ? 0 : (flow.user - kept) / shared;
    flow.source = {{profile_.user_base.value + place}, planned.port};
    flow.destination = {servers_[packet::mix64(flow.user) % servers_.size()], profile_.dst_port};
    flow.start = planned.start;
    flow.end = planned.end;
    flow.seen.reserve(64);
    next_end_ = std::min(next_end_, flow.end);
    living_.push_back(flow.id);
    flows_.push_back(std::move(flow));
}

}  // namespace nfvcert::generator
