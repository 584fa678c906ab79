#pragma once
// What is counted of a flow at a port.

#include <cstdint>
#include <string>
#include <unordered_map>

#include "packet/address.hpp"

namespace nfvcert::observer {

enum class Direction : std::uint8_t { in, out };  // in: out of the VNFC, towards the network; out: towards the VNFC

struct Key {
    Direction direction = Direction::in;
    std::uint8_t protocol = 0;
    std::uint8_t dscp = 0;
    packet::Endpoint source;
    packet::Endpoint destination;
    std::int64_t flow = -1;  // number in a measurement payload: a translated port may serve several flows; -1: none
    bool operator==(const Key&) const = default;
};

struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
        const auto ends = (static_cast<std::uint64_t>(key.source.address.value) << 32) | key.destination.address.value;
        const auto rest = (static_cast<std::uint64_t>(key.source.port) << 32) |
                          (static_cast<std::uint64_t>(key.destination.port) << 16) |
                          (static_cast<std::uint64_t>(key.protocol) << 8) |
                          static_cast<std::uint64_t>((key.dscp << 1) | static_cast<int>(key.direction));
        return packet::mix64(packet::mix64(packet::mix64(ends) ^ rest) ^ static_cast<std::uint64_t>(key.flow));
    }
};

struct Record {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first = 0;  // CLOCK_MONOTONIC, ns
    std::uint64_t last = 0;
};

using Records = std::unordered_map<Key, Record, KeyHash>;

struct Counter {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t last = 0;
};

}  // namespace nfvcert::observer
