#pragma once
// State of flows as octets: blocks that can be checked and read one at a time.
//
// Block: magic "NFST" | code of the function u8 | format u8 | 0 u16 | records u32 | length of the content u32 | content |
// crc32c over all of it u32; numbers in network order. A state is any number of blocks, one after the other.

#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

namespace nfvcert::nf {

/// The octets are no state that can be read here; what() says why.
struct StateError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

class StateWriter {
public:
    explicit StateWriter(std::uint8_t code);

    void u8(std::uint8_t value) { octets_.push_back(value); }
    void u16(std::uint16_t value);
    void u32(std::uint32_t value);
    void u64(std::uint64_t value);
    /// To be called after the fields of each record.
    void end_record() { ++records_; }

    [[nodiscard]] std::uint32_t records() const { return records_; }
    /// The whole block; the writer is used up.
    [[nodiscard]] std::vector<std::uint8_t> finish();

private:
    std::vector<std::uint8_t> octets_;
    std::uint32_t records_ = 0;
};

/// Reads numbers; throws StateError at the end of the octets.
class StateReader {
public:
    explicit StateReader(std::span<const std::uint8_t> octets) : octets_{octets} {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
    std::uint64_t u64() { return number(8); }
    /// Throws StateError when octets are left over.
    void expect_end() const;

private:
    std::uint64_t number(std::size_t count);

    std::span<const std::uint8_t> octets_;
};

struct StateBlock {
    StateReader reader;
    std::uint32_t records = 0;
};

/// Checks all blocks of a state and gives their contents. Throws StateError when one is damaged or another function's.
std::vector<StateBlock> read_blocks(std::span<const std::uint8_t> state, std::uint8_t code);

}  // namespace nfvcert::nf
