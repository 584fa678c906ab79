// Compressed HdrHistogram, version 2: counts as ZigZag LEB128, runs of zeros as negative numbers, in a zlib container
// (RFC 1950) of stored blocks (RFC 1951, 3.2.4): the runs are the compression.

#include <bit>

#include "generator/engine/histogram.hpp"
#include "packet/base64.hpp"

namespace nfvcert::engine {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::uint32_t encoding_cookie = 0x1c849303 | 0x10;
constexpr std::uint32_t compressed_cookie = 0x1c849304 | 0x10;
constexpr std::uint64_t highest_us = 10'000'000;
constexpr std::size_t stored_block = 65535;

void put(Octets& to, std::uint64_t value, unsigned octets) {
    for (unsigned i = octets; i-- > 0;) {
        to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
}

void put_count(Octets& to, std::int64_t value) {
    auto zigzag = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
    for (int i = 0; i < 8 && zigzag >= 0x80; ++i) {
        to.push_back(static_cast<std::uint8_t>(zigzag | 0x80));
        zigzag >>= 7;
    }
    to.push_back(static_cast<std::uint8_t>(zigzag));
}

Octets stored(const Octets& data) {
    Octets container{0x78, 0x01};
    std::uint32_t low = 1;
    std::uint32_t high = 0;
    std::size_t at = 0;
    do {
        const auto count = std::min(stored_block, data.size() - at);
        container.push_back(at + count == data.size() ? 1 : 0);
        for (const auto length : {count, ~count}) {
            container.push_back(static_cast<std::uint8_t>(length));
            container.push_back(static_cast<std::uint8_t>(length >> 8));
        }
        for (const auto end = at + count; at < end; ++at) {
            container.push_back(data[at]);
            low = (low + data[at]) % 65521;
            high = (high + low) % 65521;
        }
    } while (at < data.size());
    put(container, (high << 16) | low, 4);
    return container;
}

}  // namespace

std::string hdr_base64_us(const Histogram& histogram) {
    std::vector<std::uint64_t> counts;
    for (const auto& [ns, count] : histogram.used()) {
        const auto cell = Histogram::cell_of(std::clamp<std::uint64_t>(ns / 1000, 1, highest_us));
        counts.resize(std::max(counts.size(), cell + 1));
        counts[cell] += count;
    }
    Octets payload;
    for (std::size_t i = 0; i < counts.size();) {
        std::int64_t zeros = 0;
        for (; i < counts.size() && counts[i] == 0; ++i) {
            ++zeros;
        }
        if (zeros > 0) {
            put_count(payload, zeros == 1 ? 0 : -zeros);
        }
        if (i < counts.size()) {
            put_count(payload, static_cast<std::int64_t>(counts[i++]));
        }
    }
    Octets encoded;
    put(encoded, encoding_cookie, 4);
    put(encoded, payload.size(), 4);
    put(encoded, 0, 4);  // normalizing index offset
    put(encoded, 3, 4);  // significant digits
    put(encoded, 1, 8);
    put(encoded, highest_us, 8);
    put(encoded, std::bit_cast<std::uint64_t>(1.0), 8);
    encoded.insert(encoded.end(), payload.begin(), payload.end());
    const auto container = stored(encoded);
    Octets compressed;
    put(compressed, compressed_cookie, 4);
    put(compressed, container.size(), 4);
    compressed.insert(compressed.end(), container.begin(), container.end());
    return packet::base64_of(compressed);
}

}  // namespace nfvcert::engine
