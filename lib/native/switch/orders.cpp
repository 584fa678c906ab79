#include "switch/orders.hpp"

#include "dpdk/control.hpp"

namespace nfvcert::switching {
namespace {

template <class Number>
Number number_at(const nlohmann::json& raw, std::size_t place) {
    const auto& value = raw[place];
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<Number>::max()) {
        throw dpdk::Refusal{"bad-order", "element " + std::to_string(place) + " of " + raw.dump() + " is out of range"};
    }
    return value.get<Number>();
}

}  // namespace

FlowKey key_from_json(const nlohmann::json& raw) {
    if (!raw.is_array() || raw.size() != 5) {
        throw dpdk::Refusal{"bad-order", "a flow is [source, destination, source port, destination port, protocol], found " +
                                             raw.dump()};
    }
    return {number_at<std::uint32_t>(raw, 0), number_at<std::uint32_t>(raw, 1), number_at<std::uint16_t>(raw, 2),
            number_at<std::uint16_t>(raw, 3), number_at<std::uint8_t>(raw, 4)};
}

IdRange range_of(const nlohmann::json& raw) {
    if (!raw.is_array() || raw.size() != 2) {
        throw dpdk::Refusal{"bad-order", "a range is [low, high], found " + raw.dump()};
    }
    const IdRange range{number_at<std::uint16_t>(raw, 0), number_at<std::uint16_t>(raw, 1)};
    if (range.low > range.high) {
        throw dpdk::Refusal{"bad-order", "the range " + raw.dump() + " ends before it begins"};
    }
    return range;
}

nlohmann::json key_to_json(const FlowKey& key) {
    return {key.source, key.destination, key.source_port, key.destination_port, key.protocol};
}

}  // namespace nfvcert::switching
