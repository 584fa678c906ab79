#include "packet/arp.hpp"

namespace nfvcert::packet {

namespace {

constexpr std::uint16_t hardware_ethernet = 1;

}  // namespace

std::optional<ArpPacket> parse_arp(ConstBytes payload) {
    if (payload.size() < arp_length || load16(payload, 0) != hardware_ethernet || load16(payload, 2) != ethertype_ipv4 ||
        payload[4] != 6 || payload[5] != 4) {
        return std::nullopt;
    }
    const auto operation = load16(payload, 6);
    if (operation != 1 && operation != 2) {
        return std::nullopt;
    }
    return ArpPacket{static_cast<ArpOperation>(operation), MacAddress::load(payload, 8), Ipv4Address::load(payload, 14),
                     MacAddress::load(payload, 18), Ipv4Address::load(payload, 24)};
}

ArpFrame arp_frame(const MacAddress& destination, const ArpPacket& packet) {
    ArpFrame frame{};
    write_ethernet(frame, {destination, packet.sender_mac, ethertype_arp});
    const Bytes payload = Bytes{frame}.subspan(ethernet_header_length);
    store16(payload, 0, hardware_ethernet);
    store16(payload, 2, ethertype_ipv4);
    payload[4] = 6;
    payload[5] = 4;
    store16(payload, 6, static_cast<std::uint16_t>(packet.operation));
    packet.sender_mac.store(payload, 8);
    packet.sender_ip.store(payload, 14);
    packet.target_mac.store(payload, 18);
    packet.target_ip.store(payload, 24);
    return frame;
}

ArpFrame arp_reply(const ArpPacket& request, const MacAddress& answer) {
    return arp_frame(request.sender_mac,
                     {ArpOperation::reply, answer, request.target_ip, request.sender_mac, request.sender_ip});
}

ArpFrame arp_request(const MacAddress& sender_mac, Ipv4Address sender_ip, Ipv4Address target) {
    return arp_frame(MacAddress::broadcast(), {ArpOperation::request, sender_mac, sender_ip, MacAddress{}, target});
}

}  // namespace nfvcert::packet
