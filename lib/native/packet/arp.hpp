#pragma once
// ARP for IPv4 over Ethernet (RFC 826), probes and announcements (RFC 5227).

#include <array>
#include <cstdint>
#include <optional>

#include "packet/address.hpp"
#include "packet/ethernet.hpp"

namespace nfvcert::packet {

enum class ArpOperation : std::uint16_t { request = 1, reply = 2 };

struct ArpPacket {
    ArpOperation operation = ArpOperation::request;
    MacAddress sender_mac;
    Ipv4Address sender_ip;
    MacAddress target_mac;
    Ipv4Address target_ip;
};

inline constexpr std::size_t arp_length = 28;

using ArpFrame = std::array<std::uint8_t, ethernet_minimum_frame>;

/// Reads the payload of an ARP frame; nullopt for other address families, unknown operations or a short payload.
std::optional<ArpPacket> parse_arp(ConstBytes payload);

/// A whole frame, padded with zeros to the Ethernet minimum.
ArpFrame arp_frame(const MacAddress& destination, const ArpPacket& packet);

ArpFrame arp_reply(const ArpPacket& request, const MacAddress& answer);

/// Broadcast question for `target`; `sender_ip` zero makes it a probe that changes no cache.
ArpFrame arp_request(const MacAddress& sender_mac, Ipv4Address sender_ip, Ipv4Address target);

/// Gratuitous request that tells every neighbour where `address` is now.
inline ArpFrame arp_announcement(const MacAddress& mac, Ipv4Address address) { return arp_request(mac, address, address); }

}  // namespace nfvcert::packet
