#include "functions/common/flow_selector.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace nfvcert::nf {
namespace {

constexpr std::uint32_t castagnoli_reflected = 0x82f63b78;

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        auto crc = i;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? castagnoli_reflected : 0);
        }
        table[i] = crc;
    }
    return table;
}

constexpr auto table = make_table();

std::uint32_t crc_by_table(const std::uint8_t* octets, std::size_t count, std::uint32_t crc) {
    for (std::size_t i = 0; i < count; ++i) {
        crc = (crc >> 8) ^ table[(crc ^ octets[i]) & 0xff];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_by_instruction(const std::uint8_t* octets, std::size_t count,
                                                                  std::uint32_t crc) {
    std::uint64_t wide = crc;
    for (; count >= 8; count -= 8, octets += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, octets, sizeof word);
        wide = _mm_crc32_u64(wide, word);
    }
    auto narrow = static_cast<std::uint32_t>(wide);
    for (; count > 0; --count, ++octets) {
        narrow = _mm_crc32_u8(narrow, *octets);
    }
    return narrow;
}
#endif

using Crc = std::uint32_t (*)(const std::uint8_t*, std::size_t, std::uint32_t);

Crc best_crc() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2") != 0) {
        return crc_by_instruction;
    }
#endif
    return crc_by_table;
}

}  // namespace

std::size_t FlowKeyHash::operator()(const FlowKey& key) const noexcept {
    const auto addresses = (static_cast<std::uint64_t>(key.source) << 32) | key.destination;
    const auto rest = (static_cast<std::uint64_t>(key.source_port) << 24) |
                      (static_cast<std::uint64_t>(key.destination_port) << 8) | key.protocol;
    return packet::mix64(packet::mix64(addresses) ^ rest);
}

std::uint32_t crc32c(const std::uint8_t* octets, std::size_t count, std::uint32_t crc) {
    static const auto best = best_crc();
    return ~best(octets, count, ~crc);
}

Identity identity_of(std::string_view name) {
    if (name == "five-tuple") {
        return Identity::five_tuple;
    }
    if (name == "addresses") {
        return Identity::addresses;
    }
    if (name == "source-port") {
        return Identity::source_port;
    }
    throw std::invalid_argument("there is no flow identity '" + std::string{name} +
                                "'; known: five-tuple, addresses, source-port");
}

std::uint16_t flow_id(const FlowKey& flow, Identity identity) {
    if (identity == Identity::source_port) {
        return flow.source_port;
    }
    std::array<std::uint8_t, 13> fields{};
    std::size_t count = 0;
    packet::store32(fields, 0, flow.source);
    packet::store32(fields, 4, flow.destination);
    count = 8;
    if (identity == Identity::five_tuple) {
        packet::store16(fields, 8, flow.source_port);
        packet::store16(fields, 10, flow.destination_port);
        count = 12;
    }
    fields[count++] = flow.protocol;
    const auto crc = crc32c(fields.data(), count);
    return static_cast<std::uint16_t>(crc ^ (crc >> 16));
}

FlowSelector FlowSelector::listed(const std::vector<FlowKey>& flows) {
    FlowSelector selector;
    selector.kind_ = Kind::listed;
    selector.flows_.insert(flows.begin(), flows.end());
    return selector;
}

FlowSelector FlowSelector::ranges(const std::vector<IdRange>& ranges, Identity identity) {
    FlowSelector selector;
    selector.kind_ = Kind::ranges;
    selector.identity_ = identity;
    selector.ids_.resize(65536);
    for (const auto& range : ranges) {
        for (std::uint32_t id = range.first; id <= range.last; ++id) {
            selector.ids_[id] = true;
        }
    }
    return selector;
}

bool FlowSelector::matches(const FlowKey& flow) const {
    switch (kind_) {
        case Kind::listed:
            return flows_.contains(flow);
        case Kind::ranges:
            return ids_[flow_id(flow, identity_)];
        case Kind::all:
            break;
    }
    return true;
}

}  // namespace nfvcert::nf
