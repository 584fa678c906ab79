#pragma once
// Octets as text (RFC 4648 section 4: the alphabet with + and /, padded).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nfvcert::packet {

std::string base64_of(std::span<const std::uint8_t> octets);

/// nullopt for what is no base64: another length than a multiple of 4, or a character that is not of the alphabet.
std::optional<std::vector<std::uint8_t>> octets_of_base64(std::string_view text);

}  // namespace nfvcert::packet
