#pragma once
// The flows of a trial: who is born when, who falls silent, who ends. Times are nanoseconds since the trial's beginning.

#include <cstdint>
#include <memory>
#include <vector>

#include "generator/engine/flow_plan.hpp"
#include "generator/engine/living.hpp"
#include "generator/engine/random.hpp"
#include "generator/engine/wheel.hpp"

namespace nfvcert::engine {

struct FlowRecord {
    Tuple tuple;
    std::uint32_t silence_ms;  // 0: sends all its life
    std::uint32_t sent;        // valid once ended, see Population::sent()
    std::uint64_t born_ns;
    std::uint64_t ends_ns;
    std::uint64_t ended_ns;     // 0: lives
    std::uint64_t first_tx_ns;  // CLOCK_MONOTONIC; 0: never sent
    std::uint64_t last_tx_ns;   // CLOCK_MONOTONIC, valid once ended
};

class Population {
public:
    /// Draws the flows that live at the beginning.
    explicit Population(const FlowPlan& plan);

    /// Everything that has happened until now; at most a little at a time.
    void advance(std::uint64_t now_ns);
    /// When advance() has to be called next at the latest.
    [[nodiscard]] std::uint64_t next_ns() const { return next_ns_; }
    /// New flows a second from now on.
    void set_new_per_second(double per_second, std::uint64_t now_ns);
    void add_arrivals(const ExtraArrivals& extra);

    [[nodiscard]] Living& sending() { return sending_; }
    [[nodiscard]] std::uint32_t born() const { return born_; }
    [[nodiscard]] std::uint64_t ended() const { return ended_; }
    [[nodiscard]] std::uint64_t living() const { return born_ - ended_; }
    /// Flows that should have been born and were not: no room for their records.
    [[nodiscard]] std::uint64_t refused() const { return refused_; }
    [[nodiscard]] FlowRecord& record(std::uint32_t flow) { return records_[flow]; }
    /// Packets sent of a flow, and when the last was, whether it lives or not.
    [[nodiscard]] std::uint32_t sent(std::uint32_t flow) const;
    [[nodiscard]] std::uint64_t last_tx_ns(std::uint32_t flow) const;

private:
    void create(std::uint64_t born_ns, std::uint64_t ends_ns, bool pauses);
    void happen(std::uint32_t flow, std::uint64_t now_ns);
    void schedule(std::uint32_t flow, std::uint64_t now_ns);
    void draw_next_birth(std::uint64_t now_ns);
    [[nodiscard]] double rate_at(std::uint64_t now_ns) const;
    [[nodiscard]] std::uint64_t next_change_after(std::uint64_t now_ns) const;
    std::uint64_t lifetime_ns();

    static constexpr std::uint64_t never = ~std::uint64_t{0};

    FlowPlan plan_;
    Random random_;
    Tuples tuples_;
    Living sending_;
    Wheel wheel_;
    LazyArray<FlowRecord> records_;
    LazyArray<SendRecord> silent_;
    double new_per_second_;
    std::vector<ExtraArrivals> extra_;
    std::uint32_t born_ = 0;
    std::uint64_t ended_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t pausing_drawn_ = 0;
    std::uint64_t next_birth_ns_ = never;
    std::uint64_t rate_changes_ns_ = never;
    std::uint64_t next_ns_ = 0;
};

}  // namespace nfvcert::engine
