#pragma once
// Ethernet II framing, untagged.

#include <cstdint>
#include <optional>

#include "packet/address.hpp"

namespace nfvcert::packet {

inline constexpr std::size_t ethernet_header_length = 14;
inline constexpr std::size_t ethernet_minimum_frame = 60;  // without frame check sequence
inline constexpr std::uint16_t ethertype_ipv4 = 0x0800;
inline constexpr std::uint16_t ethertype_arp = 0x0806;
inline constexpr std::uint16_t ethertype_vlan = 0x8100;          // customer tag (IEEE 802.1Q)
inline constexpr std::uint16_t ethertype_service_vlan = 0x88a8;  // service tag

struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    std::uint16_t ethertype = 0;
};

/// nullopt when the frame is shorter than a header.
inline std::optional<EthernetHeader> parse_ethernet(ConstBytes frame) {
    if (frame.size() < ethernet_header_length) {
        return std::nullopt;
    }
    return EthernetHeader{MacAddress::load(frame, 0), MacAddress::load(frame, 6), load16(frame, 12)};
}

inline void write_ethernet(Bytes frame, const EthernetHeader& header) {
    header.destination.store(frame, 0);
    header.source.store(frame, 6);
    store16(frame, 12, header.ethertype);
}

/// New link addresses for a frame that is forwarded; the type stays.
inline void readdress(Bytes frame, const MacAddress& destination, const MacAddress& source) {
    destination.store(frame, 0);
    source.store(frame, 6);
}

}  // namespace nfvcert::packet
