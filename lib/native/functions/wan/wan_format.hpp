#pragma once
// How encoded packets look on the way between two optimisers.
//
// The IPv4 header stays, with protocol 253 (experiments, RFC 3692) and another length. Behind it:
//   0 kind u8 | 1 original protocol u8 | 2 length of the original content u16 | 4 generation u32 | 8 id of the content u64 |
//   16 crc32c of the content u32 | 20 ...
// kind 0xe1, encoded: tokens. 0lll llll llll llll + l octets: literal; 1lll llll llll llll + id u64 + offset u16: l octets of
//   the content with that id, from the offset on.
// kind 0xe2, request: the IPv4 header of the encoded packet that could not be decoded; source and destination of the request
//   are its destination and source. The answer is the packet as it was before encoding.
// Content: all that follows the IPv4 header. Numbers in network order.

#include <cstdint>

#include "functions/common/frame_view.hpp"
#include "functions/wan/packet_cache.hpp"

namespace nfvcert::nf::wan {

inline constexpr std::uint8_t carrier_protocol = 253;
inline constexpr std::uint8_t kind_encoded = 0xe1;
inline constexpr std::uint8_t kind_request = 0xe2;
inline constexpr std::size_t shim_length = 20;
inline constexpr std::size_t reference_length = 12;
inline constexpr std::size_t literal_length = 2;
inline constexpr std::uint16_t reference_bit = 0x8000;
inline constexpr std::size_t shortest_content = 64;  // shorter ones are neither kept nor encoded
inline constexpr std::size_t least_gain = 16;        // octets
inline constexpr std::size_t longest_packet = 1500;  // of IPv4, when one has to grow

struct Shim {
    std::uint8_t kind = 0;
    std::uint8_t protocol = 0;
    std::uint16_t length = 0;
    std::uint32_t generation = 0;
    ContentId id = 0;
    std::uint32_t sum = 0;

    static Shim load(const std::uint8_t* at) {
        const auto id = (static_cast<std::uint64_t>(read32(at + 8)) << 32) | read32(at + 12);
        return {at[0], at[1], read16(at + 2), read32(at + 4), id, read32(at + 16)};
    }
    void store(std::uint8_t* at) const {
        at[0] = kind;
        at[1] = protocol;
        write16(at + 2, length);
        write32(at + 4, generation);
        write32(at + 8, static_cast<std::uint32_t>(id >> 32));
        write32(at + 12, static_cast<std::uint32_t>(id));
        write32(at + 16, sum);
    }
};

/// Gives an IPv4 header another protocol and total length, and mends its checksum.
inline void change_header(std::uint8_t* ip, std::uint8_t protocol, std::uint16_t total_length) {
    SumChange change;
    const auto ttl_protocol = read16(ip + 8);
    const auto changed = static_cast<std::uint16_t>((ttl_protocol & 0xff00) | protocol);
    change.replace16(ttl_protocol, changed);
    change.replace16(read16(ip + 2), total_length);
    write16(ip + 8, changed);
    write16(ip + 2, total_length);
    write16(ip + 10, change.apply(read16(ip + 10)));
}

/// Whether both sides keep the content of this packet.
inline bool is_kept(const FrameView& view, bool fragment) {
    return !fragment && view.protocol != carrier_protocol && view.payload_length() >= shortest_content &&
           view.payload_length() <= PacketCache::longest;
}

}  // namespace nfvcert::nf::wan
