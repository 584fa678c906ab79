#pragma once
// Network byte order access to octets. Offsets are the caller's duty: parsers check lengths first.

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nfvcert::packet {

using Bytes = std::span<std::uint8_t>;
using ConstBytes = std::span<const std::uint8_t>;

constexpr std::uint16_t load16(ConstBytes bytes, std::size_t offset) {
    assert(offset + 2 <= bytes.size());
    return static_cast<std::uint16_t>((bytes[offset] << 8) | bytes[offset + 1]);
}

constexpr std::uint32_t load32(ConstBytes bytes, std::size_t offset) {
    return (static_cast<std::uint32_t>(load16(bytes, offset)) << 16) | load16(bytes, offset + 2);
}

constexpr void store16(Bytes bytes, std::size_t offset, std::uint16_t value) {
    assert(offset + 2 <= bytes.size());
    bytes[offset] = static_cast<std::uint8_t>(value >> 8);
    bytes[offset + 1] = static_cast<std::uint8_t>(value);
}

constexpr void store32(Bytes bytes, std::size_t offset, std::uint32_t value) {
    store16(bytes, offset, static_cast<std::uint16_t>(value >> 16));
    store16(bytes, offset + 2, static_cast<std::uint16_t>(value));
}

}  // namespace nfvcert::packet
