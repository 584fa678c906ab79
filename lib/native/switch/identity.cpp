#include "switch/identity.hpp"

#include <cstring>

namespace nfvcert::switching {
namespace {

constexpr std::size_t ethernet = 14;
constexpr std::size_t least_ip = 20;
constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t udp = 17;

std::uint16_t load16(const std::uint8_t* at) { return static_cast<std::uint16_t>((at[0] << 8) | at[1]); }

std::uint32_t load32(const std::uint8_t* at) {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

}  // namespace

std::optional<FlowKey> key_of(const std::uint8_t* frame, std::size_t length) {
    if (length < ethernet + least_ip || frame[12] != 0x08 || frame[13] != 0x00 || (frame[14] >> 4U) != 4) {
        return std::nullopt;
    }
    const auto* ip = frame + ethernet;
    const std::size_t header = (ip[0] & 0x0fU) * 4U;
    const std::size_t total = load16(ip + 2);
    if (header < least_ip || total < header || length < ethernet + total) {
        return std::nullopt;
    }
    FlowKey key{.source = load32(ip + 12), .destination = load32(ip + 16), .protocol = ip[9]};
    const bool later_fragment = (load16(ip + 6) & 0x1fffU) != 0;
    if ((key.protocol == udp || key.protocol == tcp) && !later_fragment && total >= header + 4) {
        key.source_port = load16(ip + header);
        key.destination_port = load16(ip + header + 2);
    }
    return key;
}

std::uint8_t tcp_flags(const std::uint8_t* frame) {
    constexpr std::size_t flags = 13;
    const auto* ip = frame + ethernet;
    const std::size_t header = (ip[0] & 0x0fU) * 4U;
    const bool whole = (load16(ip + 6) & 0x1fffU) == 0 && load16(ip + 2) > header + flags;
    return ip[9] == tcp && whole ? ip[header + flags] : std::uint8_t{0};
}

}  // namespace nfvcert::switching
