#include "switch/hardware_switch.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "switch/orders.hpp"

namespace nfvcert::switching {
namespace {

using nlohmann::json;

constexpr std::uint16_t burst_size = 64;
constexpr std::size_t default_capacity = 2048;

std::vector<std::string> port_names(dpdk::Program& program) {
    std::vector<std::string> names;
    for (const auto& [name, port] : program.ports()) {
        names.push_back(name);
    }
    return names;
}

std::vector<dpdk::Port*> port_list(dpdk::Program& program) {
    std::vector<dpdk::Port*> ports;
    for (const auto& [name, port] : program.ports()) {
        ports.push_back(port.get());
    }
    return ports;
}

[[noreturn]] void refuse(const RuleRefusal& error, const RuleTable& table, std::size_t needed) {
    const auto free = table.capacity() - std::min(table.used(), table.capacity());
    throw dpdk::Refusal{error.code, error.what(), {{"rule", error.rule}, {"free", free}, {"needed", needed}}};
}

}  // namespace

HardwareSwitch::HardwareSwitch(dpdk::Program& program, const HardwareSwitchPolicy& policy)
    : program_{program},
      policy_{policy},
      identity_{identity_named(program.configuration().value("identity", "five-tuple"))},
      names_{port_names(program)},
      ports_{port_list(program)},
      outputs_{ports_},
      table_{program.configuration().value("capacity", default_capacity), identity_, policy},
      compiled_{table_.compile()},
      rule_delay_us_{program.configuration().value("rule_delay_us", std::uint64_t{0})},
      refuse_every_{program.configuration().value("refuse_every", std::uint64_t{0})} {
    const auto index = [&](const std::string& name) {
        static_cast<void>(program.port(name));  // says which one is missing
        return static_cast<PortIndex>(std::find(names_.begin(), names_.end(), name) - names_.begin());
    };
    source_ = index("source");
    by_mac_.set(mac_of(program.configuration().at("sink_mac")), index("sink"));
    for (const auto& [name, mac] : program.configuration().at("servers").get<std::map<std::string, std::string>>()) {
        by_mac_.set(mac_of(mac), index(name));
    }
    program.loop().add([this](std::uint64_t) { return poll(); });
    program.loop().stay_while_full();
    auto& control = program.control();
    control.on("info", [this](const json&) {
        return json{{"capacity", table_.capacity()},
                    {"used", table_.used()},
                    {"identity", program_.configuration().value("identity", "five-tuple")},
                    {"ports", names_}};
    });
    control.on("apply", [this](const json& order) { return apply(order); });
    control.on("dump", [this](const json& order) { return dump(order); });
    control.on("counters", [this](const json&) { return counters(); });
}

unsigned HardwareSwitch::poll() {
    rte_mbuf* burst[burst_size];
    unsigned handled = 0;
    for (std::size_t port = 0; port < ports_.size(); ++port) {
        const auto count = ports_[port]->rx(burst, burst_size);
        if (count == 0) {
            continue;
        }
        handled += count;
        if (port == source_) {
            classify(burst, count);
        } else {
            deliver(burst, count);
        }
    }
    if (handled > 0) {
        outputs_.flush();
    }
    return handled;
}

void HardwareSwitch::classify(rte_mbuf** burst, std::uint16_t count) {
    const auto& rules = *compiled_;
    std::optional<FlowKey> keys[burst_size];
    std::uint16_t ids[burst_size];
    for (std::uint16_t i = 0; i < count; ++i) {
        keys[i] = policy_.key(rte_pktmbuf_mtod(burst[i], const std::uint8_t*), burst[i]->data_len, identity_);
        ids[i] = keys[i] ? policy_.id(*keys[i], identity_) : std::uint16_t{0};
        rules.prefetch(ids[i]);
    }
    for (std::uint16_t i = 0; i < count; ++i) {
        const auto port = keys[i] ? rules.port_of(*keys[i], ids[i]) : no_port;
        if (port != no_port) {
            outputs_.put(port, burst[i]);
            continue;
        }
        (keys[i] ? no_rule_ : bad_frames_).fetch_add(1, std::memory_order_relaxed);
        rte_pktmbuf_free(burst[i]);
    }
}

void HardwareSwitch::deliver(rte_mbuf** burst, std::uint16_t count) {
    for (std::uint16_t i = 0; i < count; ++i) {
        const auto port = by_mac_.find(load_mac(rte_pktmbuf_mtod(burst[i], const std::uint8_t*) + destination_mac));
        if (port != no_port) {
            outputs_.put(port, burst[i]);
        } else {
            bad_frames_.fetch_add(1, std::memory_order_relaxed);
            rte_pktmbuf_free(burst[i]);
        }
    }
}

json HardwareSwitch::apply(const json& order) {
    std::vector<Rule> added;
    for (const auto& raw : order.value("add", json::array())) {
        added.push_back(rule_of(raw));
    }
    const auto removed = order.value("remove", std::vector<std::string>{});
    if (!order.value("atomic", true)) {
        return apply_one_by_one(removed, added);
    }
    for (std::size_t i = 0; i < removed.size() + added.size(); ++i) {
        if (refuses()) {
            throw dpdk::Refusal{"refused", "the switch refuses one rule in " + std::to_string(refuse_every_)};
        }
    }
    take_time(removed.size() + added.size());
    auto changed = table_;
    try {
        changed.change(removed, added);
    } catch (const RuleRefusal& error) {
        refuse(error, table_, added.size());
    }
    const auto t_ns = install(std::move(changed));
    return {{"used", table_.used()}, {"t_ns", t_ns}};
}

void HardwareSwitch::take_time(std::size_t rules) {
    std::this_thread::sleep_for(std::chrono::microseconds{rule_delay_us_ * rules});
}

bool HardwareSwitch::refuses() { return refuse_every_ != 0 && ++asked_ % refuse_every_ == 0; }

json HardwareSwitch::apply_one_by_one(const std::vector<std::string>& removed, const std::vector<Rule>& added) {
    std::size_t applied = 0;
    auto refused = json::array();
    std::uint64_t t_ns = 0;
    const auto one = [&](const std::string& name, const auto& change) {
        take_time(1);
        try {
            if (refuses()) {
                throw RuleRefusal{"refused", "the switch refuses one rule in " + std::to_string(refuse_every_), name};
            }
            auto changed = table_;
            change(changed);
            t_ns = install(std::move(changed));
            ++applied;
        } catch (const RuleRefusal& error) {
            refused.push_back({{"rule", name}, {"code", error.code}, {"error", error.what()}});
        }
    };
    for (const auto& name : removed) {
        one(name, [&](RuleTable& table) { table.remove(name); });
    }
    for (const auto& rule : added) {
        one(rule.name, [&](RuleTable& table) { table.add(rule); });
    }
    return {{"applied", applied}, {"refused", refused}, {"used", table_.used()}, {"t_ns", t_ns}};
}

std::uint64_t HardwareSwitch::install(RuleTable changed) {
    auto compiled = changed.compile();
    const auto t_ns = program_.loop().inside([&] {  // throws when it has no effect: then the table stays, too
        compiled_.swap(compiled);
        return program_.clock().now_ns();
    });
    table_ = std::move(changed);
    generation_ = t_ns;
    return t_ns;
}

json HardwareSwitch::dump(const json& order) const {
    json told{{"used", table_.used()},
              {"capacity", table_.capacity()},
              {"generation", generation_},
              {"t_ns", program_.clock().now_ns()}};
    if (generation_ != 0 && order.value("known", std::uint64_t{0}) == generation_) {
        return told;
    }
    auto rules = json::array();
    for (const auto& [name, rule] : table_.rules()) {
        json raw{{"rule", name}, {"port", names_[rule.port]}, {"owner", rule.owner}};
        if (rule.range) {
            raw["range"] = {rule.range->low, rule.range->high};
            raw["priority"] = rule.priority;
        } else {
            raw["flow"] = key_to_json(*rule.flow);
        }
        rules.push_back(std::move(raw));
    }
    told["rules"] = std::move(rules);
    return told;
}

json HardwareSwitch::counters() const {
    return {{"ports", program_.port_counters()},
            {"no_rule", no_rule_.load()},
            {"bad_frames", bad_frames_.load()},
            {"t_ns", program_.clock().now_ns()}};
}

Rule HardwareSwitch::rule_of(const json& raw) const {
    Rule rule;
    rule.name = raw.at("rule");
    rule.owner = raw.value("owner", "");
    rule.priority = raw.value("priority", 0);
    const auto port = raw.at("port").get<std::string>();
    const auto found = std::find(names_.begin(), names_.end(), port);
    if (found == names_.end()) {
        throw dpdk::Refusal{"unknown-port", "rule '" + rule.name + "': there is no port '" + port + "'"};
    }
    rule.port = static_cast<PortIndex>(found - names_.begin());
    if (raw.contains("range") == raw.contains("flow")) {
        throw dpdk::Refusal{"bad-rule", "rule '" + rule.name + "' has to have either a range or a flow"};
    }
    if (raw.contains("range")) {
        rule.range = range_of(raw["range"]);
    } else {
        rule.flow = key_from_json(raw["flow"]);
    }
    return rule;
}

int hardware_switch_main(int argc, char** argv, const HardwareSwitchPolicy& policy) {
    std::unique_ptr<HardwareSwitch> kept;
    return dpdk::polling_main("nfvcert-switch", argc, argv, [&](dpdk::Program& program) {
        kept = std::make_unique<HardwareSwitch>(program, policy);
    });
}

}  // namespace nfvcert::switching
