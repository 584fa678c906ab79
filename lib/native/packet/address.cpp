#include "packet/address.hpp"

#include <algorithm>
#include <charconv>

namespace nfvcert::packet {

namespace {

/// Reads exactly one number up to `limit` at the front of `text` and removes it.
std::optional<unsigned> take_number(std::string_view& text, int base, std::size_t max_digits, unsigned limit) {
    unsigned value = 0;
    const auto* const end = text.data() + std::min(text.size(), max_digits);
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (error != std::errc{} || value > limit) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    return value;
}

bool take_separator(std::string_view& text, char separator) {
    if (text.empty() || text.front() != separator) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
    MacAddress mac;
    for (std::size_t i = 0; i < mac.octets.size(); ++i) {
        if (i != 0 && !take_separator(text, ':')) {
            return std::nullopt;
        }
        const auto octet = take_number(text, 16, 2, 0xff);
        if (!octet) {
            return std::nullopt;
        }
        mac.octets[i] = static_cast<std::uint8_t>(*octet);
    }
    return text.empty() ? std::optional{mac} : std::nullopt;
}

MacAddress MacAddress::load(ConstBytes bytes, std::size_t offset) {
    MacAddress mac;
    const auto source = bytes.subspan(offset, mac.octets.size());
    std::copy(source.begin(), source.end(), mac.octets.begin());
    return mac;
}

void MacAddress::store(Bytes bytes, std::size_t offset) const {
    std::copy(octets.begin(), octets.end(), bytes.subspan(offset, octets.size()).begin());
}

std::uint64_t MacAddress::number() const {
    std::uint64_t number = 0;
    for (const auto octet : octets) {
        number = (number << 8U) | octet;
    }
    return number;
}

std::string MacAddress::text() const {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text(17, ':');
    for (std::size_t i = 0; i < octets.size(); ++i) {
        text[3 * i] = digits[octets[i] >> 4];
        text[3 * i + 1] = digits[octets[i] & 0x0f];
    }
    return text;
}

std::optional<Ipv4Address> Ipv4Address::parse(std::string_view text) {
    Ipv4Address address;
    for (int i = 0; i < 4; ++i) {
        if (i != 0 && !take_separator(text, '.')) {
            return std::nullopt;
        }
        const auto octet = take_number(text, 10, 3, 0xff);
        if (!octet) {
            return std::nullopt;
        }
        address.value = (address.value << 8) | *octet;
    }
    return text.empty() ? std::optional{address} : std::nullopt;
}

bool Ipv4Address::is_routable_unicast() const {
    const auto first = value >> 24;
    return first != 0 && first != 127 && first < 224;
}

std::string Ipv4Address::text() const {
    std::array<char, 16> buffer{};
    auto* next = buffer.data();
    for (int shift = 24; shift >= 0; shift -= 8) {
        next = std::to_chars(next, buffer.end(), (value >> shift) & 0xff).ptr;
        *next++ = '.';
    }
    return {buffer.data(), next - 1};
}

std::string Endpoint::text() const {
    auto text = address.text();
    text += ':';
    text += std::to_string(port);
    return text;
}

}  // namespace nfvcert::packet
