#include <algorithm>

#include "generator/engine/engine.hpp"

namespace nfvcert::engine {
namespace {

constexpr double largest_multiplier = 1e9;
constexpr double longest_s = 1e7;

std::vector<std::int64_t> ids_of(const Fields& fields) {
    std::vector<std::int64_t> ids;
    if (!fields.has("ids")) {
        return ids;
    }
    const auto& list = fields.at("ids");
    if (!list.is_array() || list.empty() ||
        !std::all_of(list.begin(), list.end(), [](const auto& id) { return id.is_number_integer(); })) {
        fields.refuse("'ids' has to be a list of stream numbers");
    }
    return list.get<std::vector<std::int64_t>>();
}

}  // namespace

void Engine::offer_stream_orders() {
    auto& control = program_.control();
    control.on("load", [this](const json& order) { return load(order); });
    control.on("unload", [this](const json& order) { return unload(order); });
    control.on("start", [this](const json& order) { return start(order); });
    control.on("stop", [this](const json& order) { return stop(order); });
    for (const std::string op : {"pause", "resume", "update", "update_streams"}) {
        control.on(op, [this, op](const json& order) { return change(order, op); });
    }
}

std::shared_ptr<Profile> Engine::profile(EnginePort& port, const std::string& name) const {
    const auto found = port.profiles.find(name);
    if (found == port.profiles.end()) {
        throw Refusal{"not-loaded", "port " + std::to_string(port.index) + " has no profile '" + name + "'"};
    }
    return found->second;
}

json Engine::load(const json& order) {
    const Fields fields{order, "load", {"op", "id", "port", "profile", "streams"}};
    const std::lock_guard lock{orders_};
    auto& port = port_of(fields, "port");
    const auto name = profile_of(fields);
    auto plans = read_streams(fields.at("streams"));
    // the old streams' buffers are free before the new ones are made
    const auto before = port.profiles.find(name);
    if (before != port.profiles.end()) {
        if (program_.loop().inside([&] { return before->second->running(); })) {
            throw Refusal{"running", "profile '" + name + "' of port " + std::to_string(port.index) + " is running; stop it first"};
        }
        port.profiles.erase(before);
    }
    // making a pool costs tens of milliseconds, so it is for those that send at least one of so many packets as there are pools
    std::vector<const StreamPlan*> all(plans.size());
    std::ranges::transform(plans, all.begin(), [](const StreamPlan& plan) { return &plan; });
    const auto sends_many = [least = peak_rate(all) / TemplatePools::most](const StreamPlan& plan) {
        return !plan.dummy && plan.packets_per_second >= least;
    };
    std::vector<std::unique_ptr<Stream>> streams;
    for (auto& plan : plans) {
        Group* group = nullptr;
        if (plan.group_kind != GroupKind::none) {
            const auto kind = plan.group_kind;
            const auto number = plan.group;
            if (auto fresh = groups_.create(kind, number)) {
                group = program_.loop().inside([&] { return groups_.insert(std::move(fresh)); });
            } else {
                group = groups_.find(number);
            }
            Groups::mark(*group, plan.packet, "stream " + std::to_string(plan.id));
        }
        auto pool = sends_many(plan) ? pools_.take(plan.packet) : nullptr;
        streams.push_back(std::make_unique<Stream>(std::move(plan), std::move(pool)));
        streams.back()->group = group;
    }
    const auto count = streams.size();
    port.profiles[name] = std::make_shared<Profile>(std::move(streams));
    return {{"streams", count}, {"t_ns", clock_.now_ns()}};
}

void Engine::stop_running(EnginePort& port, const Profile* profile) {
    std::erase_if(port.running, [&](const auto& running) {
        if (profile != nullptr && running.second != profile) {
            return false;
        }
        running.second->stop();
        return true;
    });
}

json Engine::unload(const json& order) {
    const Fields fields{order, "unload", {"op", "id", "port", "profile"}};
    const std::lock_guard lock{orders_};
    auto& port = port_of(fields, "port");
    const auto name = profile_of(fields);
    auto answer = inside([&](std::uint64_t, json&) {
        const auto found = port.profiles.find(name);
        if (name == "*" || found != port.profiles.end()) {
            stop_running(port, name == "*" ? nullptr : found->second.get());
        }
    });
    if (name == "*") {
        port.profiles.clear();
    } else {
        port.profiles.erase(name);
    }
    return answer;
}

void Engine::check_rate(const EnginePort& port, const Profile* besides, double packets_per_second) const {
    auto sum = packets_per_second;
    for (const auto& other : ports_) {
        for (const auto& [name, profile] : other.running) {
            if (profile != besides) {
                sum += profile->asked_rate();
            }
        }
    }
    if (sum > capability_pps_) {
        throw Refusal{"rate-above-capability",
                      "port " + std::to_string(port.index) + ": with it the engine had to send " + std::to_string(sum) +
                          " packets a second, more than it may be asked for",
                      {{"capability_pps", capability_pps_}}};
    }
}

json Engine::start(const json& order) {
    const Fields fields{order, "start", {"op", "id", "port", "profile", "multiplier", "duration_s"}};
    const auto multiplier = fields.real_or("multiplier", 1e-12, largest_multiplier, 1);
    const auto duration = fields.real_or("duration_s", -1, longest_s, -1);
    const std::lock_guard lock{orders_};
    auto& port = port_of(fields, "port");
    const auto name = profile_of(fields);
    const auto started = profile(port, name);
    return inside([&](std::uint64_t now_ns, json&) {
        if (started->running()) {
            throw Refusal{"running", "profile '" + name + "' of port " + std::to_string(port.index) + " is running already"};
        }
        check_rate(port, started.get(), started->peak_rate() * multiplier);
        started->start(multiplier, duration, now_ns);
        port.running.emplace_back(name, started.get());
    });
}

json Engine::stop(const json& order) {
    const Fields fields{order, "stop", {"op", "id", "port", "profile"}};
    const std::lock_guard lock{orders_};
    auto& port = port_of(fields, "port");
    const auto name = profile_of(fields);
    const auto stopped = name == "*" ? nullptr : profile(port, name);
    return inside([&](std::uint64_t, json& answer) {
        stop_running(port, stopped.get());
        if (stopped) {
            answer["sent"] = stopped->end().sent;
            answer["given_up"] = stopped->end().given_up;
            answer["last_ns"] = stopped->end().t_ns;
        }
    });
}

json Engine::change(const json& order, const std::string& op) {
    const Fields fields{order, op, {"op", "id", "port", "profile", "multiplier", "ids"}};
    const auto scales = op == "update" || op == "update_streams";
    const auto multiplier = scales ? fields.real("multiplier", 1e-12, largest_multiplier) : 1.0;
    const auto ids = ids_of(fields);
    if ((op == "update_streams") == ids.empty() && scales) {
        fields.refuse(ids.empty() ? "'ids' is missing" : "'ids' is for update_streams");
    }
    const std::lock_guard lock{orders_};
    auto& port = port_of(fields, "port");
    const auto name = profile_of(fields);
    const auto changed = profile(port, name);
    for (const auto id : ids) {
        if (!changed->knows(id)) {
            fields.refuse("profile '" + name + "' has no stream " + std::to_string(id));
        }
    }
    return inside([&](std::uint64_t now_ns, json&) {
        if (!changed->running()) {
            throw Refusal{"not-running", "profile '" + name + "' of port " + std::to_string(port.index) + " is not running"};
        }
        if (op == "update") {
            check_rate(port, changed.get(), changed->peak_rate() * multiplier);
            changed->set_multiplier(multiplier, now_ns);
        } else if (op == "update_streams") {
            changed->set_multiplier_of(ids, multiplier, now_ns);
        } else if (op == "pause") {
            changed->pause(ids, now_ns);
        } else {
            changed->resume(ids, now_ns);
        }
    });
}

}  // namespace nfvcert::engine
