#pragma once
// Which flow the later fragments of a packet belong to, learnt from its first one. Of fixed size; a new packet takes the
// place of the oldest one, whose later fragments are then dropped as `fragment_without_first`.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "functions/common/flat_index.hpp"
#include "functions/common/frame_view.hpp"

namespace nfvcert::nf {

struct FragmentTableConfig {
    std::size_t packets = 4096;                     // rounded up to a power of two
    std::uint64_t timeout_ns = 2'000'000'000;       // from the first fragment
};

class FragmentTable {
public:
    explicit FragmentTable(const FragmentTableConfig& config)
        : sets_(std::bit_ceil(std::max<std::size_t>(config.packets, ways) / ways)), timeout_ns_{config.timeout_ns} {}

    /// Remembers the record of the flow whose first fragment is `first`, with `note` of the caller's.
    void learn(const FrameView& first, std::uint32_t record, std::uint8_t note, std::uint64_t now_ns) {
        auto& set = sets_[place(first)];
        auto* chosen = &set[0];
        for (auto& entry : set) {
            if (entry.is_of(first)) {
                chosen = &entry;
                break;
            }
            if (entry.seen_ns < chosen->seen_ns) {
                chosen = &entry;
            }
        }
        *chosen = {first.source, first.destination, record, now_ns + 1, first.identification(), first.protocol, note};
    }

    struct Found {
        std::uint32_t record = no_record;
        std::uint8_t note = 0;
    };
    /// What was learnt about the packet of `later`; the caller verifies that the record is still the flow's.
    [[nodiscard]] Found find(const FrameView& later, std::uint64_t now_ns) const {
        for (const auto& entry : sets_[place(later)]) {
            if (entry.is_of(later) && now_ns < entry.seen_ns + timeout_ns_) {
                return {entry.record, entry.note};
            }
        }
        return {};
    }

private:
    static constexpr std::size_t ways = 4;
    struct Entry {
        std::uint32_t source = 0;
        std::uint32_t destination = 0;
        std::uint32_t record = no_record;
        std::uint64_t seen_ns = 0;  // 0: free
        std::uint16_t identification = 0;
        std::uint8_t protocol = 0;
        std::uint8_t note = 0;

        [[nodiscard]] bool is_of(const FrameView& view) const {
            return seen_ns != 0 && source == view.source && destination == view.destination &&
                   identification == view.identification() && protocol == view.protocol;
        }
    };

    [[nodiscard]] std::size_t place(const FrameView& view) const {
        const auto hash = hash_words((static_cast<std::uint64_t>(view.source) << 32) | view.destination,
                                     (static_cast<std::uint64_t>(view.identification()) << 8) | view.protocol);
        return hash & (sets_.size() - 1);
    }

    std::vector<std::array<Entry, ways>> sets_;
    std::uint64_t timeout_ns_;
};

}  // namespace nfvcert::nf
