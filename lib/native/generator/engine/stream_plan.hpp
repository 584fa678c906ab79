#pragma once
// A stream as it is asked for (order load), checked.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "generator/engine/field_program.hpp"
#include "generator/engine/fields.hpp"

namespace nfvcert::engine {

enum class GroupKind : std::uint8_t { none, statistics, latency };

struct StreamPlan {
    static constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

    std::int64_t id;
    bool self_start;
    bool start_paused;
    bool dummy;                         // keeps the time and sends nothing
    double gap_before_ns;               // before its first packet, each time it starts
    std::optional<std::int64_t> next;   // stream that starts when this one has ended
    std::uint32_t action_count;         // how often that happens; 0: without limit
    std::uint64_t burst_packets;        // endless: continuous
    std::uint64_t bursts;
    double gap_between_ns;              // between bursts
    double packets_per_second;
    std::vector<std::uint8_t> packet;   // without frame check sequence
    FieldProgram program;
    GroupKind group_kind;
    std::uint32_t group;

    [[nodiscard]] bool continuous() const { return burst_packets == endless; }
};

inline constexpr std::size_t longest_packet = 1900;     // octets: what fits one buffer with room for tags
inline constexpr std::uint32_t most_groups = 1U << 20;  // group numbers that may be asked for

/// Reads the streams of one profile: identities differ, followers exist, packets can be compiled. Throws Refusal.
std::vector<StreamPlan> read_streams(const json& streams);

/// What the streams send at most at the same time, at multiplier 1: every stream that starts by itself, and every chain by
/// its fastest stream.
double peak_rate(const std::vector<const StreamPlan*>& streams);

std::vector<std::uint8_t> from_base64(const std::string& text, const std::string& where);

}  // namespace nfvcert::engine
