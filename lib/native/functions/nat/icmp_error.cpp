#include "functions/nat/icmp_error.hpp"

namespace nfvcert::nf {

using packet::Bytes;

std::optional<QuotedPacket> quoted_packet(const FrameView& error) {
    const Bytes octets{error.payload() + packet::icmp_header_length, error.payload_length() - packet::icmp_header_length};
    const auto header = packet::parse_quoted_ipv4(octets);
    if (!header || header->fragment_offset != 0) {
        return std::nullopt;
    }
    const auto payload = octets.subspan(header->header_length);
    FlowKey flow{header->source.value, header->destination.value, 0, 0, header->protocol};
    if (header->protocol == protocol::icmp) {
        const auto icmp = packet::parse_icmp(payload);
        if (!icmp || (icmp->kind != packet::IcmpKind::echo_request && icmp->kind != packet::IcmpKind::echo_reply)) {
            return std::nullopt;
        }
        (icmp->kind == packet::IcmpKind::echo_request ? flow.source_port : flow.destination_port) = icmp->identifier;
        return QuotedPacket{*header, octets, flow};
    }
    const auto ports = packet::parse_quoted_ports(payload);
    if (!ports || (header->protocol != protocol::udp && header->protocol != protocol::tcp)) {
        return std::nullopt;
    }
    flow.source_port = ports->source;
    flow.destination_port = ports->destination;
    return QuotedPacket{*header, octets, flow};
}

DropReason check_error(const FrameView& error, const QuotedPacket& quoted) {
    const Bytes message{error.payload(), error.payload_length()};
    const bool valid = packet::checksum_valid(message) && packet::ipv4_checksum_valid(quoted.octets, quoted.header);
    return valid ? DropReason::none : DropReason::bad_checksum;
}

void rewrite_error(const FrameView& error, const QuotedPacket& quoted, packet::Field inner, const packet::Endpoint& endpoint,
                   Side outer, std::uint32_t address) {
    packet::rewrite_endpoint(quoted.octets, quoted.header, inner, endpoint);
    const Bytes whole{error.ip, error.total_length};
    if (outer == Side::source) {
        packet::set_ipv4_source(whole, {address});
    } else {
        packet::set_ipv4_destination(whole, {address});
    }
    packet::decrement_ttl(whole);
    const Bytes message{error.payload(), error.payload_length()};
    packet::store16(message, 2, 0);
    packet::store16(message, 2, packet::checksum(message));
}

}  // namespace nfvcert::nf
