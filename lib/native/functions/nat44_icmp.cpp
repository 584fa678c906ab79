// ICMP errors about sessions of a NAT44 (RFC 5508, section 4): the quoted packet is translated with its carrier.

#include "functions/nat44.hpp"
#include "packet/checksum.hpp"

namespace nfvcert::functions {

using packet::Field;

namespace {

struct Quoted {
    packet::Ipv4Header header;
    Protocol protocol = Protocol::udp;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
};

std::optional<Quoted> parse_quoted(packet::ConstBytes quoted) {
    const auto header = packet::parse_quoted_ipv4(quoted);
    if (!header || header->is_fragment()) {
        return std::nullopt;
    }
    const auto payload = quoted.subspan(header->header_length);
    if (header->carries(Protocol::icmp)) {
        const auto icmp = packet::parse_icmp(payload);
        if (!icmp || (icmp->kind != packet::IcmpKind::echo_request && icmp->kind != packet::IcmpKind::echo_reply)) {
            return std::nullopt;
        }
        const bool request = icmp->kind == packet::IcmpKind::echo_request;
        return Quoted{*header, Protocol::icmp, request ? icmp->identifier : std::uint16_t{0},
                      request ? std::uint16_t{0} : icmp->identifier};
    }
    const auto ports = packet::parse_quoted_ports(payload);
    if (!ports || (!header->carries(Protocol::udp) && !header->carries(Protocol::tcp))) {
        return std::nullopt;
    }
    return Quoted{*header, header->carries(Protocol::udp) ? Protocol::udp : Protocol::tcp, ports->source,
                  ports->destination};
}

}  // namespace

DropReason Nat44::translate_icmp_error(Direction direction, Bytes packet, const Header& header, std::uint64_t now_ns,
                                       NatVerdict& verdict) {
    const Bytes icmp = packet.subspan(header.header_length);
    if (!packet::checksum_valid(icmp)) {
        return DropReason::bad_checksum;
    }
    const Bytes quoted_packet = icmp.subspan(packet::icmp_header_length);
    const auto quoted = parse_quoted(quoted_packet);
    if (!quoted) {
        return DropReason::unsupported_icmp;
    }
    // The quoted packet went the other way: inbound errors quote what this translator sent (source is its own), outbound
    // errors quote what it delivered (destination is inside).
    const bool in = direction == Direction::inbound;
    const Endpoint source{quoted->header.source, quoted->source_port};
    const Endpoint destination{quoted->header.destination, quoted->destination_port};
    const Flow flow{quoted->protocol, in ? source : destination, in ? destination : source, 0};
    const auto* const session = find_live(direction, flow, now_ns);
    if (session == nullptr || header.destination != quoted->header.source) {
        return DropReason::no_session;
    }
    const auto sum_of_quoted_header_valid = packet::ipv4_checksum_valid(quoted_packet, quoted->header);
    if (!sum_of_quoted_header_valid) {
        return DropReason::bad_checksum;
    }
    if (in) {
        packet::rewrite_endpoint(quoted_packet, quoted->header, Field::source, session->inside);
        packet::set_ipv4_destination(packet, session->inside.address);
        verdict.destination = session->inside.address;
        verdict.inside_mac = session->inside_mac;
    } else {
        packet::rewrite_endpoint(quoted_packet, quoted->header, Field::destination, session->external);
        packet::set_ipv4_source(packet, session->external.address);
        verdict.destination = header.destination;
    }
    packet::store16(icmp, 2, 0);
    packet::store16(icmp, 2, packet::checksum(icmp));
    return DropReason::none;
}

}  // namespace nfvcert::functions
