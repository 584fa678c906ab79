#pragma once
// Frames for the tests of network functions, built and checked with sums computed from scratch.

#include <doctest/doctest.h>

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "functions/common/frame_view.hpp"
#include "functions/network_function.hpp"
#include "packet/checksum.hpp"
#include "packet/ethernet.hpp"
#include "packet/transport.hpp"

namespace nf_test {

using namespace nfvcert;
using nf::DropReason;
using Octets = std::vector<std::uint8_t>;

inline constexpr std::uint64_t second = 1'000'000'000;
inline constexpr std::uint64_t ms = 1'000'000;

inline std::uint32_t ip(const char* text) { return packet::Ipv4Address::parse(text).value().value; }

struct Fields {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint8_t protocol = 17;
    std::uint8_t ttl = 64;
    std::uint8_t tos = 0;
    std::uint16_t identification = 0;
    std::uint16_t fragment = 0;  // flags and offset
};

/// Ethernet and IPv4 around `payload`, header checksum right.
inline Octets ipv4_frame(const Fields& fields, const Octets& payload) {
    Octets frame(14 + 20);
    packet::write_ethernet(frame, {packet::MacAddress{{2, 0, 0, 0, 0, 1}}, packet::MacAddress{{2, 0, 0, 0, 0, 2}}, packet::ethertype_ipv4});
    const packet::Bytes header = packet::Bytes{frame}.subspan(14);
    header[0] = 0x45;
    header[1] = fields.tos;
    packet::store16(header, 2, static_cast<std::uint16_t>(20 + payload.size()));
    packet::store16(header, 4, fields.identification);
    packet::store16(header, 6, fields.fragment);
    header[8] = fields.ttl;
    header[9] = fields.protocol;
    packet::store32(header, 12, fields.source);
    packet::store32(header, 16, fields.destination);
    packet::store16(header, 10, packet::checksum(header));
    frame.insert(frame.end(), payload.begin(), payload.end());
    return frame;
}

inline void complete(Octets& frame) {
    const packet::Bytes packet = packet::Bytes{frame}.subspan(14);
    packet::complete_transport_checksum(packet, *packet::parse_ipv4(packet));
}

inline Octets udp(Fields fields, std::uint16_t source_port, std::uint16_t destination_port, const Octets& data = {1, 2, 3}) {
    fields.protocol = 17;
    Octets payload(8);
    packet::store16(payload, 0, source_port);
    packet::store16(payload, 2, destination_port);
    packet::store16(payload, 4, static_cast<std::uint16_t>(8 + data.size()));
    payload.insert(payload.end(), data.begin(), data.end());
    auto frame = ipv4_frame(fields, payload);
    complete(frame);
    return frame;
}

inline Octets tcp(Fields fields, std::uint16_t source_port, std::uint16_t destination_port, std::uint8_t flags) {
    fields.protocol = 6;
    Octets payload(20);
    packet::store16(payload, 0, source_port);
    packet::store16(payload, 2, destination_port);
    payload[12] = 0x50;
    payload[13] = flags;
    auto frame = ipv4_frame(fields, payload);
    complete(frame);
    return frame;
}

inline Octets icmp(Fields fields, std::uint8_t type, std::uint16_t identifier, const Octets& data = {}) {
    fields.protocol = 1;
    Octets payload(8);
    payload[0] = type;
    packet::store16(payload, 4, identifier);
    payload.insert(payload.end(), data.begin(), data.end());
    packet::store16(payload, 2, packet::checksum(payload));
    return ipv4_frame(fields, payload);
}

/// Quotes a frame's packet (first `length` octets) in an ICMP error.
inline Octets icmp_error(Fields fields, std::uint8_t type, const Octets& quoted_frame, std::size_t length = 28) {
    return icmp(fields, type, 0, Octets(quoted_frame.begin() + 14, quoted_frame.begin() + 14 + static_cast<std::ptrdiff_t>(length)));
}

/// Whether every checksum of a whole packet is right, computed from scratch.
inline bool sums_right(const Octets& frame) {
    const packet::ConstBytes all = packet::ConstBytes{frame}.subspan(14);
    const auto header = packet::parse_ipv4(all);
    if (!header || !packet::ipv4_checksum_valid(all, *header)) {
        return false;
    }
    const auto payload = all.subspan(header->header_length, header->payload_length());
    if (header->is_fragment()) {
        return true;
    }
    if (header->protocol == 1) {
        return packet::checksum_valid(payload);
    }
    if (header->protocol == 17 && packet::load16(payload, 6) == 0) {
        return true;
    }
    return packet::checksum_valid(payload, packet::pseudo_header_sum(*header));
}

inline nf::FrameView view(Octets& frame) {
    return nf::view_frame({frame.data(), static_cast<std::uint16_t>(frame.size()), static_cast<std::uint16_t>(frame.size()), 0, nullptr});
}

/// Sends frames one at a time through a function and keeps what comes out.
class Driver {
public:
    Driver(const char* name, const std::string& parameters);

    /// Reason of the drop, `none` when it came out; then `last` is what came out.
    DropReason send(const Octets& frame, std::uint16_t capacity = 2048) {
        auto& buffer = buffers_.emplace_back(frame);
        buffer.resize(std::max<std::size_t>(capacity, frame.size()));
        nf::PacketRef packet{buffer.data(), static_cast<std::uint16_t>(frame.size()), static_cast<std::uint16_t>(buffer.size()), port, &buffer};
        out.clear();
        function->process({&packet, 1}, now, random++, out);
        if (!out.forwarded.empty()) {
            keep(out.forwarded.back());
        }
        return out.dropped.empty() ? DropReason::none : out.dropped.back().second;
    }
    void advance() {
        out.clear();
        function->advance(now, out);
    }
    void keep(const nf::PacketRef& packet) {
        last.assign(packet.data, packet.data + packet.length);
        last_port = packet.port;
    }

    std::unique_ptr<nf::NetworkFunction> function;
    std::uint64_t now = second;
    std::uint64_t random = 1;
    std::uint16_t port = 0;
    std::uint16_t last_port = 0;
    Octets last;
    nf::Emission out;

private:
    std::list<Octets> buffers_;
};

}  // namespace nf_test
