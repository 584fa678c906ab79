#include "functions/common/state_block.hpp"

#include <string>

#include "packet/bytes.hpp"
#include "packet/crc32c.hpp"

namespace nfvcert::nf {
namespace {

constexpr std::uint32_t magic = 0x4e465354;  // "NFST"
constexpr std::uint8_t format = 1;
constexpr std::size_t header_length = 16;
constexpr std::size_t trailer_length = 4;

}  // namespace

StateWriter::StateWriter(std::uint8_t code) {
    u32(magic);
    u8(code);
    u8(format);
    u16(0);
    u64(0);  // records and length, known at the end
}

void StateWriter::u16(std::uint16_t value) {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
}

void StateWriter::u32(std::uint32_t value) {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value));
}

void StateWriter::u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value >> 32));
    u32(static_cast<std::uint32_t>(value));
}

std::vector<std::uint8_t> StateWriter::finish() {
    packet::store32(octets_, 8, records_);
    packet::store32(octets_, 12, static_cast<std::uint32_t>(octets_.size() - header_length));
    u32(packet::crc32c(octets_.data(), octets_.size()));
    return std::move(octets_);
}

std::uint64_t StateReader::number(std::size_t count) {
    if (octets_.size() < count) {
        throw StateError("state: a record is cut off");
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        value = (value << 8) | octets_[i];
    }
    octets_ = octets_.subspan(count);
    return value;
}

void StateReader::expect_end() const {
    if (!octets_.empty()) {
        throw StateError("state: " + std::to_string(octets_.size()) + " octets are left after the last record");
    }
}

std::vector<StateBlock> read_blocks(std::span<const std::uint8_t> state, std::uint8_t code) {
    std::vector<StateBlock> blocks;
    while (!state.empty()) {
        if (state.size() < header_length + trailer_length || packet::load32(state, 0) != magic) {
            throw StateError("state: no block begins where one is expected");
        }
        if (state[4] != code) {
            throw StateError("state: of another function (code " + std::to_string(state[4]) + ", here " +
                             std::to_string(code) + ")");
        }
        if (state[5] != format) {
            throw StateError("state: format " + std::to_string(state[5]) + " is not known; known: " + std::to_string(format));
        }
        const std::size_t length = packet::load32(state, 12);
        if (length > state.size() - header_length - trailer_length) {
            throw StateError("state: a block is cut off");
        }
        const auto sum = packet::load32(state, header_length + length);
        if (sum != packet::crc32c(state.data(), header_length + length)) {
            throw StateError("state: a block is damaged, its check sum does not fit");
        }
        blocks.push_back({StateReader{state.subspan(header_length, length)}, packet::load32(state, 8)});
        state = state.subspan(header_length + length + trailer_length);
    }
    return blocks;
}

}  // namespace nfvcert::nf
