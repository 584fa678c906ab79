#pragma once
// Stateful NAT44 as a pure function of packets, state and time. No clock, no random numbers, no sockets: the caller
// passes monotonic nanoseconds and moves the octets, so that any runtime can carry it.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "functions/port_allocator.hpp"
#include "functions/session_table.hpp"

namespace nfvcert::functions {

enum class DropReason : std::uint8_t {
    none,
    malformed,             // lengths or versions that do not fit
    bad_checksum,          // of the IPv4 header, or of an ICMP error
    fragment,              // fragments are not translated
    ttl_expired,           // would leave with TTL 0
    martian,               // source or destination no unicast address
    unsupported_protocol,  // neither UDP, TCP nor ICMP
    unsupported_icmp,      // neither echo nor an error about a session
    tcp_without_session,   // segment other than SYN of an unknown connection
    no_session,            // from outside, nothing known
    port_exhausted,        // no external port left
    session_limit,         // table full
};
inline constexpr std::size_t drop_reason_count = 12;

/// snake_case name for statistics.
std::string_view name_of(DropReason reason);

struct NatTimeouts {
    std::uint64_t udp_ns = 120'000'000'000;              // RFC 4787 REQ-5
    std::uint64_t tcp_established_ns = 7'440'000'000'000;  // RFC 5382 REQ-5
    std::uint64_t tcp_transitory_ns = 240'000'000'000;
    std::uint64_t icmp_ns = 60'000'000'000;  // RFC 5508 REQ-2
};

struct NatConfig {
    Ipv4Address external_address;
    NatTimeouts timeouts;
    std::optional<std::uint8_t> dscp;  // set on every translated packet, both directions
    std::size_t max_sessions = 200'000;
};

struct NatVerdict {
    DropReason drop = DropReason::none;
    std::size_t length = 0;   // octets of the packet without link padding
    Ipv4Address destination;  // after translation
    MacAddress inside_mac;    // inbound: where the session's packets came from

    [[nodiscard]] bool forwards() const { return drop == DropReason::none; }
};

/// All that another instance needs to carry on. Idle times instead of points in time: clocks need not agree.
struct SessionRecord {
    Protocol protocol = Protocol::udp;
    Endpoint inside;
    Endpoint external;
    Endpoint remote;
    MacAddress inside_mac;
    TcpState tcp = TcpState::none;
    std::uint64_t idle_ns = 0;
};

using StateSnapshot = std::vector<SessionRecord>;

struct AdoptionReport {
    std::size_t sessions = 0;         // taken over
    std::size_t conflicts = 0;        // refused: tuple, mapping or port used otherwise, or table full
    std::set<Ipv4Address> addresses;  // external addresses of the sessions taken over
};

class Nat44 {
public:
    Nat44(const NatConfig& config, std::unique_ptr<PortAllocator> ports);

    /// Translates a packet from inside in place; `from` is the link address it came from.
    NatVerdict outbound(packet::Bytes packet, const MacAddress& from, std::uint64_t now_ns);
    /// Translates a packet from outside in place.
    NatVerdict inbound(packet::Bytes packet, std::uint64_t now_ns);

    /// Removes the sessions whose timeout has passed and gives their ports back.
    void expire(std::uint64_t now_ns);

    [[nodiscard]] StateSnapshot snapshot(std::uint64_t now_ns) const;
    AdoptionReport adopt(const StateSnapshot& state, std::uint64_t now_ns);

    [[nodiscard]] std::size_t sessions() const { return table_.size(); }
    [[nodiscard]] std::size_t users() const { return table_.users(); }
    /// Sessions with a packet within the last `idle_ns`.
    [[nodiscard]] std::size_t active_sessions(std::uint64_t now_ns, std::uint64_t idle_ns) const;
    /// Time of the last translated packet, 0 before the first.
    [[nodiscard]] std::uint64_t last_packet_ns() const { return last_packet_ns_; }
    [[nodiscard]] std::uint64_t forwarded(Direction direction) const { return forwarded_[static_cast<std::size_t>(direction)]; }
    [[nodiscard]] std::uint64_t dropped(DropReason reason) const { return dropped_[static_cast<std::size_t>(reason)]; }

private:
    using Bytes = packet::Bytes;
    using Header = packet::Ipv4Header;

    struct Flow {  // as seen by the translator: local is its inside or external endpoint
        Protocol protocol = Protocol::udp;
        Endpoint local;
        Endpoint remote;
        std::uint8_t tcp_flags = 0;
    };
    struct Found {
        DropReason drop = DropReason::none;
        Session* session = nullptr;
    };

    NatVerdict translate(Direction direction, Bytes packet, const MacAddress& from, std::uint64_t now_ns);
    DropReason translate_transport(Direction direction, Bytes packet, const Header& header, const MacAddress& from,
                                   std::uint64_t now_ns, NatVerdict& verdict);
    DropReason translate_icmp(Direction direction, Bytes packet, const Header& header, const MacAddress& from,
                              std::uint64_t now_ns, NatVerdict& verdict);
    DropReason translate_icmp_error(Direction direction, Bytes packet, const Header& header, std::uint64_t now_ns,
                                    NatVerdict& verdict);
    DropReason carry(Direction direction, Bytes packet, const Header& header, const Flow& flow, const MacAddress& from,
                     std::uint64_t now_ns, NatVerdict& verdict);
    Found find_or_open(Direction direction, const Flow& flow, std::uint64_t now_ns);
    Found open(const Flow& flow, std::uint64_t now_ns);
    Session* find_live(Direction direction, const Flow& flow, std::uint64_t now_ns);
    [[nodiscard]] std::uint64_t timeout_of(const Session& session) const;
    [[nodiscard]] bool expired(const Session& session, std::uint64_t now_ns) const;
    void remove(const Session& session);
    bool adopt_one(const Session& session);

    NatConfig config_;
    std::unique_ptr<PortAllocator> ports_;
    SessionTable table_;
    std::uint64_t last_packet_ns_ = 0;
    std::array<std::uint64_t, 2> forwarded_{};
    std::array<std::uint64_t, drop_reason_count> dropped_{};
};

}  // namespace nfvcert::functions
