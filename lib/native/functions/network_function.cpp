#include "functions/network_function.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "functions/balancer/load_balancer.hpp"
#include "functions/monitor/traffic_monitor.hpp"
#include "functions/nat/basic_nat.hpp"
#include "functions/nat/nat_firewall.hpp"
#include "functions/qos/qos_shaper.hpp"
#include "functions/wan/wan_optimiser.hpp"

namespace nfvcert::nf {

using nlohmann::json;

json NetworkFunction::statistics() const {
    auto reasons = json::object();
    for (std::size_t i = 1; i < drop_reason_count; ++i) {
        if (dropped_[i] != 0) {
            reasons[std::string{name_of(static_cast<DropReason>(i))}] = dropped_[i];
        }
    }
    auto all = json{{"packets", packets_}, {"forwarded", forwarded_}, {"dropped", reasons}, {"flows", flows()}};
    add_statistics(all);
    return all;
}

void NetworkFunction::configure(const json&) {
    throw ParameterError(std::string{name()} + ": nothing can be changed while it runs");
}

bool NetworkFunction::import_record(StateReader&, std::uint64_t) {
    throw StateError(std::string{name()} + " holds no state of flows");
}

std::vector<std::uint8_t> NetworkFunction::export_state(const FlowSelector& selector, std::uint64_t now_ns) {
    StateWriter writer{state_code()};
    export_slice(selector, {0, slots()}, now_ns, true, writer);
    return writer.finish();
}

ImportReport NetworkFunction::import_state(std::span<const std::uint8_t> state, std::uint64_t now_ns) {
    ImportReport report;
    for (auto block : read_blocks(state, state_code())) {
        for (std::uint32_t i = 0; i < block.records; ++i) {
            ++(import_record(block.reader, now_ns) ? report.flows : report.conflicts);
        }
        block.reader.expect_end();
    }
    return report;
}

std::vector<FlowCounters> NetworkFunction::list_flows(std::uint64_t now_ns) const {
    std::vector<FlowCounters> found;
    list_slice({0, slots()}, now_ns, found);
    return found;
}

namespace {

constexpr std::array<std::string_view, 6> names{"nat", "basic-nat", "wan-optimiser", "monitor", "qos", "load-balancer"};

}  // namespace

std::span<const std::string_view> function_names() { return names; }

std::unique_ptr<NetworkFunction> make_function(std::string_view name, const json& parameters) {
    if (name == "nat") {
        return std::make_unique<NatFirewall>(NatFirewallConfig::read(parameters));
    }
    if (name == "basic-nat") {
        return std::make_unique<BasicNat>(BasicNatConfig::read(parameters));
    }
    if (name == "wan-optimiser") {
        return std::make_unique<WanOptimiser>(WanConfig::read(parameters));
    }
    if (name == "monitor") {
        return std::make_unique<TrafficMonitor>(MonitorConfig::read(parameters));
    }
    if (name == "qos") {
        return std::make_unique<QosShaper>(ShaperConfig::read(parameters));
    }
    if (name == "load-balancer") {
        return std::make_unique<LoadBalancer>(BalancerConfig::read(parameters));
    }
    std::string known;
    for (const auto other : names) {
        known += (known.empty() ? "" : ", ") + std::string{other};
    }
    throw ParameterError("there is no network function '" + std::string{name} + "'; known: " + known);
}

}  // namespace nfvcert::nf
