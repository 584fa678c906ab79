#pragma once
// What network functions need of a frame, found once, with all lengths checked; and the octets that are changed, with
// checksums updated (RFC 1624, equation 3).

#include <bit>
#include <cstdint>
#include <cstring>

#include "functions/common/flow_selector.hpp"
#include "functions/network_function.hpp"
#include "packet/checksum.hpp"
#include "packet/ethernet.hpp"
#include "packet/ipv4.hpp"

namespace nfvcert::nf {

namespace protocol {
inline constexpr std::uint8_t icmp = 1;
inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;

/// One whose flows are translated.
inline constexpr bool has_flows(std::uint8_t number) { return number == tcp || number == udp || number == icmp; }
}  // namespace protocol

inline std::uint16_t read16(const std::uint8_t* at) {
    std::uint16_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return static_cast<std::uint16_t>((value >> 8) | (value << 8));
}

inline std::uint32_t read32(const std::uint8_t* at) {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

inline void write16(std::uint8_t* at, std::uint16_t value) {
    const auto swapped = static_cast<std::uint16_t>((value >> 8) | (value << 8));
    std::memcpy(at, &swapped, sizeof swapped);
}

inline void write32(std::uint8_t* at, std::uint32_t value) {
    const auto swapped = __builtin_bswap32(value);
    std::memcpy(at, &swapped, sizeof swapped);
}

/// Change of a one's complement sum when words change; not folded.
class SumChange {
public:
    void replace16(std::uint16_t before, std::uint16_t after) {
        sum_ += static_cast<std::uint16_t>(~before);
        sum_ += after;
    }
    void replace32(std::uint32_t before, std::uint32_t after) {
        replace16(static_cast<std::uint16_t>(before >> 16), static_cast<std::uint16_t>(after >> 16));
        replace16(static_cast<std::uint16_t>(before), static_cast<std::uint16_t>(after));
    }
    void add(const SumChange& other) { sum_ += other.sum_; }
    /// The checksum after the change.
    [[nodiscard]] std::uint16_t apply(std::uint16_t checksum) const {
        auto sum = sum_ + static_cast<std::uint16_t>(~checksum);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return static_cast<std::uint16_t>(~sum);
    }

private:
    std::uint32_t sum_ = 0;
};

enum class FrameKind : std::uint8_t {
    faulty,          // see `fault`
    segment,         // UDP or TCP with ports, whole or the first fragment
    later_fragment,  // without ports
    echo_request,
    echo_reply,
    icmp_error,
    other_icmp,
    other_protocol,
};

struct FrameView {
    std::uint8_t* ip = nullptr;
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint16_t source_port = 0;       // ICMP echo: identifier for both
    std::uint16_t destination_port = 0;
    std::uint16_t header_length = 0;
    std::uint16_t total_length = 0;
    std::uint8_t protocol = 0;
    std::uint8_t tcp_flags = 0;
    FrameKind kind = FrameKind::faulty;
    DropReason fault = DropReason::none;
    bool first_fragment = false;

    void make_faulty(DropReason reason) {
        kind = FrameKind::faulty;
        fault = reason;
    }
    [[nodiscard]] std::uint8_t* payload() const { return ip + header_length; }
    [[nodiscard]] std::uint16_t payload_length() const { return static_cast<std::uint16_t>(total_length - header_length); }
    [[nodiscard]] std::uint16_t identification() const { return read16(ip + 4); }
    [[nodiscard]] std::uint8_t ttl() const { return ip[8]; }
    [[nodiscard]] bool is_echo() const { return kind == FrameKind::echo_request || kind == FrameKind::echo_reply; }
    [[nodiscard]] FlowKey key() const {
        return {source, destination, source_port, protocol == protocol::icmp ? std::uint16_t{0} : destination_port, protocol};
    }
};

/// Reads the frame; what does not fit makes it `faulty`. The IPv4 header's checksum is verified, transport checksums are not
/// (a translator corrects them incrementally, so that damage stays visible to the receiver; RFC 3022, 4.1).
FrameView view_frame(const PacketRef& packet);

/// As view_frame(), but looks at nothing behind the IPv4 header: `other_protocol` or `faulty`.
FrameView view_header(const PacketRef& packet);

/// Neither "this network", loopback, multicast, class E nor broadcast.
inline bool is_unicast(std::uint32_t address) {
    const auto first = address >> 24;
    return first != 0 && first != 127 && first < 224;
}

/// Makes the view faulty when a function that keeps flows cannot carry the packet, and answers whether it can: both addresses
/// are somebody's, it is not `foreign`, its protocol or ICMP message belongs to a flow, an echo request goes `outward` and a
/// reply the other way, and a hop is left.
inline bool check_carried(FrameView& view, bool foreign, bool outward) {
    if (view.kind == FrameKind::faulty) {
        return false;
    }
    if (!is_unicast(view.source) || !is_unicast(view.destination)) {
        view.make_faulty(DropReason::martian);
    } else if (foreign) {
        view.make_faulty(DropReason::foreign);
    } else if (view.kind == FrameKind::other_protocol) {
        view.make_faulty(DropReason::unsupported_protocol);
    } else if (view.kind == FrameKind::other_icmp || (view.is_echo() && (view.kind == FrameKind::echo_request) != outward)) {
        view.make_faulty(DropReason::unsupported_icmp);
    } else if (view.ttl() <= 1) {
        view.make_faulty(DropReason::ttl_expired);
    }
    return view.kind != FrameKind::faulty;
}

enum class Side : std::uint8_t { source, destination };

/// Gives one side of a segment or echo another address and port, and corrects the header's and the transport's checksum.
/// `hop`: the TTL is one less too. Fields that a fragment does not have are not touched.
void rewrite(const FrameView& view, Side side, std::uint32_t address, std::uint16_t port, bool hop);

}  // namespace nfvcert::nf
