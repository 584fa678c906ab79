#include "generator/engine/host.hpp"

#include <algorithm>

#include "packet/arp.hpp"
#include "packet/checksum.hpp"
#include "packet/ethernet.hpp"
#include "packet/ipv4.hpp"
#include "packet/transport.hpp"

namespace nfvcert::engine {
namespace {

using packet::Bytes;
using packet::MacAddress;

constexpr std::uint16_t vlan_mask = 0x0fff;
constexpr std::size_t tag_octets = 4;
constexpr std::size_t type_offset = 12;
constexpr std::size_t source_offset = 6;
constexpr std::uint8_t usual_ttl = 64;

bool answer_arp(const Host& host, Bytes frame, Bytes payload) {
    const auto request = packet::parse_arp(payload);
    if (!request || request->operation != packet::ArpOperation::request || request->target_ip != host.address ||
        request->sender_ip == host.address || request->sender_mac.is_group()) {
        return false;
    }
    packet::readdress(frame, request->sender_mac, host.mac);
    const auto reply = packet::arp_reply(*request, host.mac);
    std::copy_n(reply.begin() + packet::ethernet_header_length, packet::arp_length, payload.begin());
    return true;
}

bool answer_echo(const Host& host, Bytes frame, Bytes payload) {
    const auto header = packet::parse_ipv4(payload);
    const auto sender = MacAddress::load(frame, source_offset);
    if (!header || !header->carries(packet::Protocol::icmp) || header->is_fragment() || header->destination != host.address ||
        MacAddress::load(frame, 0) != host.mac || sender.is_group() ||
        !header->source.is_routable_unicast() || !packet::ipv4_checksum_valid(payload, *header)) {
        return false;
    }
    const auto message = payload.subspan(header->header_length, header->payload_length());
    const auto icmp = packet::parse_icmp(message);
    if (!icmp || icmp->kind != packet::IcmpKind::echo_request || icmp->code != 0 || !packet::checksum_valid(message)) {
        return false;
    }
    packet::readdress(frame, sender, host.mac);
    packet::set_ipv4_destination(payload, header->source);
    packet::set_ipv4_source(payload, host.address);
    packet::set_ttl(payload, usual_ttl);
    packet::store16(message, 2, packet::checksum_adjust(packet::load16(message, 2), packet::load16(message, 0), 0));
    packet::store16(message, 0, 0);
    return true;
}

}  // namespace

bool Host::answer(Bytes frame) const {
    auto at = type_offset;
    for (const auto vlan : vlans) {
        if (frame.size() < at + tag_octets) {
            return false;
        }
        const auto tag = packet::load16(frame, at);
        if ((tag != packet::ethertype_vlan && tag != packet::ethertype_service_vlan) || (packet::load16(frame, at + 2) & vlan_mask) != vlan) {
            return false;
        }
        at += tag_octets;
    }
    if (frame.size() < at + 2) {
        return false;
    }
    const auto payload = frame.subspan(at + 2);
    switch (packet::load16(frame, at)) {
        case packet::ethertype_arp:
            return answer_arp(*this, frame, payload);
        case packet::ethertype_ipv4:
            return answer_echo(*this, frame, payload);
        default:
            return false;
    }
}

}  // namespace nfvcert::engine
