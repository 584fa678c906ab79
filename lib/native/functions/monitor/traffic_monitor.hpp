#pragma once
// Passes every packet unchanged and counts it: per flow exactly, per network, by a sketch for the heaviest flows, and in
// bins of time.
//
// Every packet is counted once: packets = living flows + ended flows + untracked (flow table full) + opaque (no IPv4 that can
// be read) + given away - taken over - dropped as state_exported. Later fragments have no ports and make a flow of their own
// with ports 0, as other protocols do.

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "functions/common/flow_records.hpp"
#include "functions/common/frame_view.hpp"
#include "functions/common/record_table.hpp"
#include "functions/monitor/flow_sketch.hpp"
#include "functions/monitor/prefix_counters.hpp"
#include "functions/network_function.hpp"

namespace nfvcert::nf {

/// Keys: max_flows, idle_timeout_ms (also state_timeout_ms), prefix_bits, max_prefixes, sketch_width, heavy_hitters, bin_ms,
/// bins, ports.
struct MonitorConfig {
    std::size_t max_flows = 131'072;
    std::uint64_t idle_timeout_ns = 15'000'000'000;
    unsigned prefix_bits = 24;
    std::size_t max_prefixes = 16'384;
    std::size_t sketch_width = 16'384;
    std::size_t heavy_hitters = 32;
    std::uint64_t bin_ns = 1'000'000'000;
    std::size_t bins = 60;  // closed ones that are kept
    unsigned ports = 1;

    static MonitorConfig read(const nlohmann::json& parameters);
};

struct MonitorBin {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    Volume all;
    std::array<std::uint64_t, 4> protocols{};  // packets of TCP, UDP, ICMP, others
    std::uint64_t new_flows = 0;
    std::uint64_t ended_flows = 0;
};

class TrafficMonitor final : public NetworkFunction {
public:
    explicit TrafficMonitor(const MonitorConfig& config);

    [[nodiscard]] std::string_view name() const override { return "monitor"; }
    void process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) override;
    void advance(std::uint64_t now_ns, Emission& out) override;

    [[nodiscard]] std::size_t flows() const override { return records_.size(); }
    [[nodiscard]] std::size_t slots() const override { return records_.capacity(); }
    std::size_t export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                             StateWriter& out) override;
    bool import_record(StateReader& record, std::uint64_t now_ns) override;
    std::size_t release_slice(const FlowSelector& selector, SlotRange range) override;
    std::size_t resume_slice(const FlowSelector& selector, SlotRange range) override;
    void list_slice(SlotRange range, std::uint64_t now_ns, std::vector<FlowCounters>& out) const override;
    [[nodiscard]] std::uint8_t state_code() const override { return 4; }

    [[nodiscard]] const PrefixCounters& prefixes() const { return prefixes_; }
    [[nodiscard]] std::vector<HeavyHitters::Entry> heavy_hitters() const { return heavy_.sorted(); }
    /// Closed bins, the oldest first.
    [[nodiscard]] std::vector<MonitorBin> bins() const;
    [[nodiscard]] std::uint32_t estimate(const FlowKey& flow) const { return sketch_.estimate(hash_of(flow)); }

private:
    struct alignas(64) Record {
        FlowKey key;
        bool used = false;
        bool frozen = false;
        bool adopted = false;
        std::uint32_t from = 0;  // records of its networks
        std::uint32_t to = 0;
        Volume volume;
        std::uint64_t first_ns = 0;
        std::uint64_t last_ns = 0;

        [[nodiscard]] bool alive() const { return used; }
        [[nodiscard]] const FlowKey& flow() const { return key; }
    };
    static_assert(sizeof(Record) == 64);
    struct Work {
        FlowKey key;
        std::uint64_t hash = 0;
        bool opaque = false;
    };

    [[nodiscard]] static std::uint64_t hash_of(const FlowKey& flow) {
        return hash_words((static_cast<std::uint64_t>(flow.source) << 32) | flow.destination,
                          (static_cast<std::uint64_t>(flow.source_port) << 24) |
                              (static_cast<std::uint64_t>(flow.destination_port) << 8) | flow.protocol);
    }
    [[nodiscard]] std::uint32_t find(const FlowKey& flow, std::uint64_t hash) const {
        return records_.find(hash, [&](const Record& record) { return record.key == flow; });
    }
    static Work classify(const PacketRef& packet);
    /// state_exported when the packet belongs to state that was given away.
    DropReason count(const PacketRef& packet, const Work& work, std::uint64_t now_ns);
    std::uint32_t add(const Record& record, std::uint64_t hash, std::uint64_t now_ns);
    void remove(std::uint32_t record, Volume& account);
    void roll_bins(std::uint64_t now_ns);
    [[nodiscard]] bool expired(const Record& record, std::uint64_t now_ns) const {
        return is_idle(record, config_.idle_timeout_ns, now_ns);
    }
    void add_statistics(nlohmann::json& statistics) const override;

    MonitorConfig config_;
    RecordTable<Record> records_;
    TimerWheel timers_;
    PrefixCounters prefixes_;
    CountMinSketch sketch_;
    HeavyHitters heavy_;
    MonitorBin open_bin_;
    std::vector<MonitorBin> closed_bins_;  // ring
    std::size_t next_bin_ = 0;
    std::uint64_t ended_flows_ = 0;
    Volume ended_;
    Volume untracked_;
    Volume opaque_;
    Volume given_away_;
    Volume taken_over_;
};

}  // namespace nfvcert::nf
