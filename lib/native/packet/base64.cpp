#include "packet/base64.hpp"

#include <algorithm>
#include <array>

namespace nfvcert::packet {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

constexpr std::array<std::uint8_t, 256> make_digits() {
    std::array<std::uint8_t, 256> digits{};
    digits.fill(no_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return digits;
}

constexpr auto digits = make_digits();

}  // namespace

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

std::optional<std::vector<std::uint8_t>> octets_of_base64(std::string_view text) {
    if (text.size() % 4 != 0) {
        return std::nullopt;
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
                return std::nullopt;
            }
            group = (group << 6) | digit;
        }
        for (std::size_t j = 0; j + 1 < used; ++j) {
            octets.push_back(static_cast<std::uint8_t>(group >> (16 - 8 * j)));
        }
    }
    return octets;
}

}  // namespace nfvcert::packet
