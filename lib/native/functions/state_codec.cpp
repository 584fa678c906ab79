#include "functions/state_codec.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <string>

namespace nfvcert::functions {

using nlohmann::json;

namespace {

constexpr std::uint64_t ns_per_us = 1'000;
constexpr std::uint64_t ns_per_ms = 1'000'000;

constexpr std::array<std::string_view, 6> tcp_names{"none",          "opening",        "established",
                                                    "inside_closed", "outside_closed", "closed"};

std::string_view name_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::icmp:
            return "icmp";
        case Protocol::tcp:
            return "tcp";
        case Protocol::udp:
            break;
    }
    return "udp";
}

[[noreturn]] void refuse(const std::string& what, const json& found) {
    throw StateFormatError("state: " + what + ", found " + found.dump().substr(0, 80));
}

template <typename Number>
Number number(const json& value, std::uint64_t limit, const char* what) {
    const bool natural = value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
    if (!natural || value.get<std::uint64_t>() > limit) {
        refuse(std::string{what} + " must be a number from 0 to " + std::to_string(limit), value);
    }
    return static_cast<Number>(value.get<std::uint64_t>());
}

const json& member(const json& object, const char* key) {
    const auto found = object.find(key);
    if (!object.is_object() || found == object.end()) {
        refuse(std::string{"key '"} + key + "' missing", object);
    }
    return *found;
}

const std::string& string_of(const json& value, const char* what) {
    if (!value.is_string()) {
        refuse(std::string{what} + " must be a string", value);
    }
    return value.get_ref<const std::string&>();
}

Ipv4Address address_of(const json& value) {
    const auto address = Ipv4Address::parse(string_of(value, "an IPv4 address"));
    if (!address) {
        refuse("an IPv4 address expected", value);
    }
    return *address;
}

MacAddress mac_of(const json& value) {
    const auto mac = MacAddress::parse(string_of(value, "a MAC address"));
    if (!mac) {
        refuse("a MAC address expected", value);
    }
    return *mac;
}

Endpoint endpoint_of(const json& value) {
    const std::string_view text = string_of(value, "an endpoint");
    const auto colon = text.rfind(':');
    const auto address = Ipv4Address::parse(text.substr(0, colon));
    Endpoint endpoint;
    if (address && colon != std::string_view::npos) {
        endpoint.address = *address;
        const auto* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, endpoint.port);
        if (error == std::errc{} && stop == end) {
            return endpoint;
        }
    }
    refuse("an endpoint as address:port expected", value);
}

Protocol protocol_of_number(const json& value) {
    const auto protocol = static_cast<Protocol>(number<std::uint8_t>(value, 255, "protocol"));
    if (protocol != Protocol::icmp && protocol != Protocol::tcp && protocol != Protocol::udp) {
        refuse("protocol must be 1, 6 or 17", value);
    }
    return protocol;
}

Protocol protocol_of_name(const json& value) {
    const auto& name = string_of(value, "protocol");
    for (const auto protocol : {Protocol::icmp, Protocol::tcp, Protocol::udp}) {
        if (name == name_of(protocol)) {
            return protocol;
        }
    }
    refuse("protocol must be icmp, tcp or udp", value);
}

TcpState tcp_of_name(const json& value) {
    const auto found = std::ranges::find(tcp_names, string_of(value, "tcp"));
    if (found == tcp_names.end()) {
        refuse("unknown tcp state", value);
    }
    return static_cast<TcpState>(found - tcp_names.begin());
}

/// An object built in place: initializer lists would build an array per member first, which thousands of sessions feel.
json encode_1_session(const SessionRecord& record) {
    json::object_t session;
    session.emplace("protocol", name_of(record.protocol));
    session.emplace("inside", record.inside.text());
    session.emplace("external", record.external.text());
    session.emplace("remote", record.remote.text());
    session.emplace("mac", record.inside_mac.text());
    session.emplace("tcp", tcp_names[static_cast<std::size_t>(record.tcp)]);
    session.emplace("idle_ms", record.idle_ns / ns_per_ms);
    return session;
}

json encode_1(const StateSnapshot& state) {
    json::array_t sessions;
    sessions.reserve(state.size());
    for (const auto& record : state) {
        sessions.push_back(encode_1_session(record));
    }
    return {{"format", 1}, {"sessions", std::move(sessions)}};
}

StateSnapshot decode_1(const json& state) {
    StateSnapshot snapshot;
    for (const auto& item : member(state, "sessions")) {
        snapshot.push_back({protocol_of_name(member(item, "protocol")), endpoint_of(member(item, "inside")),
                            endpoint_of(member(item, "external")), endpoint_of(member(item, "remote")),
                            mac_of(member(item, "mac")), tcp_of_name(member(item, "tcp")),
                            number<std::uint64_t>(member(item, "idle_ms"), UINT64_MAX / ns_per_ms, "idle_ms") * ns_per_ms});
    }
    return snapshot;
}

json encode_2(const StateSnapshot& state) {
    std::map<std::pair<Ipv4Address, MacAddress>, json> sessions_of_user;
    for (const auto& record : state) {
        auto& sessions = sessions_of_user[{record.inside.address, record.inside_mac}];
        sessions.push_back(json::array({static_cast<unsigned>(record.protocol), record.inside.port,
                                        record.external.address.text(), record.external.port,
                                        record.remote.address.text(), record.remote.port,
                                        static_cast<unsigned>(record.tcp), record.idle_ns / ns_per_us}));
    }
    auto users = json::array();
    for (auto& [user, sessions] : sessions_of_user) {
        users.push_back({{"address", user.first.text()}, {"mac", user.second.text()}, {"sessions", std::move(sessions)}});
    }
    return {{"format", 2}, {"users", std::move(users)}};
}

SessionRecord decode_2_session(Ipv4Address user, const MacAddress& mac, const json& item) {
    if (!item.is_array() || item.size() != 8) {
        refuse("a session must be an array of 8", item);
    }
    const auto port = [&](std::size_t index) { return number<std::uint16_t>(item[index], 65535, "port"); };
    return {protocol_of_number(item[0]),
            {user, port(1)},
            {address_of(item[2]), port(3)},
            {address_of(item[4]), port(5)},
            mac,
            static_cast<TcpState>(number<std::uint8_t>(item[6], last_tcp_state, "tcp")),
            number<std::uint64_t>(item[7], UINT64_MAX / ns_per_us, "idle_us") * ns_per_us};
}

StateSnapshot decode_2(const json& state) {
    StateSnapshot snapshot;
    for (const auto& user : member(state, "users")) {
        const auto address = address_of(member(user, "address"));
        const auto mac = mac_of(member(user, "mac"));
        for (const auto& item : member(user, "sessions")) {
            snapshot.push_back(decode_2_session(address, mac, item));
        }
    }
    return snapshot;
}

std::string list(const std::set<int>& formats) {
    std::string text;
    for (const auto format : formats) {
        text += (text.empty() ? "" : ", ") + std::to_string(format);
    }
    return text;
}

}  // namespace

json StateCodec::encode(const StateSnapshot& state, int format) const {
    if (!exports_.contains(format)) {
        throw StateFormatError("state format " + std::to_string(format) + " cannot be exported, only " + list(exports_));
    }
    return format == 1 ? encode_1(state) : encode_2(state);
}

StateSnapshot StateCodec::decode(const json& state) const {
    const auto format = number<int>(member(state, "format"), 1'000'000, "format");
    if (!imports_.contains(format)) {
        throw StateFormatError("state format " + std::to_string(format) + " cannot be imported, only " + list(imports_));
    }
    return format == 1 ? decode_1(state) : decode_2(state);
}

}  // namespace nfvcert::functions
