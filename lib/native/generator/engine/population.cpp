#include "generator/engine/population.hpp"

#include <algorithm>

#include "generator/engine/frame.hpp"

namespace nfvcert::engine {
namespace {

constexpr unsigned most_births_at_once = 64;
constexpr unsigned most_slots_at_once = 16;
constexpr double second_ns = 1e9;

}  // namespace

Population::Population(const FlowPlan& plan)
    : plan_{plan},
      random_{plan.seed},
      tuples_{plan.addresses, plan.seed},
      sending_{plan.most_flows},
      wheel_{plan.most_flows},
      records_{plan.most_flows, false},
      silent_{plan.most_flows, false},
      new_per_second_{plan.new_per_second},
      extra_{plan.extra} {
    wheel_.begin(0);
    for (std::uint32_t i = 0; i < plan.concurrent; ++i) {
        const auto ends = plan.lifetime && i < plan.concurrent - plan.endless;
        const auto left = ends ? static_cast<std::uint64_t>(plan.lifetime->residual(random_) * second_ns) : never;
        create(0, left, i < plan.pauses.flows);
    }
    draw_next_birth(0);
}

std::uint64_t Population::lifetime_ns() {
    return plan_.lifetime ? static_cast<std::uint64_t>(plan_.lifetime->whole(random_) * second_ns) : never;
}

double Population::rate_at(std::uint64_t now_ns) const {
    auto rate = new_per_second_;
    for (const auto& extra : extra_) {
        rate += now_ns >= extra.begin_ns && now_ns - extra.begin_ns < extra.duration_ns ? extra.per_second : 0;
    }
    return rate;
}

std::uint64_t Population::next_change_after(std::uint64_t now_ns) const {
    auto next = never;
    for (const auto& extra : extra_) {
        for (const auto at : {extra.begin_ns, extra.begin_ns + extra.duration_ns}) {
            next = at > now_ns ? std::min(next, at) : next;
        }
    }
    return next;
}

void Population::draw_next_birth(std::uint64_t now_ns) {
    const auto rate = rate_at(now_ns);
    rate_changes_ns_ = next_change_after(now_ns);
    next_birth_ns_ = rate == 0 ? never : now_ns + static_cast<std::uint64_t>(random_.exponential(second_ns / rate));
}

void Population::set_new_per_second(double per_second, std::uint64_t now_ns) {
    new_per_second_ = per_second;
    draw_next_birth(now_ns);
    next_ns_ = now_ns;
}

void Population::add_arrivals(const ExtraArrivals& extra) {
    extra_.push_back(extra);
    draw_next_birth(extra.begin_ns);
    next_ns_ = extra.begin_ns;
}

void Population::create(std::uint64_t born_ns, std::uint64_t ends_ns, bool pauses) {
    if (born_ == plan_.most_flows) {
        ++refused_;
        return;
    }
    const auto flow = born_++;
    auto& record = records_[flow];
    record.tuple = tuples_.of(flow);
    record.born_ns = born_ns;
    record.ends_ns = ends_ns;
    if (pauses) {
        record.silence_ms = plan_.pauses.silences_ms[pausing_drawn_++ % plan_.pauses.silences_ms.size()];
    }
    sending_.insert(send_record(flow, record.tuple));
    schedule(flow, born_ns);
}

void Population::schedule(std::uint32_t flow, std::uint64_t now_ns) {
    const auto& record = records_[flow];
    auto due = record.ends_ns;
    if (record.silence_ms != 0) {
        const auto state_lasts = sending_.sending(flow) ? random_.exponential(plan_.pauses.mean_active_ms * 1e6)
                                                        : static_cast<double>(record.silence_ms) * 1e6;
        due = std::min(due, now_ns + static_cast<std::uint64_t>(state_lasts));
    }
    if (due != never) {
        wheel_.put(flow, due);
    }
}

void Population::happen(std::uint32_t flow, std::uint64_t now_ns) {
    auto& record = records_[flow];
    const auto was_sending = sending_.sending(flow);
    if (record.ends_ns <= now_ns) {
        const auto last = was_sending ? sending_.remove(flow) : silent_[flow];
        record.sent = last.sequence;
        record.last_tx_ns = last.last_ns;
        record.ended_ns = now_ns;
        ++ended_;
        return;
    }
    if (was_sending) {
        silent_[flow] = sending_.remove(flow);
    } else {
        sending_.insert(silent_[flow]);
    }
    schedule(flow, now_ns);
}

void Population::advance(std::uint64_t now_ns) {
    wheel_.advance(now_ns, most_slots_at_once, [&](std::uint32_t flow) { happen(flow, now_ns); });
    for (unsigned i = 0; i < most_births_at_once && std::min(next_birth_ns_, rate_changes_ns_) <= now_ns; ++i) {
        if (rate_changes_ns_ <= next_birth_ns_) {  // without memory: the wait begins anew with the new rate
            draw_next_birth(rate_changes_ns_);
            continue;
        }
        const auto born_ns = next_birth_ns_;
        const auto pausing = plan_.pauses.flows > 0 && random_.uniform() * plan_.concurrent <= plan_.pauses.flows;
        create(born_ns, born_ns + std::min(lifetime_ns(), never - born_ns), pausing);
        draw_next_birth(born_ns);
    }
    constexpr auto slot_ns = std::uint64_t{1} << Wheel::slot_shift;
    next_ns_ = wheel_.has_slot_due(now_ns) ? now_ns : std::min({next_birth_ns_, rate_changes_ns_, now_ns + slot_ns / 2});
}

std::uint32_t Population::sent(std::uint32_t flow) const {
    if (records_[flow].ended_ns != 0) {
        return records_[flow].sent;
    }
    return sending_.sending(flow) ? sending_.of(flow).sequence : silent_[flow].sequence;
}

std::uint64_t Population::last_tx_ns(std::uint32_t flow) const {
    if (records_[flow].ended_ns != 0) {
        return records_[flow].last_tx_ns;
    }
    return sending_.sending(flow) ? sending_.of(flow).last_ns : silent_[flow].last_ns;
}

}  // namespace nfvcert::engine
