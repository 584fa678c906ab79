#pragma once
// Sessions of a NAT44 and the mappings they share: indexes only, no policy.

#include <cstdint>
#include <list>
#include <unordered_map>

#include "functions/tcp_tracker.hpp"
#include "packet/address.hpp"
#include "packet/ipv4.hpp"

namespace nfvcert::functions {

using packet::Endpoint;
using packet::Ipv4Address;
using packet::MacAddress;
using packet::Protocol;

/// One conversation of an inside endpoint with a remote one. Times in nanoseconds of the caller's clock.
struct Session {
    Protocol protocol = Protocol::udp;
    Endpoint inside;
    Endpoint external;
    Endpoint remote;  // port 0 for ICMP echo
    MacAddress inside_mac;
    TcpState tcp = TcpState::none;
    std::uint64_t last_seen_ns = 0;
};

/// Owns the sessions. Every session is found by its inside and by its external tuple; sessions of one inside endpoint
/// share one external endpoint (endpoint-independent mapping, RFC 4787 REQ-1).
class SessionTable {
public:
    using Sessions = std::list<Session>;

    [[nodiscard]] Session* find_outbound(Protocol protocol, const Endpoint& inside, const Endpoint& remote);
    [[nodiscard]] Session* find_inbound(Protocol protocol, const Endpoint& external, const Endpoint& remote);
    /// External endpoint that `inside` is mapped to, or nullptr.
    [[nodiscard]] const Endpoint* mapping_of(Protocol protocol, const Endpoint& inside) const;
    /// Whether any mapping uses `external`.
    [[nodiscard]] bool external_in_use(Protocol protocol, const Endpoint& external) const;

    /// Adds a session whose tuples are not present and whose mapping, if present, is the same; nullptr otherwise.
    Session* insert(const Session& session);

    /// Removes a session; true when no other session uses its external endpoint any more.
    bool erase(const Session& session);

    [[nodiscard]] const Sessions& sessions() const { return sessions_; }
    [[nodiscard]] std::size_t size() const { return sessions_.size(); }
    /// Number of distinct inside addresses.
    [[nodiscard]] std::size_t users() const { return sessions_of_user_.size(); }

private:
    struct FlowKey {
        Protocol protocol;
        Endpoint local;
        Endpoint remote;
        bool operator==(const FlowKey&) const = default;
    };
    struct MappingKey {
        Protocol protocol;
        Endpoint endpoint;
        bool operator==(const MappingKey&) const = default;
    };
    struct KeyHash {
        static std::uint64_t word(const Endpoint& endpoint) {
            return (static_cast<std::uint64_t>(endpoint.address.value) << 16) | endpoint.port;
        }
        std::size_t operator()(const FlowKey& key) const noexcept {
            return packet::mix64(packet::mix64(word(key.local)) ^ word(key.remote) ^
                                 (static_cast<std::uint64_t>(key.protocol) << 56));
        }
        std::size_t operator()(const MappingKey& key) const noexcept {
            return packet::mix64(word(key.endpoint) ^ (static_cast<std::uint64_t>(key.protocol) << 56));
        }
    };
    struct Mapping {
        Endpoint external;
        std::size_t sessions = 0;
    };

    Sessions sessions_;
    std::unordered_map<FlowKey, Sessions::iterator, KeyHash> outbound_;
    std::unordered_map<FlowKey, Sessions::iterator, KeyHash> inbound_;
    std::unordered_map<MappingKey, Mapping, KeyHash> mappings_;       // by inside endpoint
    std::unordered_map<MappingKey, Endpoint, KeyHash> externals_;     // external endpoint -> inside endpoint
    std::unordered_map<Ipv4Address, std::size_t> sessions_of_user_;
};

}  // namespace nfvcert::functions
