#include "functions/nat/nat_config.hpp"

#include "functions/common/parameters.hpp"

namespace nfvcert::nf {

using packet::Ipv4Network;

namespace {

constexpr std::uint64_t most_sessions = 4'000'000;

constexpr std::array<Ipv4Network, 4> usual_inside{{{{0x0a000000}, 8}, {{0xac100000}, 12}, {{0xc0a80000}, 16}, {{0xc6120000}, 16}}};

std::uint8_t read_protocol(Parameters& parameters) {
    const auto name = parameters.text("protocol", "");
    if (name == "tcp") {
        return protocol::tcp;
    }
    if (name == "udp") {
        return protocol::udp;
    }
    if (name == "icmp") {
        return protocol::icmp;
    }
    parameters.fail("protocol", "tcp, udp or icmp");
}

FirewallRule read_rule(Parameters parameters) {
    FirewallRule rule;
    const auto action = parameters.text("action", "");
    if (action != "allow" && action != "deny") {
        parameters.fail("action", "allow or deny");
    }
    rule.allow = action == "allow";
    if (parameters.has("protocol")) {
        rule.protocol = read_protocol(parameters);
    }
    rule.source = parameters.network("source");
    rule.destination = parameters.network("destination");
    rule.first_port = static_cast<std::uint16_t>(parameters.number("port_first", 0, 0, 65535));
    rule.last_port = static_cast<std::uint16_t>(parameters.number("port_last", 65535, rule.first_port, 65535));
    parameters.finish();
    return rule;
}

FixedPinhole read_pinhole(Parameters parameters, std::uint32_t first_external) {
    FixedPinhole pinhole;
    pinhole.protocol = read_protocol(parameters);
    if (pinhole.protocol == protocol::icmp) {
        parameters.fail("protocol", "tcp or udp");
    }
    const auto external = parameters.address("external");
    pinhole.external.address = external ? external->value : first_external;
    pinhole.external.port = static_cast<std::uint16_t>(parameters.number("port", 0, 1, 65535));
    const auto inside = parameters.address("inside");
    if (!inside) {
        parameters.fail("inside", "an IPv4 address");
    }
    if (pinhole.external.port == 0) {
        parameters.fail("port", "a port");
    }
    pinhole.inside = inside->value;
    pinhole.inside_port = static_cast<std::uint16_t>(parameters.number("inside_port", pinhole.external.port, 1, 65535));
    parameters.finish();
    return pinhole;
}

}  // namespace

void TranslatorConfig::read(Parameters& parameters) {
    for (const auto address : parameters.addresses("external")) {
        if (!address.is_routable_unicast()) {
            parameters.fail("external", "unicast addresses");
        }
        pool.addresses.push_back(address.value);
    }
    if (pool.addresses.empty() || pool.addresses.size() > 256) {
        parameters.fail("external", "1 to 256 addresses");
    }
    inside = parameters.networks("inside");
    if (inside.empty()) {
        inside.assign(usual_inside.begin(), usual_inside.end());
    }
    for (const auto address : pool.addresses) {
        if (is_inside(address)) {
            parameters.fail("external", "outside of the inside networks");
        }
    }
    pool.first = static_cast<std::uint16_t>(parameters.number("port_first", pool.first, 1, 65535));
    pool.last = static_cast<std::uint16_t>(parameters.number("port_last", pool.last, pool.first, 65535));
    pool.reuse_delay_ns = parameters.time_ns("reuse_delay_ms", pool.reuse_delay_ns);
    pool.order_seed = parameters.number("port_order_seed", 0, 0, UINT64_MAX);
    max_sessions = parameters.number("max_sessions", max_sessions, 1, most_sessions);
    fragments.packets = parameters.number("fragments", fragments.packets, 4, 1U << 20U);
    fragments.timeout_ns = parameters.time_ns("fragment_timeout_ms", fragments.timeout_ns);
    if (parameters.has("state_timeout_ms")) {
        const auto common = parameters.time_ns("state_timeout_ms", 0);
        timeouts = {common, common, common, common};
    }
    timeouts.udp_ns = parameters.time_ns("udp_timeout_ms", timeouts.udp_ns);
    timeouts.tcp_established_ns = parameters.time_ns("tcp_established_timeout_ms", timeouts.tcp_established_ns);
    timeouts.tcp_transitory_ns = parameters.time_ns("tcp_transitory_timeout_ms", timeouts.tcp_transitory_ns);
    timeouts.icmp_ns = parameters.time_ns("icmp_timeout_ms", timeouts.icmp_ns);
    ports = parameters.arms();
}

NatFirewallConfig NatFirewallConfig::read(const nlohmann::json& object) {
    Parameters parameters{"nat", object};
    NatFirewallConfig config;
    config.TranslatorConfig::read(parameters);
    config.half_open_limit = static_cast<std::uint32_t>(parameters.number("half_open_limit", config.half_open_limit, 0, most_sessions));
    config.sessions_per_host = static_cast<std::uint32_t>(parameters.number("sessions_per_host", 0, 0, most_sessions));
    config.hairpin = parameters.flag("hairpin", config.hairpin);
    for (auto& rule : parameters.objects("rules")) {
        config.rules.push_back(read_rule(std::move(rule)));
    }
    for (auto& pinhole : parameters.objects("pinholes")) {
        config.pinholes.push_back(read_pinhole(std::move(pinhole), config.pool.addresses.front()));
    }
    parameters.finish();
    return config;
}

BasicNatConfig BasicNatConfig::read(const nlohmann::json& object) {
    Parameters parameters{"basic-nat", object};
    BasicNatConfig config;
    config.TranslatorConfig::read(parameters);
    parameters.finish();
    return config;
}

}  // namespace nfvcert::nf
