#pragma once
// Internet checksum (RFC 1071) and its incremental update (RFC 1624, equation 3).

#include <cstdint>

#include "packet/bytes.hpp"

namespace nfvcert::packet {

/// One's complement sum of `bytes` as 16-bit words, an odd last octet padded with zero, added to `initial`; not folded.
constexpr std::uint64_t checksum_sum(ConstBytes bytes, std::uint64_t initial = 0) {
    auto sum = initial;
    std::size_t i = 0;
    for (; i + 1 < bytes.size(); i += 2) {
        sum += load16(bytes, i);
    }
    if (i < bytes.size()) {
        sum += static_cast<std::uint64_t>(bytes[i]) << 8;
    }
    return sum;
}

constexpr std::uint16_t checksum_fold(std::uint64_t sum) {
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(sum);
}

/// The value to put into a checksum field that was zero while summing.
constexpr std::uint16_t checksum(ConstBytes bytes, std::uint64_t initial = 0) {
    return static_cast<std::uint16_t>(~checksum_fold(checksum_sum(bytes, initial)));
}

/// True when `bytes`, checksum field included, sum up to minus zero.
constexpr bool checksum_valid(ConstBytes bytes, std::uint64_t initial = 0) {
    return checksum_fold(checksum_sum(bytes, initial)) == 0xffff;
}

/// New checksum after one aligned 16-bit word of the data changed.
constexpr std::uint16_t checksum_adjust(std::uint16_t sum, std::uint16_t before, std::uint16_t after) {
    const std::uint64_t total = static_cast<std::uint64_t>(static_cast<std::uint16_t>(~sum)) +
                                static_cast<std::uint16_t>(~before) + after;
    return static_cast<std::uint16_t>(~checksum_fold(total));
}

constexpr std::uint16_t checksum_adjust32(std::uint16_t sum, std::uint32_t before, std::uint32_t after) {
    const auto high = checksum_adjust(sum, static_cast<std::uint16_t>(before >> 16), static_cast<std::uint16_t>(after >> 16));
    return checksum_adjust(high, static_cast<std::uint16_t>(before), static_cast<std::uint16_t>(after));
}

}  // namespace nfvcert::packet
