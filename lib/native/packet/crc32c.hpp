#pragma once
// CRC-32C (Castagnoli; RFC 3720 appendix B.4), by the processor's instruction where the machine has it.

#include <cstddef>
#include <cstdint>

namespace nfvcert::packet {

/// Start value and final exclusive or 0xffffffff.
std::uint32_t crc32c(const std::uint8_t* octets, std::size_t count);

/// The two ways of which crc32c() takes one when the program starts.
std::uint32_t crc32c_by_table(const std::uint8_t* octets, std::size_t count);
bool has_crc32c_instruction();

}  // namespace nfvcert::packet
