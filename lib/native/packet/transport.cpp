#include "packet/transport.hpp"

#include "packet/checksum.hpp"

namespace nfvcert::packet {

namespace {

constexpr std::size_t udp_checksum_offset = 6;
constexpr std::size_t tcp_checksum_offset = 16;
constexpr std::size_t icmp_checksum_offset = 2;
constexpr std::size_t icmp_identifier_offset = 4;

struct TransportFields {
    std::size_t checksum = 0;
    std::size_t port = 0;
    bool pseudo_header = true;
};

TransportFields fields_of(const Ipv4Header& header, Field field) {
    if (header.carries(Protocol::icmp)) {
        return {icmp_checksum_offset, icmp_identifier_offset, false};
    }
    return {header.carries(Protocol::udp) ? udp_checksum_offset : tcp_checksum_offset,
            field == Field::source ? std::size_t{0} : std::size_t{2}, true};
}

}  // namespace

std::optional<Ports> parse_quoted_ports(ConstBytes payload) {
    if (payload.size() < 8) {
        return std::nullopt;
    }
    return Ports{load16(payload, 0), load16(payload, 2), 0};
}

std::optional<Ports> parse_udp(ConstBytes payload) {
    auto ports = parse_quoted_ports(payload);
    if (!ports || load16(payload, 4) < 8 || load16(payload, 4) > payload.size()) {
        return std::nullopt;
    }
    return ports;
}

std::optional<Ports> parse_tcp(ConstBytes payload) {
    if (payload.size() < 20) {
        return std::nullopt;
    }
    const auto data_offset = static_cast<std::size_t>(payload[12] >> 4) * 4;
    if (data_offset < 20 || data_offset > payload.size()) {
        return std::nullopt;
    }
    return Ports{load16(payload, 0), load16(payload, 2), payload[13]};
}

std::optional<IcmpHeader> parse_icmp(ConstBytes payload) {
    if (payload.size() < icmp_header_length) {
        return std::nullopt;
    }
    IcmpHeader header{IcmpKind::other, payload[0], payload[1], 0};
    switch (header.type) {
        case 0:
        case 8:
            header.kind = header.type == 8 ? IcmpKind::echo_request : IcmpKind::echo_reply;
            header.identifier = load16(payload, icmp_identifier_offset);
            break;
        case 3:   // destination unreachable
        case 11:  // time exceeded
        case 12:  // parameter problem
            header.kind = IcmpKind::error;
            break;
        default:
            break;
    }
    return header;
}

void rewrite_endpoint(Bytes packet, const Ipv4Header& header, Field field, const Endpoint& endpoint) {
    const auto before = field == Field::source ? header.source : header.destination;
    if (field == Field::source) {
        set_ipv4_source(packet, endpoint.address);
    } else {
        set_ipv4_destination(packet, endpoint.address);
    }
    const Bytes payload = packet.subspan(header.header_length);
    const auto where = fields_of(header, field);
    if (where.port + 2 > payload.size()) {
        return;
    }
    const auto port_before = load16(payload, where.port);
    store16(payload, where.port, endpoint.port);
    if (where.checksum + 2 > payload.size()) {
        return;
    }
    const auto is_udp = header.carries(Protocol::udp);
    auto sum = load16(payload, where.checksum);
    if (is_udp && sum == 0) {
        return;
    }
    if (where.pseudo_header) {
        sum = checksum_adjust32(sum, before.value, endpoint.address.value);
    }
    sum = checksum_adjust(sum, port_before, endpoint.port);
    store16(payload, where.checksum, is_udp && sum == 0 ? std::uint16_t{0xffff} : sum);
}

void complete_transport_checksum(Bytes packet, const Ipv4Header& header) {
    if (header.is_fragment() || (!header.carries(Protocol::udp) && !header.carries(Protocol::tcp))) {
        return;
    }
    const Bytes payload = packet.subspan(header.header_length, header.payload_length());
    const auto offset = header.carries(Protocol::udp) ? udp_checksum_offset : tcp_checksum_offset;
    if (offset + 2 > payload.size()) {
        return;
    }
    store16(payload, offset, 0);
    const auto sum = checksum(payload, pseudo_header_sum(header));
    store16(payload, offset, header.carries(Protocol::udp) && sum == 0 ? std::uint16_t{0xffff} : sum);
}

}  // namespace nfvcert::packet
