#pragma once
// Why a network function did not pass a packet on.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nfvcert::nf {

enum class DropReason : std::uint8_t {
    none,
    // any function
    not_ipv4,               // another ethertype
    malformed,              // lengths or versions that do not fit
    bad_checksum,           // of the IPv4 header, of an ICMP error or of the header that it quotes
    martian,                // source or destination no unicast address
    ttl_expired,            // would leave with TTL 0
    foreign,                // neither from the inside nor to an address of the function
    unsupported_protocol,   // neither UDP, TCP nor ICMP
    unsupported_icmp,       // neither echo nor an error about a living flow
    state_exported,         // the flow's state has been given away and is not to be changed here
    tiny_fragment,          // a first fragment without the fields that identify its flow, or overlapping them (RFC 1858)
    fragment_without_first, // a later fragment whose first one has not been seen
    // translators and firewall
    no_pinhole,             // from outside, nothing known and no rule
    denied,                 // by a rule of the firewall
    tcp_without_session,    // segment other than SYN of an unknown connection
    half_open_limit,        // too many connections of one source that are not established
    host_limit,             // too many sessions of one source
    session_limit,          // table full
    port_exhausted,         // no external port left, or none old enough to be used again
    hairpin_refused,        // from inside to an own external address, and that is switched off
    // WAN optimiser
    undecodable,            // a damaged encoding
    stale_generation,       // a request about packets of an encoder before its restart
    reference_lost,         // a request about a packet that the encoder does not keep any more
    no_room,                // the packet does not fit its buffer when decoded
    // shaper
    early_drop,             // chosen before the queue is full
    queue_full,
    // load balancer
    no_server,              // none takes new flows
};
inline constexpr std::size_t drop_reason_count = 27;

/// snake_case name for statistics.
std::string_view name_of(DropReason reason);

}  // namespace nfvcert::nf
