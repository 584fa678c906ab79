#include "functions/common/frame_view.hpp"

namespace nfvcert::nf {
namespace {

constexpr std::size_t ip_checksum = 10;
constexpr std::uint16_t udp_header = 8;
constexpr std::uint16_t tcp_header = 20;
constexpr std::uint16_t tcp_flags_end = 14;

FrameView& fault(FrameView& view, DropReason reason) {
    view.make_faulty(reason);
    return view;
}

bool header_sum_valid(const std::uint8_t* ip, std::uint16_t length) {
    std::uint32_t sum = 0;
    for (std::uint16_t i = 0; i < length; i = static_cast<std::uint16_t>(i + 4)) {
        std::uint32_t word = 0;
        std::memcpy(&word, ip + i, sizeof word);
        sum += (word & 0xffff) + (word >> 16);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

void view_segment(FrameView& view) {
    const auto length = view.payload_length();
    const auto* const at = view.payload();
    if (view.protocol == protocol::udp) {
        if (length < udp_header) {
            fault(view, view.first_fragment ? DropReason::tiny_fragment : DropReason::malformed);
            return;
        }
        const auto udp_length = read16(at + 4);
        if (udp_length < udp_header || (!view.first_fragment && udp_length > length)) {
            fault(view, DropReason::malformed);
            return;
        }
    } else {
        if (length < (view.first_fragment ? tcp_flags_end : tcp_header)) {
            fault(view, view.first_fragment ? DropReason::tiny_fragment : DropReason::malformed);
            return;
        }
        const auto data_offset = static_cast<std::uint16_t>((at[12] >> 4) * 4);
        if (data_offset < tcp_header || (!view.first_fragment && data_offset > length)) {
            fault(view, DropReason::malformed);
            return;
        }
        if (view.first_fragment && length < tcp_header) {  // its checksum would be in the next one
            fault(view, DropReason::tiny_fragment);
            return;
        }
        view.tcp_flags = at[13];
    }
    view.source_port = read16(at);
    view.destination_port = read16(at + 2);
    view.kind = FrameKind::segment;
}

void view_icmp(FrameView& view) {
    if (view.payload_length() < 8) {
        fault(view, view.first_fragment ? DropReason::tiny_fragment : DropReason::malformed);
        return;
    }
    const auto* const at = view.payload();
    switch (at[0]) {
        case 0:
        case 8:
            view.kind = at[0] == 8 ? FrameKind::echo_request : FrameKind::echo_reply;
            view.source_port = view.destination_port = read16(at + 4);
            break;
        case 3:   // destination unreachable
        case 11:  // time exceeded
        case 12:  // parameter problem
            view.kind = view.first_fragment ? FrameKind::other_icmp : FrameKind::icmp_error;
            break;
        default:
            view.kind = FrameKind::other_icmp;
            break;
    }
}

}  // namespace

FrameView view_header(const PacketRef& packet) {
    FrameView view;
    if (packet.length < packet::ethernet_header_length + 20) {
        const bool other = packet.length >= packet::ethernet_header_length && read16(packet.data + 12) != packet::ethertype_ipv4;
        return fault(view, other ? DropReason::not_ipv4 : DropReason::malformed);
    }
    if (read16(packet.data + 12) != packet::ethertype_ipv4) {
        return fault(view, DropReason::not_ipv4);
    }
    auto* const ip = packet.data + packet::ethernet_header_length;
    const auto room = static_cast<std::uint16_t>(packet.length - packet::ethernet_header_length);
    view.ip = ip;
    view.header_length = static_cast<std::uint16_t>((ip[0] & 0x0f) * 4);
    view.total_length = read16(ip + 2);
    if (ip[0] >> 4 != 4 || view.header_length < 20 || view.total_length < view.header_length || view.total_length > room) {
        return fault(view, DropReason::malformed);
    }
    if (!header_sum_valid(ip, view.header_length)) {
        return fault(view, DropReason::bad_checksum);
    }
    view.source = read32(ip + 12);
    view.destination = read32(ip + 16);
    view.protocol = ip[9];
    view.kind = FrameKind::other_protocol;
    return view;
}

FrameView view_frame(const PacketRef& packet) {
    auto view = view_header(packet);
    if (view.kind == FrameKind::faulty) {
        return view;
    }
    const auto fragment = read16(view.ip + 6);
    const auto offset = static_cast<std::uint16_t>(fragment & 0x1fff);
    view.first_fragment = offset == 0 && (fragment & 0x2000) != 0;
    const bool transport = view.protocol == protocol::udp || view.protocol == protocol::tcp;
    if (offset != 0) {
        // an offset of 1 lets a fragment overwrite the flags of a TCP header (RFC 1858)
        if (view.protocol == protocol::tcp && offset == 1) {
            return fault(view, DropReason::tiny_fragment);
        }
        view.kind = transport || view.protocol == protocol::icmp ? FrameKind::later_fragment : FrameKind::other_protocol;
    } else if (transport) {
        view_segment(view);
    } else if (view.protocol == protocol::icmp) {
        view_icmp(view);
    }
    return view;
}

void rewrite(const FrameView& view, Side side, std::uint32_t address, std::uint16_t port, bool hop) {
    const bool from = side == Side::source;
    SumChange change;
    change.replace32(from ? view.source : view.destination, address);
    write32(view.ip + (from ? 12 : 16), address);
    auto header = change;
    if (hop) {
        const auto before = read16(view.ip + 8);
        const auto after = static_cast<std::uint16_t>(before - 0x0100);
        header.replace16(before, after);
        write16(view.ip + 8, after);
    }
    write16(view.ip + ip_checksum, header.apply(read16(view.ip + ip_checksum)));
    if (view.kind == FrameKind::later_fragment) {
        return;
    }
    auto* const at = view.payload();
    if (view.protocol == protocol::icmp) {
        SumChange identifier;
        identifier.replace16(view.source_port, port);
        write16(at + 4, port);
        write16(at + 2, identifier.apply(read16(at + 2)));
        return;
    }
    const auto before = from ? view.source_port : view.destination_port;
    write16(at + (from ? 0 : 2), port);
    change.replace16(before, port);
    const bool udp = view.protocol == protocol::udp;
    auto* const field = at + (udp ? 6 : 16);
    const auto sum = read16(field);
    if (udp && sum == 0) {
        return;
    }
    const auto mended = change.apply(sum);
    write16(field, udp && mended == 0 ? std::uint16_t{0xffff} : mended);
}

}  // namespace nfvcert::nf
