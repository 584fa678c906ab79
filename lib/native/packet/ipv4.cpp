#include "packet/ipv4.hpp"

#include "packet/checksum.hpp"

namespace nfvcert::packet {

namespace {

constexpr std::size_t checksum_offset = 10;
constexpr std::size_t source_offset = 12;
constexpr std::size_t destination_offset = 16;

void replace16(Bytes packet, std::size_t offset, std::uint16_t value) {
    const auto sum = checksum_adjust(load16(packet, checksum_offset), load16(packet, offset), value);
    store16(packet, offset, value);
    store16(packet, checksum_offset, sum);
}

void replace_address(Bytes packet, std::size_t offset, Ipv4Address address) {
    replace16(packet, offset, static_cast<std::uint16_t>(address.value >> 16));
    replace16(packet, offset + 2, static_cast<std::uint16_t>(address.value));
}

}  // namespace

std::optional<Ipv4Header> parse_quoted_ipv4(ConstBytes packet) {
    if (packet.size() < 20 || packet[0] >> 4 != 4) {
        return std::nullopt;
    }
    Ipv4Header header;
    header.header_length = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
    header.total_length = load16(packet, 2);
    if (header.header_length < 20 || header.header_length > packet.size() || header.total_length < header.header_length) {
        return std::nullopt;
    }
    const auto fragment = load16(packet, 6);
    header.more_fragments = (fragment & 0x2000) != 0;
    header.fragment_offset = fragment & 0x1fff;
    header.ttl = packet[8];
    header.protocol = packet[9];
    header.source = Ipv4Address::load(packet, source_offset);
    header.destination = Ipv4Address::load(packet, destination_offset);
    return header;
}

std::optional<Ipv4Header> parse_ipv4(ConstBytes packet) {
    const auto header = parse_quoted_ipv4(packet);
    return header && header->total_length <= packet.size() ? header : std::nullopt;
}

bool ipv4_checksum_valid(ConstBytes packet, const Ipv4Header& header) {
    return checksum_valid(packet.first(header.header_length));
}

void set_ipv4_source(Bytes packet, Ipv4Address address) { replace_address(packet, source_offset, address); }

void set_ipv4_destination(Bytes packet, Ipv4Address address) { replace_address(packet, destination_offset, address); }

void set_dscp(Bytes packet, std::uint8_t dscp) {
    const auto word = load16(packet, 0);
    replace16(packet, 0, static_cast<std::uint16_t>((word & 0xff03) | ((dscp & 0x3f) << 2)));
}

void set_ttl(Bytes packet, std::uint8_t ttl) {
    replace16(packet, 8, static_cast<std::uint16_t>((ttl << 8) | (load16(packet, 8) & 0xff)));
}

void decrement_ttl(Bytes packet) { replace16(packet, 8, static_cast<std::uint16_t>(load16(packet, 8) - 0x0100)); }

std::uint64_t pseudo_header_sum(const Ipv4Header& header) {
    const auto word_sum = [](std::uint32_t value) { return static_cast<std::uint64_t>(value >> 16) + (value & 0xffff); };
    return word_sum(header.source.value) + word_sum(header.destination.value) + header.protocol + header.payload_length();
}

}  // namespace nfvcert::packet
