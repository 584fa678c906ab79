#pragma once
// What the infrastructure tells a component at its start: identity, ports, configuration.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "packet/address.hpp"

namespace nfvcert::runtime {

struct PortDescription {
    std::string cp;  // connection point: access, internal, external, mgmt
    std::string ifname;
    std::optional<packet::MacAddress> mac;
    std::optional<packet::Ipv4Address> ip;
    unsigned prefix = 24;
};

struct UserData {
    std::string vnfc_id;
    std::vector<PortDescription> ports;
    nlohmann::json config = nlohmann::json::object();

    /// Throws std::runtime_error naming the ports there are.
    [[nodiscard]] const PortDescription& port(const std::string& cp) const;
    /// A number of the configuration (also when written as a string) or `otherwise`; throws when it is no number >= 0.
    [[nodiscard]] double number(const std::string& key, double otherwise) const;
};

/// Throws std::runtime_error naming file and member.
UserData read_user_data(const std::string& path);
UserData parse_user_data(const nlohmann::json& document);

}  // namespace nfvcert::runtime
