#include "packet/flow.hpp"

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>

#include "packet/crc32c.hpp"

namespace nfvcert::packet {
namespace {

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

}  // namespace nfvcert::packet
