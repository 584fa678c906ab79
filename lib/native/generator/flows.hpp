#pragma once
// The flow model: users come by a Poisson process, open a few flows one after the other, and go for good.

#include <cstdint>
#include <queue>
#include <random>
#include <vector>

#include "generator/profile.hpp"

namespace nfvcert::generator {

/// A flow with everything that is counted about it; times are CLOCK_MONOTONIC in ns, 0: never.
struct Flow {
    std::uint32_t id = 0;
    std::uint32_t user = 0;   // number of the user; users never come back
    std::uint32_t round = 0;  // how often its address was somebody else's before
    packet::Endpoint source;
    packet::Endpoint destination;
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::uint64_t first_tx = 0;
    std::uint64_t last_tx = 0;
    std::uint32_t sent = 0;
    std::uint32_t received = 0;
    std::uint32_t duplicates = 0;
    std::uint32_t reordered = 0;
    std::uint32_t return_sent = 0;
    std::uint32_t return_received = 0;
    std::uint32_t highest = 0;
    std::uint32_t dscp_changes = 0;
    std::uint32_t translated_changes = 0;
    std::uint64_t first_rx = 0;
    std::uint64_t last_rx = 0;
    std::uint64_t longest_gap = 0;
    std::uint64_t longest_gap_at = 0;
    std::uint64_t highest_latency = 0;
    packet::Endpoint translated;
    bool continues = false;  // its user had sent before
    int first_dscp = -1;
    int last_dscp = -1;
    std::vector<bool> seen;
    std::vector<bool> seen_back;
};

/// Makes flows in order of their start; `advance` turns time into flows that begin and end.
class FlowModel {
public:
    FlowModel(const Profile& profile, std::vector<packet::Ipv4Address> servers);

    /// Begin at `now` with a whole population, as if the model had run for ever.
    void begin(std::uint64_t now);

    /// Start and end flows until `now`.
    void advance(std::uint64_t now);

    /// The flow whose turn it is to send; all living flows take turns. nullptr when none lives.
    Flow* next_in_turn();

    [[nodiscard]] std::vector<Flow>& flows() { return flows_; }
    [[nodiscard]] const std::vector<Flow>& flows() const { return flows_; }
    [[nodiscard]] std::uint32_t users() const { return users_; }

private:
    struct Planned {
        std::uint64_t start;
        std::uint64_t end;
        std::uint32_t user;
        std::uint16_t port;
        bool operator>(const Planned& other) const { return start > other.start; }
    };

    void plan_user(double start_s, std::uint64_t origin, std::uint64_t now);
    void start_flow(const Planned& planned);
    void end_flows(std::uint64_t now);
    double exponential(double mean);

    Profile profile_;
    std::vector<packet::Ipv4Address> servers_;
    std::mt19937_64 random_;
    std::vector<Flow> flows_;
    std::vector<std::uint32_t> living_;
    std::size_t turn_ = 0;  // index into living_
    std::uint64_t next_end_ = 0;
    std::priority_queue<Planned, std::vector<Planned>, std::greater<>> planned_;
    std::uint64_t origin_ = 0;
    double next_user_s_ = 0;
    std::uint32_t users_ = 0;
};

}  // namespace nfvcert::generator
