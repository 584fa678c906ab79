#pragma once
// Flows of packets: the five-tuple, and the 16-bit id that switches compute from header fields (ETSI GS NFV-REL 002
// clause 6.2, assumption 1).

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nfvcert::packet {

/// The five-tuple of a packet; host byte order.
struct FlowKey {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 0;

    auto operator<=>(const FlowKey&) const = default;
};

/// What of a packet gives the id of its flow.
enum class Identity : std::uint8_t { five_tuple, addresses, source_port };

/// Throws std::invalid_argument for a name that is not "five-tuple", "addresses" or "source-port".
Identity identity_named(std::string_view name);

/// Source port, or CRC-32C over the key's octets in network order, folded: (crc ^ crc >> 16) & 0xffff.
std::uint16_t flow_id(const FlowKey& key, Identity identity);

/// Well spread over 64 bits, for tables.
std::uint64_t hash_of(const FlowKey& key);
struct FlowKeyHash {
    std::size_t operator()(const FlowKey& key) const { return hash_of(key); }
};

}  // namespace nfvcert::packet
