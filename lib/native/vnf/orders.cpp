#include "vnf/orders.hpp"

#include <stdexcept>
#include <string>

#include "packet/base64.hpp"

namespace nfvcert::vnf {

using nlohmann::json;

namespace {

template <class Number>
Number number_of(const json& value, const json& whole) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<Number>::max()) {
        throw std::invalid_argument("no flow or range: " + whole.dump());
    }
    return value.get<Number>();
}

nf::FlowKey flow_of(const json& value) {
    if (!value.is_array() || (value.size() != 5 && value.size() != 6)) {
        throw std::invalid_argument("a flow is [source, destination, source port, destination port, protocol], found " + value.dump());
    }
    const auto first = value.size() - 5;
    return {number_of<std::uint32_t>(value[first], value), number_of<std::uint32_t>(value[first + 1], value),
            number_of<std::uint16_t>(value[first + 2], value), number_of<std::uint16_t>(value[first + 3], value),
            number_of<std::uint8_t>(value[first + 4], value)};
}

}  // namespace

nf::FlowSelector selector_of(const json& order) {
    if (order.contains("flows")) {
        std::vector<nf::FlowKey> flows;
        for (const auto& flow : order.at("flows")) {
            flows.push_back(flow_of(flow));
        }
        return nf::FlowSelector::listed(flows);
    }
    if (order.contains("ranges")) {
        std::vector<nf::IdRange> ranges;
        for (const auto& range : order.at("ranges")) {
            if (!range.is_array() || range.size() != 2) {
                throw std::invalid_argument("a range is [first, last], found " + range.dump());
            }
            ranges.push_back({number_of<std::uint16_t>(range[0], range), number_of<std::uint16_t>(range[1], range)});
        }
        return nf::FlowSelector::ranges(ranges, nf::identity_named(order.value("identity", "five-tuple")));
    }
    if (order.value("all", false)) {
        return nf::FlowSelector::all();
    }
    throw std::invalid_argument("the order names no flows: 'flows', 'ranges' or 'all'");
}

json json_of(const nf::FlowCounters& counted) {
    const auto& flow = counted.flow;
    return json::array({flow.source, flow.destination, flow.source_port, flow.destination_port, flow.protocol, counted.packets,
                        counted.bytes, counted.first_ns, counted.last_ns});
}

std::vector<std::uint8_t> state_of(const json& order) {
    auto octets = packet::octets_of_base64(order.value("state", std::string{}));
    if (!octets) {
        throw std::invalid_argument("state: no base64");
    }
    return std::move(*octets);
}

}  // namespace nfvcert::vnf
