#pragma once
// The measurement frame: Ethernet, IPv4, UDP, and a payload by which every packet is known again.
//
// Payload, big endian: magic u32, flow u64, sequence u32, sent (CLOCK_MONOTONIC ns) u64, flags u8; zeros to the length.

#include <cstdint>
#include <optional>
#include <vector>

#include "packet/checksum.hpp"
#include "packet/ethernet.hpp"
#include "packet/ipv4.hpp"
#include "packet/transport.hpp"

namespace nfvcert::generator {

inline constexpr std::uint32_t magic = 0x4E465643;
inline constexpr std::size_t ip_at = packet::ethernet_header_length;
inline constexpr std::size_t udp_at = ip_at + 20;
inline constexpr std::size_t payload_at = udp_at + 8;
inline constexpr std::size_t payload_length = 25;

struct Mark {
    std::uint64_t flow = 0;
    std::uint32_t sequence = 0;
    std::uint64_t sent = 0;
    bool is_return = false;
};

inline void store64(packet::Bytes bytes, std::size_t at, std::uint64_t value) {
    packet::store32(bytes, at, static_cast<std::uint32_t>(value >> 32));
    packet::store32(bytes, at + 4, static_cast<std::uint32_t>(value));
}

inline std::uint64_t load64(packet::ConstBytes bytes, std::size_t at) {
    return (static_cast<std::uint64_t>(packet::load32(bytes, at)) << 32) | packet::load32(bytes, at + 4);
}

inline void write_mark(packet::Bytes frame, const Mark& mark) {
    packet::store32(frame, payload_at, magic);
    store64(frame, payload_at + 4, mark.flow);
    packet::store32(frame, payload_at + 12, mark.sequence);
    store64(frame, payload_at + 16, mark.sent);
    frame[payload_at + 24] = mark.is_return ? 1 : 0;
}

/// Computes the UDP checksum anew; RFC 768 writes a computed zero as all ones.
inline void seal(packet::Bytes frame) {
    const auto ip = frame.subspan(ip_at);
    if (const auto header = packet::parse_ipv4(ip)) {
        packet::store16(frame, udp_at + 6, 0);
        packet::complete_transport_checksum(ip, *header);
    }
}

/// Writes a whole frame of `frame.size()` octets.
inline void write_frame(packet::Bytes frame, const packet::MacAddress& to, const packet::MacAddress& from,
                        const packet::Endpoint& source, const packet::Endpoint& destination, const Mark& mark) {
    packet::write_ethernet(frame, {to, from, packet::ethertype_ipv4});
    const auto ip = frame.subspan(ip_at);
    ip[0] = 0x45;
    ip[1] = 0;
    packet::store16(ip, 2, static_cast<std::uint16_t>(ip.size()));
    packet::store16(ip, 4, static_cast<std::uint16_t>(mark.sequence));
    packet::store16(ip, 6, 0x4000);
    ip[8] = 64;
    ip[9] = static_cast<std::uint8_t>(packet::Protocol::udp);
    packet::store16(ip, 10, 0);
    source.address.store(ip, 12);
    destination.address.store(ip, 16);
    packet::store16(ip, 10, packet::checksum(ip.first(20)));
    packet::store16(frame, udp_at, source.port);
    packet::store16(frame, udp_at + 2, destination.port);
    packet::store16(frame, udp_at + 4, static_cast<std::uint16_t>(ip.size() - 20));
    write_mark(frame, mark);
    seal(frame);
}

struct Received {
    Mark mark;
    packet::Endpoint source;
    packet::Endpoint destination;
    int dscp = 0;
    bool intact = false;  // both checksums are right
};

/// A measurement packet; nullopt for everything else.
inline std::optional<Received> read_frame(packet::ConstBytes frame) {
    if (frame.size() < payload_at + payload_length || packet::load16(frame, 12) != packet::ethertype_ipv4) {
        return std::nullopt;
    }
    const auto ip = frame.subspan(ip_at);
    const auto header = packet::parse_ipv4(ip);
    if (!header || header->header_length != 20 || !header->carries(packet::Protocol::udp) || header->is_fragment() ||
        packet::load32(frame, payload_at) != magic) {
        return std::nullopt;
    }
    Received found;
    found.mark = {load64(frame, payload_at + 4), packet::load32(frame, payload_at + 12), load64(frame, payload_at + 16),
                  frame[payload_at + 24] != 0};
    found.source = {header->source, packet::load16(frame, udp_at)};
    found.destination = {header->destination, packet::load16(frame, udp_at + 2)};
    found.dscp = ip[1] >> 2;
    found.intact = packet::ipv4_checksum_valid(ip, *header) &&
                   packet::checksum_valid(ip.subspan(20, header->payload_length()), packet::pseudo_header_sum(*header));
    return found;
}

/// Turns a received packet round: the answer to it, marked as a return.
inline void turn_round(packet::Bytes frame, const Received& received, const packet::MacAddress& own) {
    const auto sender = packet::MacAddress::load(frame, 6);
    auto mark = received.mark;
    mark.is_return = true;
    write_frame(frame, sender, own, received.destination, received.source, mark);
}

}  // namespace nfvcert::generator
