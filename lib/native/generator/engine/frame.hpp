#pragma once
// Frames of the flow mode: everything that all frames of a size share is made once, a packet takes six stores.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "generator/engine/living.hpp"
#include "generator/engine/tuples.hpp"
#include "generator/engine/wire.hpp"

namespace nfvcert::engine {

/// A frame size: the octets that do not change, and the sums of what they add to the checksums.
struct FrameShape {
    FrameShape(std::size_t frame, const AddressSpace& space, bool with_checksum);

    std::vector<std::uint8_t> octets;  // without frame check sequence
    std::size_t trailer;               // offset of the trailer
    std::uint32_t ip_sum;
    std::uint32_t udp_sum;
    bool odd;                          // the trailer begins in the middle of a checksum's word
    bool checksum;
};

SendRecord send_record(std::uint32_t flow, const Tuple& tuple);

/// Time of sending, prepared for many packets.
struct Stamp {
    explicit Stamp(std::uint64_t now_ns) : wire{swap64(now_ns)}, words{words_of(now_ns)} {}
    std::uint64_t wire;
    std::uint32_t words;
};

/// Writes what belongs to one packet into a buffer that holds the shape's octets.
[[gnu::always_inline]] inline void write_packet(std::uint8_t* packet, const FrameShape& shape, const SendRecord& record,
                                                std::uint32_t sequence, const Stamp& stamp) {
    const auto identity = (static_cast<std::uint64_t>(record.flow) << 32) | sequence;
    store(packet + 24, static_cast<std::uint16_t>(swap16(static_cast<std::uint16_t>(~fold(shape.ip_sum + record.address_sum)))));
    store(packet + 26, record.addresses);
    store(packet + 34, record.ports);
    if (shape.checksum) {
        auto varying = words_of(identity) + stamp.words;
        if (shape.odd) {
            varying = swap16(static_cast<std::uint16_t>(fold(varying)));
        }
        auto sum = static_cast<std::uint16_t>(~fold(shape.udp_sum + record.tuple_sum + varying));
        sum = sum == 0 ? std::uint16_t{0xffff} : sum;
        store(packet + 40, swap16(sum));
    }
    auto* trailer = packet + shape.trailer;
    store(trailer + 2, swap64(identity));
    store(trailer + 10, stamp.wire);
}

}  // namespace nfvcert::engine
