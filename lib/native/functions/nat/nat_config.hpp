#pragma once
// What translators are told.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "functions/nat/fragment_table.hpp"
#include "functions/nat/port_pool.hpp"
#include "packet/address.hpp"

namespace nfvcert::nf {

class Parameters;

struct TranslatorTimeouts {
    std::uint64_t udp_ns = 120'000'000'000;                // RFC 4787 REQ-5
    std::uint64_t tcp_established_ns = 7'440'000'000'000;  // RFC 5382 REQ-5
    std::uint64_t tcp_transitory_ns = 240'000'000'000;     // RFC 5382 REQ-5
    std::uint64_t icmp_ns = 60'000'000'000;                // RFC 5508 REQ-2
};

/// Common to translators. Keys: external (address or list of them), inside (networks; default: private ones and
/// 198.18.0.0/16), port_first, port_last, reuse_delay_ms, port_order_seed, max_sessions, fragments, fragment_timeout_ms,
/// ports, udp_timeout_ms, tcp_established_timeout_ms, tcp_transitory_timeout_ms, icmp_timeout_ms, state_timeout_ms (of all
/// protocols that have none of their own).
struct TranslatorConfig {
    PortPoolConfig pool;
    std::vector<packet::Ipv4Network> inside;
    TranslatorTimeouts timeouts;
    FragmentTableConfig fragments;
    std::size_t max_sessions = 200'000;
    unsigned ports = 1;

    void read(Parameters& parameters);
    [[nodiscard]] bool is_inside(std::uint32_t address) const {
        for (const auto& network : inside) {
            if (network.contains({address})) {
                return true;
            }
        }
        return false;
    }
};

/// One line of the firewall; looked at when a session is opened, the first that fits decides.
struct FirewallRule {
    bool allow = true;
    std::optional<std::uint8_t> protocol;
    std::optional<packet::Ipv4Network> source;
    std::optional<packet::Ipv4Network> destination;
    std::uint16_t first_port = 0;  // of the destination
    std::uint16_t last_port = 65535;

    [[nodiscard]] bool fits(const FlowKey& flow) const {
        return (!protocol || *protocol == flow.protocol) && (!source || source->contains({flow.source})) &&
               (!destination || destination->contains({flow.destination})) && flow.destination_port >= first_port &&
               flow.destination_port <= last_port;
    }
};

/// A configured way in.
struct FixedPinhole {
    std::uint8_t protocol = 0;
    ExternalEndpoint external;
    std::uint32_t inside = 0;
    std::uint16_t inside_port = 0;
};

/// Further keys: half_open_limit (per source; 0: none), sessions_per_host (0: none), hairpin (true), rules [{action:
/// allow|deny, protocol: tcp|udp|icmp, source, destination, port_first, port_last}], pinholes [{protocol, external
/// (default: the first), port, inside, inside_port (default: port)}].
struct NatFirewallConfig : TranslatorConfig {
    std::uint32_t half_open_limit = 128;
    std::uint32_t sessions_per_host = 0;
    bool hairpin = true;
    std::vector<FirewallRule> rules;
    std::vector<FixedPinhole> pinholes;

    /// Throws ParameterError.
    static NatFirewallConfig read(const nlohmann::json& parameters);
};

struct BasicNatConfig : TranslatorConfig {
    /// Throws ParameterError.
    static BasicNatConfig read(const nlohmann::json& parameters);
};

}  // namespace nfvcert::nf
