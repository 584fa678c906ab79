#include "runtime/user_data.hpp"

#include <charconv>
#include <cmath>
#include <fstream>
#include <stdexcept>

namespace nfvcert::runtime {

using nlohmann::json;

namespace {

template <typename Address>
std::optional<Address> address_member(const json& port, const char* key) {
    const auto found = port.find(key);
    if (found == port.end() || found->is_null()) {
        return std::nullopt;
    }
    const auto address = found->is_string() ? Address::parse(found->get_ref<const std::string&>()) : std::nullopt;
    if (!address) {
        throw std::runtime_error(std::string{"ports: '"} + key + "' is no address: " + found->dump());
    }
    return address;
}

PortDescription parse_port(const json& item) {
    PortDescription port;
    port.cp = item.at("cp").get<std::string>();
    port.ifname = item.value("ifname", "");
    port.mac = address_member<packet::MacAddress>(item, "mac");
    port.ip = address_member<packet::Ipv4Address>(item, "ip");
    port.prefix = item.value("prefix", 24U);
    if (port.prefix > 32) {
        throw std::runtime_error("ports: 'prefix' above 32: " + std::to_string(port.prefix));
    }
    return port;
}

}  // namespace

const PortDescription& UserData::port(const std::string& cp) const {
    std::string known;
    for (const auto& candidate : ports) {
        if (candidate.cp == cp) {
            return candidate;
        }
        known += (known.empty() ? "" : ", ") + candidate.cp;
    }
    throw std::runtime_error("user data: no port for connection point '" + cp + "', there are: " + known);
}

double UserData::number(const std::string& key, double otherwise) const {
    const auto found = config.find(key);
    if (found == config.end() || found->is_null()) {
        return otherwise;
    }
    double value = -1;
    if (found->is_number()) {
        value = found->get<double>();
    } else if (found->is_string()) {
        const auto& text = found->get_ref<const std::string&>();
        const auto* const end = text.data() + text.size();
        if (const auto [stop, error] = std::from_chars(text.data(), end, value); error != std::errc{} || stop != end) {
            value = -1;
        }
    }
    if (!std::isfinite(value) || value < 0) {
        throw std::runtime_error("user data: config '" + key + "' must be a number not below 0, found " + found->dump());
    }
    return value;
}

UserData parse_user_data(const json& document) {
    UserData data;
    data.vnfc_id = document.value("vnfcId", "");
    for (const auto& item : document.at("ports")) {
        data.ports.push_back(parse_port(item));
    }
    if (const auto config = document.find("config"); config != document.end() && config->is_object()) {
        data.config = *config;
    }
    return data;
}

UserData read_user_data(const std::string& path) {
    std::ifstream file{path};
    if (!file) {
        throw std::runtime_error("user data " + path + " cannot be read");
    }
    try {
        return parse_user_data(json::parse(file));
    } catch (const std::exception& error) {
        throw std::runtime_error("user data " + path + ": " + error.what());
    }
}

}  // namespace nfvcert::runtime
