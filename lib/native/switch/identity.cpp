#include "switch/identity.hpp"

#include <nmmintrin.h>

#include <cstring>
#include <stdexcept>
#include <string>

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

std::uint16_t fold(std::uint64_t crc) {
    const auto whole = static_cast<std::uint32_t>(crc) ^ 0xffff'ffffU;
    return static_cast<std::uint16_t>(whole ^ (whole >> 16U));
}

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

std::uint16_t flow_id(const FlowKey& key, Identity identity) {
    constexpr std::uint64_t start = 0xffff'ffff;
    switch (identity) {
        case Identity::five_tuple: {
            auto crc = _mm_crc32_u64(start, addresses_of(key));
            const auto ports = (std::uint32_t{__builtin_bswap16(key.destination_port)} << 16U) |
                               __builtin_bswap16(key.source_port);
            crc = _mm_crc32_u32(static_cast<std::uint32_t>(crc), ports);
            return fold(_mm_crc32_u8(static_cast<std::uint32_t>(crc), key.protocol));
        }
        case Identity::addresses: {
            const auto crc = _mm_crc32_u64(start, addresses_of(key));
            return fold(_mm_crc32_u8(static_cast<std::uint32_t>(crc), key.protocol));
        }
        case Identity::source_port:
            break;
    }
    return key.source_port;
}

std::uint64_t hash_of(const FlowKey& key) {
    const auto ports = (std::uint64_t{key.source_port} << 32U) | (std::uint64_t{key.destination_port} << 16U) | key.protocol;
    auto mixed = addresses_of(key) * 0x9e37'79b9'7f4a'7c15ULL ^ ports * 0xc2b2'ae3d'27d4'eb4fULL;
    mixed ^= mixed >> 29U;
    mixed *= 0xbf58'476d'1ce4'e5b9ULL;
    return mixed ^ (mixed >> 32U);
}

}  // namespace nfvcert::switching
