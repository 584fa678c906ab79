#include "switch/identity.hpp"

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>

#include "switch/crc32c.hpp"

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

std::uint16_t fold(std::uint32_t crc) { return static_cast<std::uint16_t>(crc ^ (crc >> 16U)); }

std::uint64_t addresses_of(const FlowKey& key) {
    return (std::uint64_t{__builtin_bswap32(key.destination)} << 32U) | __builtin_bswap32(key.source);
}

}  // namespace

Identity identity_named(std::string_view name) {
    if (name == "five-tuple") {
        return Identity::five_tuple;
    }
    if (name == "addresses") {
        return Identity::addresses;
    }
    if (name == "source-port") {
        return Identity::source_port;
    }
    throw std::invalid_argument("identity is five-tuple, addresses or source-port, found '" + std::string{name} + "'");
}

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

std::uint16_t flow_id(const FlowKey& key, Identity identity) {
    constexpr std::size_t addresses = 8;
    constexpr std::size_t ports = 4;
    if (identity == Identity::source_port) {
        return key.source_port;
    }
    std::array<std::uint8_t, addresses + ports + 1> octets;  // NOLINT: all that is looked at is written
    const auto both = addresses_of(key);
    std::memcpy(octets.data(), &both, addresses);
    std::size_t count = addresses;
    if (identity == Identity::five_tuple) {
        const auto both_ports = (std::uint32_t{__builtin_bswap16(key.destination_port)} << 16U) |
                                __builtin_bswap16(key.source_port);
        std::memcpy(octets.data() + addresses, &both_ports, ports);
        count += ports;
    }
    octets[count++] = key.protocol;
    return fold(crc32c(octets.data(), count));
}

std::uint64_t hash_of(const FlowKey& key) {
    const auto ports = (std::uint64_t{key.source_port} << 32U) | (std::uint64_t{key.destination_port} << 16U) | key.protocol;
    auto mixed = addresses_of(key) * 0x9e37'79b9'7f4a'7c15ULL ^ ports * 0xc2b2'ae3d'27d4'eb4fULL;
    mixed ^= mixed >> 29U;
    mixed *= 0xbf58'476d'1ce4'e5b9ULL;
    return mixed ^ (mixed >> 32U);
}

}  // namespace nfvcert::switching
