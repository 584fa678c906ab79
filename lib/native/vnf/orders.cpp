#include "vnf/orders.hpp"

#include <array>
#include <stdexcept>

namespace nfvcert::vnf {

using nlohmann::json;

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

std::array<std::uint8_t, 256> make_digits() {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(no_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return digits;
}

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
        return nf::FlowSelector::ranges(ranges, nf::identity_of(order.value("identity", "five-tuple")));
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

std::string base64_of(std::span<const std::uint8_t> octets) {
    std::string text;
    text.reserve((octets.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < octets.size(); i += 3) {
        const auto have = std::min<std::size_t>(3, octets.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = (group << 8) | (j < have ? octets[i + j] : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            text += j <= have ? alphabet[(group >> (18 - 6 * j)) & 0x3f] : '=';
        }
    }
    return text;
}

std::vector<std::uint8_t> octets_of_base64(std::string_view text) {
    static const auto digits = make_digits();
    if (text.size() % 4 != 0) {
        throw std::invalid_argument("state: no base64, its length is no multiple of 4");
    }
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    std::vector<std::uint8_t> octets;
    octets.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const auto used = i + 4 == text.size() ? 4 - padding : 4;
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            const auto digit = j < used ? digits[static_cast<std::uint8_t>(text[i + j])] : std::uint8_t{0};
            if (digit == no_digit) {
                throw std::invalid_argument("state: no base64");
            }
            group = (group << 6) | digit;
        }
        for (std::size_t j = 0; j + 1 < used; ++j) {
            octets.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * j)));
        }
    }
    return octets;
}

}  // namespace nfvcert::vnf
