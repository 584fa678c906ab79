#pragma once
// What is asked of the generator; times in seconds, rates per second.

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "packet/address.hpp"

namespace nfvcert::generator {

struct Profile {
    double pps = 20000;
    double concurrent_flows = 2000;
    unsigned flows_per_user = 4;
    double mean_flow_lifetime_s = 2.0;
    packet::Ipv4Address user_base;
    std::uint32_t user_count = 40000;
    std::uint16_t dst_port = 5000;
    std::size_t frame_bytes = 128;  // without frame check sequence
    std::uint32_t return_every = 10;  // 0: nothing is sent back
    std::uint32_t long_lived_flows = 0;
    std::uint64_t seed = 1;

    [[nodiscard]] double short_lived_flows() const { return concurrent_flows - long_lived_flows; }
    /// New users per second in the steady state.
    [[nodiscard]] double users_per_second() const {
        return short_lived_flows() / (mean_flow_lifetime_s * flows_per_user);
    }
};

inline constexpr double address_rest_s = 10;  // an address rests that long before another user gets it
inline constexpr double longest_stay = 6;     // times the mean life of all flows of a user: hardly anybody stays longer

inline constexpr double most_pps = 2e6;
inline constexpr std::size_t smallest_frame = 14 + 20 + 8 + 25;
inline constexpr std::size_t largest_frame = 1514;

inline packet::Ipv4Address address_of(const nlohmann::json& value) {
    const auto address = packet::Ipv4Address::parse(value.get<std::string>());
    if (!address) {
        throw std::invalid_argument("not an IPv4 address: " + value.get<std::string>());
    }
    return *address;
}

/// Reads a profile; throws std::invalid_argument for a value that makes no sense.
inline Profile profile_of(const nlohmann::json& raw) {
    Profile profile;
    profile.pps = raw.value("pps", profile.pps);
    profile.concurrent_flows = raw.value("concurrent_flows", profile.concurrent_flows);
    profile.flows_per_user = raw.value("flows_per_user", profile.flows_per_user);
    profile.mean_flow_lifetime_s = raw.value("mean_flow_lifetime_s", profile.mean_flow_lifetime_s);
    profile.user_base = address_of(raw.at("user_base"));
    profile.user_count = raw.value("user_count", profile.user_count);
    profile.dst_port = raw.value("dst_port", profile.dst_port);
    profile.frame_bytes = raw.value("frame_bytes", profile.frame_bytes);
    profile.return_every = raw.value("return_every", profile.return_every);
    profile.long_lived_flows = raw.value("long_lived_flows", profile.long_lived_flows);
    profile.seed = raw.value("seed", profile.seed);
    if (profile.pps <= 0 || profile.pps > most_pps || profile.concurrent_flows <= 0 || profile.flows_per_user == 0 ||
        profile.mean_flow_lifetime_s <= 0 || profile.user_count <= profile.long_lived_flows) {
        throw std::invalid_argument("a rate, a number or a lifetime of the profile is out of range");
    }
    if (profile.long_lived_flows > profile.concurrent_flows) {
        throw std::invalid_argument("long_lived_flows is more than concurrent_flows");
    }
    const double stay_s = longest_stay * profile.mean_flow_lifetime_s * profile.flows_per_user;
    if (profile.user_count - profile.long_lived_flows < profile.users_per_second() * (stay_s + address_rest_s)) {
        throw std::invalid_argument("user_count is too small: addresses would come back before they have rested 10 s");
    }
    if (profile.user_base.value > std::numeric_limits<std::uint32_t>::max() - profile.user_count) {
        throw std::invalid_argument("user_base is too high for so many users");
    }
    if (profile.frame_bytes < smallest_frame || profile.frame_bytes > largest_frame) {
        throw std::invalid_argument("frame_bytes must be between 67 and 1514");
    }
    return profile;
}

}  // namespace nfvcert::generator
