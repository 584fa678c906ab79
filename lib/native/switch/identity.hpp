#pragma once
// From a frame to its flow, of which both switches compute the same id.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "packet/flow.hpp"

namespace nfvcert::switching {

using packet::FlowKey;
using packet::FlowKeyHash;
using packet::Identity;
using packet::flow_id;
using packet::hash_of;
using packet::identity_named;

inline constexpr std::size_t id_count = 65536;

/// The key of an IPv4 frame; ports are those of UDP and TCP and 0 for everything else, also for later fragments: where
/// packets come in fragments the identity has to be "addresses", which has no ports at all, else the first fragment is
/// of another flow than the others. An ICMP error has the key of the flow that it tells of: that of the packet it
/// quotes, turned round, for the quoted one went the other way.
std::optional<FlowKey> key_of(const std::uint8_t* frame, std::size_t length, Identity identity = Identity::five_tuple);

/// The key of what goes the other way.
constexpr FlowKey reversed(const FlowKey& key) {
    return {key.destination, key.source, key.destination_port, key.source_port, key.protocol};
}

/// Destination address of a frame that has a key.
std::uint32_t destination_of(const std::uint8_t* frame);

/// Flags of a TCP segment that begins in this frame, which has a key; 0 for everything else.
std::uint8_t tcp_flags(const std::uint8_t* frame);
inline constexpr std::uint8_t tcp_fin = 0x01;
inline constexpr std::uint8_t tcp_syn = 0x02;
inline constexpr std::uint8_t tcp_rst = 0x04;
inline constexpr std::uint8_t tcp_ack = 0x10;

}  // namespace nfvcert::switching
