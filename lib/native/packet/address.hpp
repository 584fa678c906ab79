#pragma once
// Link and network addresses as values: parse, print, compare, hash.

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "packet/bytes.hpp"

namespace nfvcert::packet {

struct MacAddress {
    std::array<std::uint8_t, 6> octets{};

    /// Six hexadecimal octets separated by colons; nullopt for anything else.
    static std::optional<MacAddress> parse(std::string_view text);
    static MacAddress load(ConstBytes bytes, std::size_t offset);
    static constexpr MacAddress broadcast() { return {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }

    void store(Bytes bytes, std::size_t offset) const;
    [[nodiscard]] bool is_group() const { return (octets[0] & 1) != 0; }
    [[nodiscard]] bool is_zero() const { return *this == MacAddress{}; }
    /// The octets in the low bits, the first of the wire in the highest of them.
    [[nodiscard]] std::uint64_t number() const;
    [[nodiscard]] std::string text() const;
    auto operator<=>(const MacAddress&) const = default;
};

struct Ipv4Address {
    std::uint32_t value = 0;  // host byte order

    /// Dotted quad without leading blanks or signs; nullopt for anything else.
    static std::optional<Ipv4Address> parse(std::string_view text);
    static Ipv4Address load(ConstBytes bytes, std::size_t offset) { return {load32(bytes, offset)}; }

    void store(Bytes bytes, std::size_t offset) const { store32(bytes, offset, value); }
    [[nodiscard]] bool is_zero() const { return value == 0; }
    /// Neither "this network" (0/8), loopback, multicast, class E nor broadcast.
    [[nodiscard]] bool is_routable_unicast() const;
    [[nodiscard]] std::string text() const;
    auto operator<=>(const Ipv4Address&) const = default;
};

struct Ipv4Network {
    Ipv4Address address;
    unsigned prefix = 32;  // bits, 0..32

    [[nodiscard]] bool contains(Ipv4Address other) const {
        return prefix == 0 || ((address.value ^ other.value) >> (32U - prefix)) == 0;
    }
};

/// Transport endpoint; for ICMP echo the port is the identifier (own side) or 0 (remote side).
struct Endpoint {
    Ipv4Address address;
    std::uint16_t port = 0;

    [[nodiscard]] std::string text() const;
    auto operator<=>(const Endpoint&) const = default;
};

/// Finalizer of splitmix64: spreads entropy of small integers over all bits, without any seed.
constexpr std::uint64_t mix64(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
}

}  // namespace nfvcert::packet

template <>
struct std::hash<nfvcert::packet::Ipv4Address> {
    std::size_t operator()(const nfvcert::packet::Ipv4Address& address) const noexcept {
        return nfvcert::packet::mix64(address.value);
    }
};
