#pragma once
// The books: every packet sent and received, by flow and by the interval in which it was sent.

#include <array>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "generator/flows.hpp"
#include "generator/frames.hpp"
#include "generator/histogram.hpp"

namespace nfvcert::generator {

inline constexpr std::uint64_t interval_ns = 100'000'000;

struct Interval {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;  // of those sent in it
    std::uint64_t duplicates = 0;
    std::uint64_t reordered = 0;
    std::uint64_t new_flows = 0;
    std::uint64_t new_users = 0;
    std::map<int, std::uint64_t> arrived_by_dscp;    // by the time of arrival
    std::map<int, std::uint64_t> new_users_by_dscp;  // by the mark of the first packet received
    Histogram<7> latency;
    bool reported = false;
};

struct Totals {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t reordered = 0;
    std::uint64_t return_sent = 0;
    std::uint64_t return_received = 0;
    std::uint64_t bad_checksums = 0;
    std::uint64_t foreign = 0;  // carry the magic, but no flow of this run
};

class Ledger {
public:
    explicit Ledger(std::uint64_t start) : start_(start) {}

    void sent(Flow& flow, std::uint64_t now);
    /// Undoes `sent` of the last packet of a flow: the kernel did not take it. `before`: what last_tx was.
    void not_sent(Flow& flow, std::uint64_t now, std::uint64_t before);
    /// A forward packet at the external leg; true when it is to be sent back.
    bool received(std::vector<Flow>& flows, const Received& packet, std::uint64_t now, std::uint32_t return_every);
    /// A returned packet at the access leg.
    void returned(std::vector<Flow>& flows, const Received& packet);
    void sent_back(Flow& flow);

    [[nodiscard]] std::size_t intervals() const { return intervals_.size(); }
    /// The record of an interval that has settled.
    nlohmann::json report(std::size_t index);
    /// Packets that arrived too late for the report of their interval: pairs of its begin and their number.
    [[nodiscard]] nlohmann::json late_json() const;
    [[nodiscard]] const Totals& totals() const { return totals_; }
    [[nodiscard]] const Histogram<10>& latency() const { return latency_; }

private:
    Interval& at(std::uint64_t now);

    std::uint64_t start_;
    std::vector<Interval> intervals_;
    std::map<std::size_t, std::uint64_t> late_;  // by the index of the interval
    std::vector<bool> users_seen_;
    std::vector<bool> users_answered_;
    Totals totals_;
    Histogram<10> latency_;
};

/// Writes one line for each flow that sent something; false when the file cannot be written.
bool write_flows(const std::string& path, std::vector<Flow>& flows);

}  // namespace nfvcert::generator
