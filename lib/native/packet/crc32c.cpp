#include "packet/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace nfvcert::packet {
namespace {

constexpr std::uint32_t all_ones = 0xffff'ffff;

constexpr std::array<std::uint32_t, 256> make_table() {
    constexpr std::uint32_t reversed_polynomial = 0x82f6'3b78;
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t octet = 0; octet < table.size(); ++octet) {
        auto rest = octet;
        for (int bit = 0; bit < 8; ++bit) {
            rest = (rest >> 1U) ^ ((rest & 1U) != 0 ? reversed_polynomial : 0U);
        }
        table[octet] = rest;
    }
    return table;
}

constexpr auto table = make_table();

#if defined(__x86_64__)
template <class Word>
Word load(const std::uint8_t* at) {
    Word value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
}

[[gnu::target("sse4.2")]] std::uint32_t by_instruction(const std::uint8_t* octets, std::size_t count) {
    std::uint64_t crc = all_ones;
    for (; count >= 8; octets += 8, count -= 8) {
        crc = _mm_crc32_u64(crc, load<std::uint64_t>(octets));
    }
    auto rest = static_cast<std::uint32_t>(crc);
    if (count >= 4) {
        rest = _mm_crc32_u32(rest, load<std::uint32_t>(octets));
        octets += 4;
        count -= 4;
    }
    for (; count > 0; ++octets, --count) {
        rest = _mm_crc32_u8(rest, *octets);
    }
    return rest ^ all_ones;
}
#endif

using Way = std::uint32_t (*)(const std::uint8_t*, std::size_t);

Way chosen() {
#if defined(__x86_64__)
    if (has_crc32c_instruction()) {
        return by_instruction;
    }
#endif
    return crc32c_by_table;
}

const Way way = chosen();

}  // namespace

std::uint32_t crc32c(const std::uint8_t* octets, std::size_t count) { return way(octets, count); }

std::uint32_t crc32c_by_table(const std::uint8_t* octets, std::size_t count) {
    auto crc = all_ones;
    for (std::size_t at = 0; at < count; ++at) {
        crc = table[(crc ^ octets[at]) & 0xffU] ^ (crc >> 8U);
    }
    return crc ^ all_ones;
}

bool has_crc32c_instruction() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
#else
    return false;
#endif
}

}  // namespace nfvcert::packet
