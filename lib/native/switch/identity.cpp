#include "switch/identity.hpp"

#include <cstring>

namespace nfvcert::switching {
namespace {

constexpr std::size_t ethernet = 14;
constexpr std::size_t least_ip = 20;
constexpr std::size_t icmp_header = 8;
constexpr std::uint8_t icmp = 1;
constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t udp = 17;
constexpr std::uint64_t icmp_errors = 1U << 3U | 1U << 4U | 1U << 5U | 1U << 11U | 1U << 12U;  // RFC 1122, 3.2.2

std::uint16_t load16(const std::uint8_t* at) { return static_cast<std::uint16_t>((at[0] << 8) | at[1]); }

std::uint32_t load32(const std::uint8_t* at) {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

bool later_fragment(const std::uint8_t* ip) { return (load16(ip + 6) & 0x1fffU) != 0; }

/// The key of the header at `ip` and of what follows in `octets`.
FlowKey key_of_header(const std::uint8_t* ip, std::size_t header, std::size_t octets, Identity identity) {
    FlowKey key{.source = load32(ip + 12), .destination = load32(ip + 16), .protocol = ip[9]};
    const bool has_ports = (key.protocol == udp || key.protocol == tcp) && !later_fragment(ip) && octets >= header + 4;
    if (has_ports && identity != Identity::addresses) {
        key.source_port = load16(ip + header);
        key.destination_port = load16(ip + header + 2);
    }
    return key;
}

/// The key of the packet that an ICMP error quotes; none when this is no error or quotes no header.
std::optional<FlowKey> quoted_key(const std::uint8_t* icmp_message, std::size_t octets, Identity identity) {
    if (octets < icmp_header + least_ip || icmp_message[0] >= 64 || (icmp_errors >> icmp_message[0] & 1U) == 0) {
        return std::nullopt;
    }
    const auto* quoted = icmp_message + icmp_header;
    const std::size_t header = (quoted[0] & 0x0fU) * 4U;
    const auto left = octets - icmp_header;
    if (quoted[0] >> 4U != 4 || header < least_ip || left < header) {
        return std::nullopt;
    }
    return key_of_header(quoted, header, left, identity);
}

}  // namespace

std::optional<FlowKey> key_of(const std::uint8_t* frame, std::size_t length, Identity identity) {
    if (length < ethernet + least_ip || frame[12] != 0x08 || frame[13] != 0x00 || (frame[14] >> 4U) != 4) {
        return std::nullopt;
    }
    const auto* ip = frame + ethernet;
    const std::size_t header = (ip[0] & 0x0fU) * 4U;
    const std::size_t total = load16(ip + 2);
    if (header < least_ip || total < header || length < ethernet + total) {
        return std::nullopt;
    }
    if (ip[9] == icmp && !later_fragment(ip)) {
        if (const auto quoted = quoted_key(ip + header, total - header, identity)) {
            return reversed(*quoted);
        }
    }
    return key_of_header(ip, header, total, identity);
}

std::uint32_t destination_of(const std::uint8_t* frame) { return load32(frame + ethernet + 16); }

std::uint8_t tcp_flags(const std::uint8_t* frame) {
    constexpr std::size_t flags = 13;
    const auto* ip = frame + ethernet;
    const std::size_t header = (ip[0] & 0x0fU) * 4U;
    const bool whole = (load16(ip + 6) & 0x1fffU) == 0 && load16(ip + 2) > header + flags;
    return ip[9] == tcp && whole ? ip[header + flags] : std::uint8_t{0};
}

}  // namespace nfvcert::switching
