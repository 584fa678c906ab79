#pragma once
// Packets of the flow mode: Ethernet, IPv4 and UDP headers, then zeros, then the test trailer in the last 18 octets:
// magic 0x4e46 (2), flow number (4), sequence number (4), time of sending in ns of CLOCK_MONOTONIC (8), network order.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// The function exists for several generations of processors; which one is called is found when the program starts.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define NFVCERT_PROCESSOR_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define NFVCERT_PROCESSOR_CLONES
#endif

namespace nfvcert::engine {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::uint16_t trailer_magic = 0x4e46;
inline constexpr std::size_t trailer_octets = 18;
inline constexpr std::size_t ethernet_octets = 14;
inline constexpr std::size_t headers_octets = ethernet_octets + 20 + 8;
inline constexpr std::size_t shortest_frame = headers_octets + trailer_octets + 4;  // 64, with the frame check sequence
inline constexpr std::size_t longest_frame = 1518;
inline constexpr std::size_t check_sequence_octets = 4;
inline constexpr std::size_t gap_octets = 20;  // preamble and inter-frame gap: what a frame takes of the wire besides itself

template <class Number>
[[gnu::always_inline]] inline Number load(const void* from) {
    Number value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class Number>
[[gnu::always_inline]] inline void store(void* to, Number value) {
    std::memcpy(to, &value, sizeof value);
}

[[gnu::always_inline]] inline std::uint16_t swap16(std::uint16_t value) { return __builtin_bswap16(value); }
[[gnu::always_inline]] inline std::uint32_t swap32(std::uint32_t value) { return __builtin_bswap32(value); }
[[gnu::always_inline]] inline std::uint64_t swap64(std::uint64_t value) { return __builtin_bswap64(value); }

/// Sum of the four 16-bit words of a number, as the Internet checksum adds them (RFC 1071); not folded.
[[gnu::always_inline]] inline std::uint32_t words_of(std::uint64_t value) {
    const auto pairs = (value & 0x0000ffff0000ffffU) + ((value >> 16) & 0x0000ffff0000ffffU);
    return static_cast<std::uint32_t>(pairs) + static_cast<std::uint32_t>(pairs >> 32);
}

[[gnu::always_inline]] inline std::uint32_t fold(std::uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/// Sum of the words of `octets`; an odd last octet counts as the high half of a word.
inline std::uint32_t sum_of(const std::uint8_t* octets, std::size_t count, std::uint32_t sum = 0) {
    std::uint64_t wide = sum;
    std::size_t i = 0;
    for (; i + 2 <= count; i += 2) {
        wide += swap16(load<std::uint16_t>(octets + i));
    }
    if (i < count) {
        wide += static_cast<std::uint32_t>(octets[i]) << 8;
    }
    wide = (wide & 0xffffffff) + (wide >> 32);
    wide = (wide & 0xffff) + (wide >> 16);
    return fold(static_cast<std::uint32_t>(wide));
}

}  // namespace nfvcert::engine
