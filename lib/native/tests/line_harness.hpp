#pragma once
// What the harnesses have in common that let other languages drive a module: one JSON request a line on stdin, one answer a
// line on stdout; octets in hexadecimal digits.

#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nfvcert::tests {

inline std::vector<std::uint8_t> from_hex(const std::string& text) {
    if (text.size() % 2 != 0) {
        throw std::invalid_argument("odd number of hexadecimal digits");
    }
    std::vector<std::uint8_t> octets;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        octets.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
    }
    return octets;
}

inline std::string to_hex(std::span<const std::uint8_t> octets) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const auto octet : octets) {
        text += digits[octet >> 4];
        text += digits[octet & 0x0f];
    }
    return text;
}

/// Answers each line by `handle(request)`, or {"error": text} where that throws, until there are no more.
template <class Handle>
void answer_lines(Handle&& handle) {
    for (std::string line; std::getline(std::cin, line);) {
        nlohmann::json answer;
        try {
            answer = handle(nlohmann::json::parse(line));
        } catch (const std::exception& error) {
            answer = {{"error", error.what()}};
        }
        std::cout << answer.dump() << std::endl;
    }
}

}  // namespace nfvcert::tests
