#pragma once
// The way of a burst through a function that looks its packets up in tables.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "functions/network_function.hpp"

namespace nfvcert::nf {

/// Packets whose table entries are fetched ahead together.
inline constexpr std::size_t most_at_once = 64;

/// Takes the packets in three passes, so that what a packet needs of the tables is in the cache when it is carried:
/// `classify(packet, work)` fills the Work of a packet and fetches its index entry ahead, `fetch(work)` the record that the
/// entry names, `carry(packet, work)` decides and changes the packet.
template <class Work, class Classify, class Fetch, class Carry>
void in_three_passes(std::span<PacketRef> burst, Classify&& classify, Fetch&& fetch, Carry&& carry) {
    std::array<Work, most_at_once> works;  // NOLINT: filled below
    while (!burst.empty()) {
        const auto part = burst.first(std::min(burst.size(), most_at_once));
        burst = burst.subspan(part.size());
        for (std::size_t i = 0; i < part.size(); ++i) {
            classify(part[i], works[i]);
        }
        for (std::size_t i = 0; i < part.size(); ++i) {
            fetch(works[i]);
        }
        for (std::size_t i = 0; i < part.size(); ++i) {
            carry(part[i], works[i]);
        }
    }
}

}  // namespace nfvcert::nf
