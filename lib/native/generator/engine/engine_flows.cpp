#include <algorithm>
#include <thread>

#include "generator/engine/engine.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::uint64_t quiet_ns = 200'000'000;     // nothing has come for so long: nothing more will
constexpr std::uint64_t patience_ns = 2'000'000'000;
constexpr std::chrono::milliseconds look_again{5};
constexpr double most_pps = 1e12;
constexpr double most_new_per_second = 2e6;

}  // namespace

void Engine::offer_flow_orders() {
    auto& control = program_.control();
    control.on_slow("flow_prepare", [this](const json& order) { return flow_prepare(order); });
    control.on_slow("flow_stop", [this](const json&) { return flow_stop(); });
    control.on("flow_start", [this](const json&) { return flow_start(); });
    control.on("flow_update", [this](const json& order) { return flow_update(order); });
    control.on("flow_burst", [this](const json& order) { return flow_burst(order); });
    control.on("flow_status", [this](const json&) { return flow_status(); });
}

std::shared_ptr<Engine::Trial> Engine::trial(bool begun) {
    const std::lock_guard lock{orders_};
    if (!trial_ || trial_->begun != begun) {
        throw Refusal{begun ? "not-running" : "not-prepared",
                      begun ? "no trial of the flow mode runs; flow_start begins one" : "no trial is prepared; flow_prepare comes first"};
    }
    return trial_;
}

json Engine::flow_prepare(const json& order) {
    const auto plan = read_flow_plan(order, static_cast<unsigned>(ports_.size()), capability_pps_);
    {
        const std::lock_guard lock{orders_};
        if (trial_ && trial_->begun) {
            throw Refusal{"running", "a trial of the flow mode runs; flow_stop ends it"};
        }
        trial_.reset();  // its buffers are free again
    }
    auto prepared = std::make_shared<Trial>();
    prepared->session = std::make_shared<FlowSession>(plan, pools_);
    const std::lock_guard lock{orders_};
    trial_ = prepared;
    return {{"living", prepared->session->population().living()},
            {"mean_lifetime_s", plan.lifetime ? json(plan.lifetime->mean()) : json()},
            {"frame", plan.mean_frame()},
            {"five_tuples", plan.addresses.size()},
            {"t_ns", clock_.now_ns()}};
}

std::uint64_t Engine::receiver_drops(const FlowPlan& plan) const {
    const auto counted = ports_[plan.rx_port].port->counters();
    return counted.rx_errors + counted.rx_missed;
}

json Engine::flow_start() {
    const auto prepared = trial(false);
    const auto& plan = prepared->session->plan();
    auto& port = ports_[plan.tx_port];
    prepared->drops_before = receiver_drops(plan);
    auto answer = inside([&](std::uint64_t now_ns, json&) {
        flow_rx_ = plan.rx_port;
        flow_tx_ = &port;
        flow_ = prepared->session.get();
        flow_->begin(now_ns);
    });
    const std::lock_guard lock{orders_};
    prepared->begun = true;
    return answer;
}

json Engine::flow_update(const json& order) {
    const Fields fields{order, "flow_update", {"op", "id", "tx_port", "rx_port", "pps", "new_per_second"}};
    const auto running = trial(true);
    if (!fields.has("pps") && !fields.has("new_per_second")) {
        fields.refuse("neither 'pps' nor 'new_per_second'");
    }
    const auto pps = fields.real_or("pps", 1e-3, most_pps, 1);
    if (pps > capability_pps_) {
        throw Refusal{"rate-above-capability", "flow_update: the engine may be asked for " + std::to_string(capability_pps_) +
                                                   " packets a second at most", {{"capability_pps", capability_pps_}}};
    }
    const auto fresh = fields.real_or("new_per_second", 0, most_new_per_second, 0);
    if (fresh > 0 && !running->session->plan().lifetime) {
        fields.refuse("'new_per_second' for a trial that was prepared without: its flows have no lifetime");
    }
    return inside([&](std::uint64_t now_ns, json&) {
        if (fields.has("pps")) {
            running->session->set_rate(pps, now_ns);
        }
        if (fields.has("new_per_second")) {
            running->session->set_new_per_second(fresh, now_ns);
        }
    });
}

json Engine::flow_burst(const json& order) {
    const Fields fields{order, "flow_burst", {"op", "id", "tx_port", "rx_port", "duration_ms", "new_per_second"}};
    const auto running = trial(true);
    const auto duration_ns = static_cast<std::uint64_t>(fields.real("duration_ms", 1, 1e9) * 1e6);
    const auto fresh = fields.real("new_per_second", 1, most_new_per_second);
    if (!running->session->plan().lifetime) {
        fields.refuse("the trial was prepared without 'new_per_second': its flows have no lifetime");
    }
    return inside([&](std::uint64_t now_ns, json&) { running->session->add_arrivals(duration_ns, fresh, now_ns); });
}

json Engine::flow_status() {
    std::shared_ptr<Trial> known;
    {
        const std::lock_guard lock{orders_};
        known = trial_;
    }
    if (!known) {
        return {{"state", "none"}, {"t_ns", clock_.now_ns()}};
    }
    return inside([&](std::uint64_t, json& answer) {
        const auto& progress = known->session->progress();
        answer["state"] = !known->begun ? "prepared" : known->session->sending() ? "sending" : "sent";
        answer["sent"] = progress.sent;
        answer["tx_refused"] = progress.tx_refused;
        answer["living"] = known->session->population().living();
        answer["born"] = known->session->population().born();
    });
}

void Engine::settle(Trial& trial) {
    const auto& session = *trial.session;
    auto& loop = program_.loop();
    while (session.sending_over_ns() == 0) {
        if (!loop.running()) {
            throw Refusal{"ending", "the engine ends"};
        }
        std::this_thread::sleep_for(look_again);
    }
    const auto over_ns = session.sending_over_ns();
    for (;;) {
        const auto last_ns = loop.inside([&] { return std::max(session.progress().last_arrival_ns, over_ns); });
        const auto now_ns = loop.inside([&] { return clock_.now_ns(); });
        if (now_ns - last_ns >= quiet_ns || now_ns - over_ns >= patience_ns) {
            return;
        }
        std::this_thread::sleep_for(look_again);
    }
}

json Engine::flow_stop() {
    const auto running = trial(true);
    auto& session = *running->session;
    {
        const std::lock_guard lock{orders_};
        if (running->stopping) {
            throw Refusal{"not-running", "the trial is being stopped already"};
        }
        running->stopping = true;
    }
    inside([&](std::uint64_t now_ns, json&) { session.stop_sending(now_ns); });
    settle(*running);
    auto answer = inside([&](std::uint64_t now_ns, json&) {
        session.close(now_ns);
        flow_ = nullptr;
        flow_tx_ = nullptr;
    });
    publish_intervals(*running);
    {
        const std::lock_guard lock{orders_};
        trial_.reset();
    }
    const auto drops = receiver_drops(session.plan()) - running->drops_before;
    answer["summary"] = flow_summary(session, running->total, drops);
    if (!session.plan().flows_file.empty()) {
        write_flows(session, session.plan().flows_file);
        answer["summary"]["flows_file"] = session.plan().flows_file;
    }
    return answer;
}

}  // namespace nfvcert::engine
