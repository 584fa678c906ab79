#pragma once
// Sets of flows, by their keys or by the ids that the switches group them by; and what is told about a flow.

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "packet/flow.hpp"

namespace nfvcert::nf {

using packet::FlowKey;  // ports of ICMP echo: identifier and 0
using packet::FlowKeyHash;
using packet::Identity;
using packet::flow_id;
using packet::identity_named;

struct FlowCounters {
    FlowKey flow;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    bool frozen = false;
};

struct IdRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;  // inclusive
};

/// All flows, listed ones, or those whose ids lie in ranges.
class FlowSelector {
public:
    static FlowSelector all() { return FlowSelector{}; }
    static FlowSelector listed(const std::vector<FlowKey>& flows);
    static FlowSelector ranges(const std::vector<IdRange>& ranges, Identity identity);

    [[nodiscard]] bool matches(const FlowKey& flow) const;

private:
    enum class Kind : std::uint8_t { all, listed, ranges };
    Kind kind_ = Kind::all;
    Identity identity_ = Identity::five_tuple;
    std::unordered_set<FlowKey, FlowKeyHash> flows_;
    std::vector<bool> ids_;
};

}  // namespace nfvcert::nf
