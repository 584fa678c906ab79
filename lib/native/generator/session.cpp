#include "generator/session.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "generator/frames.hpp"

namespace nfvcert::generator {

namespace {

constexpr double resolve_timeout_s = 5;
constexpr std::uint64_t confirm_every_ns = 1'000'000'000;
constexpr std::uint64_t catch_up_ns = 1'000'000'000;    // at most that long after the order to stop
constexpr std::uint64_t shortest_tick_ns = 500'000;
constexpr std::uint64_t longest_tick_ns = 2'000'000;  // what a longer one left undone is sent little by little
constexpr std::uint64_t report_after_ns = 600'000'000;
constexpr std::uint64_t stall_ns = 50'000'000;
constexpr double most_catch_up = 2.0;  // times the rate asked for
constexpr double second = 1e9;

}  // namespace

std::uint64_t monotonic_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ULL + static_cast<std::uint64_t>(now.tv_nsec);
}

void Session::order(const nlohmann::json& order) {
    const auto op = order.value("op", "");
    if (op == "prepare" && (state_ == State::idle || state_ == State::ready)) {
        prepare(order);
    } else if (op == "start" && state_ == State::ready) {
        start();
    } else if (op == "profile" && state_ == State::running) {
        change_rate(order.at("pps"));
    } else if (op == "mark") {
        tell_({{"event", "mark"}, {"name", order.value("name", "")}, {"t", monotonic_ns()}});
    } else if (op == "stop" && state_ == State::running) {
        stop(order);
    } else if (op == "quit") {
        ended_ = true;
    } else {
        tell_({{"event", "error"}, {"message", "the order '" + op + "' does not fit now"}});
    }
}

void Session::prepare(const nlohmann::json& order) {
    profile_ = profile_of(order.at("profile"));
    gateway_ = address_of(order.at("gateway_ip"));
    servers_.clear();
    for (const auto& address : order.at("server_ips")) {
        servers_.push_back(address_of(address));
    }
    if (servers_.empty()) {
        throw std::invalid_argument("server_ips names no address");
    }
    answer_all_ = order.value("answer_all_arp", false);
    gateway_mac_.reset();
    const auto now = monotonic_ns();
    resolve_timeout_s_ = order.value("timeout_s", resolve_timeout_s);
    resolve_until_ = now + static_cast<std::uint64_t>(resolve_timeout_s_ * second);
    resolve_next_ = now;
    state_ = State::resolving;
}

void Session::start() {
    access_.dropped();
    external_.dropped();
    started_ = last_tick_ = last_sent_ = rate_since_ = monotonic_ns();
    model_ = std::make_unique<FlowModel>(profile_, servers_);
    model_->begin(started_);
    ledger_ = std::make_unique<Ledger>(started_);
    due_before_ = 0;
    accounted_ = reported_ = 0;
    tx_errors_ = drops_ = 0;
    stalls_.clear();
    state_ = State::running;
    tell_({{"event", "started"}, {"t", started_}});
}

void Session::stop(const nlohmann::json& order) {
    flows_file_ = order.value("flows_file", "");
    settle_ns_ = order.value("settle_ms", std::uint64_t{500}) * 1'000'000;
    stopped_ = monotonic_ns();
    catch_up_until_ = stopped_ + catch_up_ns;
    state_ = State::catching_up;
}

void Session::change_rate(double pps) {
    if (!(pps > 0 && pps <= most_pps)) {
        throw std::invalid_argument("pps is out of range");
    }
    const auto now = monotonic_ns();
    due_before_ = due(now);
    rate_since_ = now;
    profile_.pps = pps;
    tell_({{"event", "profile"}, {"pps", pps}, {"t", now}});
}

double Session::due(std::uint64_t now) const {
    return due_before_ + profile_.pps * static_cast<double>(now - rate_since_) / second;
}

void Session::work() {
    receive_external();
    receive_access();
    const auto now = monotonic_ns();
    if (state_ == State::resolving) {
        resolve(now);
    } else if (state_ == State::running) {
        send_due(now);
        report_intervals(now, false);
    } else if (state_ == State::catching_up) {
        send_due(now);
        if (accounted_ >= static_cast<std::uint64_t>(due(stopped_)) || now >= catch_up_until_) {
            settle_until_ = monotonic_ns() + settle_ns_;
            state_ = State::settling;
        }
    } else if (state_ == State::settling && now >= settle_until_) {
        report_intervals(now, true);
        summarise();
        state_ = State::ready;
    }
}

void Session::send_due(std::uint64_t now) {
    const auto late = now - last_tick_;
    if (late > stall_ns) {
        stalls_.push_back({last_tick_, late});
    }
    last_tick_ = now;
    if (now >= resolve_next_) {
        ask_gateway();
        resolve_next_ = now + confirm_every_ns;
    }
    model_->advance(now);
    const auto until = state_ == State::running ? now : stopped_;
    const auto owed = std::floor(due(until)) - static_cast<double>(accounted_);
    const auto tick = static_cast<double>(std::clamp(late, shortest_tick_ns, longest_tick_ns));
    const auto at_most = std::ceil(most_catch_up * profile_.pps * tick / second);
    for (auto left = static_cast<std::size_t>(std::clamp(owed, 0.0, at_most)); left != 0;) {
        const auto count = std::min(left, Leg::batch);
        send_batch(count);
        left -= count;
    }
}

void Session::send_batch(std::size_t count) {
    struct Sent {
        std::uint32_t flow;
        std::uint64_t now;
        std::uint64_t before;
    };
    std::array<Sent, Leg::batch> batch{};
    std::size_t made = 0;
    for (; made < count; ++made) {
        auto* const flow = model_->next_in_turn();
        if (flow == nullptr) {
            break;
        }
        const auto now = monotonic_ns();
        batch[made] = {flow->id, now, flow->last_tx};
        write_frame(access_.compose(profile_.frame_bytes), *gateway_mac_, access_.mac(), flow->source, flow->destination,
                    {flow->id, flow->sent, now, false});
        ledger_->sent(*flow, now);
    }
    const auto failed = access_.flush();
    accounted_ += made;
    tx_errors_ += failed;
    for (auto i = made; i != made - failed; --i) {
        const auto& packet = batch[i - 1];
        ledger_->not_sent(model_->flows()[packet.flow], packet.now, packet.before);
    }
    if (made != failed) {
        last_sent_ = batch[made - failed - 1].now;
    }
}

void Session::receive_external() {
    bool answered = false;
    external_.drain([&](packet::Bytes frame, std::uint64_t arrived) {
        if (ledger_) {
            if (const auto found = read_frame(frame); found && !found->mark.is_return) {
                if (ledger_->received(model_->flows(), *found, arrived, profile_.return_every)) {
                    auto back = external_.compose(frame.size());
                    std::copy(frame.begin(), frame.end(), back.begin());
                    turn_round(back, *found, external_.mac());
                    ledger_->sent_back(model_->flows()[found->mark.flow]);
                    answered = true;
                }
                return;
            }
        }
        answered |= answer_arp(external_, frame, [&](packet::Ipv4Address wanted) {
            return answer_all_ || std::find(servers_.begin(), servers_.end(), wanted) != servers_.end();
        });
    });
    if (answered) {
        tx_errors_ += external_.flush();
    }
}

void Session::receive_access() {
    bool answered = false;
    access_.drain([&](packet::Bytes frame, std::uint64_t) {
        if (ledger_) {
            if (const auto found = read_frame(frame); found && found->mark.is_return) {
                ledger_->returned(model_->flows(), *found);
                return;
            }
        }
        if (state_ != State::idle && learn_gateway(frame)) {
            return;
        }
        answered |= answer_arp(access_, frame, [&](packet::Ipv4Address wanted) {
            return wanted.value - profile_.user_base.value < profile_.user_count;
        });
    });
    if (answered) {
        access_.flush();
    }
}

void Session::report_intervals(std::uint64_t now, bool all) {
    while (reported_ < ledger_->intervals()) {
        const auto end = started_ + (reported_ + 1) * interval_ns;
        if (!all && now < end + report_after_ns) {
            return;
        }
        tell_(ledger_->report(reported_++));
    }
}

void Session::summarise() {
    const bool written = flows_file_.empty() || write_flows(flows_file_, model_->flows());
    if (!written) {
        tell_({{"event", "error"}, {"message", "cannot write " + flows_file_}});
    }
    drops_ += access_.dropped() + external_.dropped();
    const auto& totals = ledger_->totals();
    const double duration = static_cast<double>(stopped_ - started_) / second;
    auto latencies = nlohmann::json::array();
    for (const auto& [value, count] : ledger_->latency().buckets()) {
        latencies.push_back({value, count});
    }
    auto stalls = nlohmann::json::array();
    for (const auto& stall : stalls_) {
        stalls.push_back({{"t", stall.t}, {"ms", static_cast<double>(stall.length) / 1e6}});
    }
    tell_({{"event", "summary"},
           {"started", started_},
           {"stopped", stopped_},
           {"intended", static_cast<std::uint64_t>(due(stopped_))},
           {"sent", totals.sent},
           {"intended_duration_s", duration},
           {"duration_s", static_cast<double>(last_sent_ - started_) / second},
           {"tx_errors", tx_errors_},
           {"rx_drops", drops_},
           {"received", totals.received},
           {"lost", totals.sent - totals.received},
           {"late", ledger_->late_json()},
           {"duplicates", totals.duplicates},
           {"reordered", totals.reordered},
           {"return_sent", totals.return_sent},
           {"return_received", totals.return_received},
           {"bad_checksums", totals.bad_checksums},
           {"foreign", totals.foreign},
           {"stalls", stalls},
           {"latency_ns", latencies},
           {"flows", model_->flows().size()},
           {"users", model_->users()},
           {"flows_file", flows_file_}});
}

}  // namespace nfvcert::generator
