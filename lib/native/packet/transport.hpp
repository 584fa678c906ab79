#pragma once
// What a translator needs of UDP (RFC 768), TCP (RFC 9293) and ICMP (RFC 792).

#include <cstdint>
#include <optional>

#include "packet/ipv4.hpp"

namespace nfvcert::packet {

namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t syn = 0x02;
inline constexpr std::uint8_t rst = 0x04;
inline constexpr std::uint8_t ack = 0x10;
}  // namespace tcp_flag

struct Ports {
    std::uint16_t source = 0;
    std::uint16_t destination = 0;
    std::uint8_t tcp_flags = 0;  // 0 for UDP
};

/// Ports of a UDP or TCP segment that must be whole; nullopt when its lengths do not fit `payload`.
std::optional<Ports> parse_udp(ConstBytes payload);
std::optional<Ports> parse_tcp(ConstBytes payload);

/// Ports from the first eight octets of a quoted UDP or TCP segment.
std::optional<Ports> parse_quoted_ports(ConstBytes payload);

enum class IcmpKind { echo_request, echo_reply, error, other };

struct IcmpHeader {
    IcmpKind kind = IcmpKind::other;
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint16_t identifier = 0;  // echo only
};

inline constexpr std::size_t icmp_header_length = 8;

std::optional<IcmpHeader> parse_icmp(ConstBytes payload);

enum class Field { source, destination };

/// Gives one side of a packet another address and port (ICMP echo: identifier), and corrects the header's and the
/// transport's checksum incrementally. Works on quoted packets cut off after eight octets of payload: what is not
/// there is not touched. A UDP checksum of zero ("none") stays zero.
void rewrite_endpoint(Bytes packet, const Ipv4Header& header, Field field, const Endpoint& endpoint);

/// Computes the UDP or TCP checksum from scratch; for packets of local stacks that left it to hardware.
void complete_transport_checksum(Bytes packet, const Ipv4Header& header);

}  // namespace nfvcert::packet
