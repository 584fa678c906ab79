#pragma once
// Contents of the last packets, found by what they are: encoder and decoder keep the same ones without numbering them.

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "functions/common/flat_index.hpp"

namespace nfvcert::nf {

using ContentId = std::uint64_t;

/// Id of a packet's content: 64 bits, so that two contents with one id are not met; what is decoded is verified by another sum.
inline ContentId content_id(std::span<const std::uint8_t> octets) {
    std::uint64_t state = octets.size() ^ 0xa0761d6478bd642fULL;
    std::size_t i = 0;
    for (; i + 8 <= octets.size(); i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, octets.data() + i, sizeof word);
        state = fold(state ^ word, 0xe7037ed1a0b428dbULL);
    }
    std::uint64_t rest = 0;
    if (i < octets.size()) {
        std::memcpy(&rest, octets.data() + i, octets.size() - i);
    }
    return fold(state ^ rest, 0x8ebc6af09c88c6e3ULL ^ octets.size());
}

class PacketCache {
public:
    static constexpr std::size_t longest = 1600;  // octets

    /// Room for `packets` contents; a new one takes the place of the oldest.
    explicit PacketCache(std::size_t packets) : index_{packets}, slots_(packets), octets_(packets * longest) {}

    /// Slot of a content, or no_record.
    [[nodiscard]] std::uint32_t find(ContentId id) const {
        return index_.find(id, [&](std::uint32_t slot) { return slots_[slot].id == id; });
    }
    [[nodiscard]] std::span<const std::uint8_t> content(std::uint32_t slot) const {
        return {octets_.data() + slot * longest, slots_[slot].length};
    }
    [[nodiscard]] ContentId id(std::uint32_t slot) const { return slots_[slot].id; }

    /// Keeps a content (at most `longest` octets); answers its slot, also when it was there already.
    std::uint32_t keep(ContentId id, std::span<const std::uint8_t> octets) {
        if (const auto known = find(id); known != no_record) {
            return known;
        }
        const auto slot = next_;
        next_ = static_cast<std::uint32_t>((next_ + 1) % slots_.size());
        if (slots_[slot].length != 0) {
            index_.erase(slots_[slot].id, slot);
        }
        slots_[slot] = {id, static_cast<std::uint16_t>(octets.size())};
        std::memcpy(octets_.data() + slot * longest, octets.data(), octets.size());
        index_.insert(id, slot);
        return slot;
    }
    void forget() {
        for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
            if (slots_[slot].length != 0) {
                index_.erase(slots_[slot].id, slot);
                slots_[slot] = {};
            }
        }
        next_ = 0;
    }
    [[nodiscard]] std::size_t size() const { return index_.size(); }

private:
    struct Slot {
        ContentId id = 0;
        std::uint16_t length = 0;  // 0: free
    };

    FlatIndex index_;
    std::vector<Slot> slots_;
    std::vector<std::uint8_t> octets_;
    std::uint32_t next_ = 0;
};

}  // namespace nfvcert::nf
