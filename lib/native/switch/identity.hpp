#pragma once
// From a frame to its flow: the five-tuple, and the 16-bit id that both switches compute from header fields
// (ETSI GS NFV-REL 002 clause 6.2, assumption 1).

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nfvcert::switching {

inline constexpr std::size_t id_count = 65536;

struct FlowKey {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 0;

    friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

enum class Identity : std::uint8_t { five_tuple, addresses, source_port };

/// Throws std::invalid_argument for a name that is not "five-tuple", "addresses" or "source-port".
Identity identity_named(std::string_view name);

/// The key of an IPv4 frame; ports are those of UDP and TCP and 0 for everything else, also for later fragments: where
/// packets come in fragments the identity has to be "addresses", else the first fragment has another id than the others.
std::optional<FlowKey> key_of(const std::uint8_t* frame, std::size_t length);

/// Flags of a TCP segment that begins in this frame, which has a key; 0 for everything else.
std::uint8_t tcp_flags(const std::uint8_t* frame);
inline constexpr std::uint8_t tcp_fin = 0x01;
inline constexpr std::uint8_t tcp_syn = 0x02;
inline constexpr std::uint8_t tcp_rst = 0x04;
inline constexpr std::uint8_t tcp_ack = 0x10;

/// CRC-32C of the key's octets in network order, folded to 16 bits; or the source port.
std::uint16_t flow_id(const FlowKey& key, Identity identity);

/// Well spread over 64 bits, for tables.
std::uint64_t hash_of(const FlowKey& key);
struct FlowKeyHash {
    std::size_t operator()(const FlowKey& key) const { return hash_of(key); }
};

}  // namespace nfvcert::switching
