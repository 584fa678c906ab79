#pragma once
// What the flow mode is asked to do (order flow_prepare), checked.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generator/engine/fields.hpp"
#include "generator/engine/lifetime.hpp"
#include "generator/engine/tuples.hpp"

namespace nfvcert::engine {

struct FrameShare {
    std::uint16_t frame;  // with frame check sequence
    std::uint32_t weight;
};

/// Flows that fall silent again and again.
struct Pauses {
    std::uint32_t flows = 0;
    std::vector<std::uint32_t> silences_ms;
    double mean_active_ms = 0;
};

/// A stretch of time with more new flows.
struct ExtraArrivals {
    std::uint64_t begin_ns;  // since the beginning
    std::uint64_t duration_ns;
    double per_second;
};

struct FlowPlan {
    unsigned tx_port;
    unsigned rx_port;
    std::vector<FrameShare> frames;
    std::optional<double> packets_per_second;  // none: as many as possible
    std::uint32_t most_outstanding;            // packets on their way at most, where no rate is asked for; 0: no limit
    std::uint32_t concurrent;
    std::uint32_t endless;  // of the first ones: never end
    double new_per_second;
    std::shared_ptr<const LifetimeModel> lifetime;  // null: flows do not end
    std::uint64_t seed;
    AddressSpace addresses;
    bool checksum;
    std::uint32_t interval_ms;
    std::uint32_t most_flows;
    std::optional<double> duration_s;
    std::string flows_file;
    Pauses pauses;
    std::vector<ExtraArrivals> extra;

    [[nodiscard]] double mean_frame() const;
};

/// `capability_pps`: what this engine may be asked for. Throws Refusal "bad-input" or "rate-above-capability".
FlowPlan read_flow_plan(const json& order, unsigned ports, double capability_pps);

}  // namespace nfvcert::engine
