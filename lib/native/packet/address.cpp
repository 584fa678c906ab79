#include "packet/address.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

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

std::string MacAddress::text() const {
    std::array<char, 18> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%02x:%02x:%02x:%02x:%02x:%02x", octets[0], octets[1], octets[2],
                  octets[3], octets[4], octets[5]);
    return buffer.data();
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
    std::snprintf(buffer.data(), buffer.size(), "%u.%u.%u.%u", value >> 24, (value >> 16) & 0xff, (value >> 8) & 0xff,
                  value & 0xff);
    return buffer.data();
}

std::string Endpoint::text() const { return address.text() + ":" + std::to_string(port); }

}  // namespace nfvcert::packet
