#pragma once
// IPv4 header (RFC 791): parsing with bounds checks, and edits that keep the header checksum right.

#include <cstdint>
#include <optional>

#include "packet/address.hpp"

namespace nfvcert::packet {

enum class Protocol : std::uint8_t { icmp = 1, tcp = 6, udp = 17 };

struct Ipv4Header {
    std::size_t header_length = 0;  // octets, options included
    std::size_t total_length = 0;   // octets, header included
    std::uint8_t ttl = 0;
    std::uint8_t protocol = 0;
    bool more_fragments = false;
    std::uint16_t fragment_offset = 0;  // units of 8 octets
    Ipv4Address source;
    Ipv4Address destination;

    [[nodiscard]] bool is_fragment() const { return more_fragments || fragment_offset != 0; }
    [[nodiscard]] bool carries(Protocol which) const { return protocol == static_cast<std::uint8_t>(which); }
    [[nodiscard]] std::size_t payload_length() const { return total_length - header_length; }
};

/// Reads a header whose whole packet must lie in `packet` (link padding may follow); nullopt when it does not fit.
std::optional<Ipv4Header> parse_ipv4(ConstBytes packet);

/// As parse_ipv4, but the payload may be cut off, as in the packet quoted by an ICMP error.
std::optional<Ipv4Header> parse_quoted_ipv4(ConstBytes packet);

/// Verifies the header checksum; `header` must come from parsing the same octets.
bool ipv4_checksum_valid(ConstBytes packet, const Ipv4Header& header);

void set_ipv4_source(Bytes packet, Ipv4Address address);
void set_ipv4_destination(Bytes packet, Ipv4Address address);
void set_dscp(Bytes packet, std::uint8_t dscp);  // 0..63; the two ECN bits stay
void set_ttl(Bytes packet, std::uint8_t ttl);
void decrement_ttl(Bytes packet);                // the caller has checked that it is above 1

/// Sum of the pseudo header of UDP and TCP, for checksum().
std::uint64_t pseudo_header_sum(const Ipv4Header& header);

}  // namespace nfvcert::packet
