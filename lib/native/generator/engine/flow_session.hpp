#pragma once
// A trial of the flow mode: sends one packet of each living flow in turn, accounts what comes back.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "generator/engine/frame.hpp"
#include "generator/engine/ledger.hpp"
#include "generator/engine/pacer.hpp"
#include "generator/engine/population.hpp"
#include "generator/engine/spsc.hpp"
#include "generator/engine/template_pool.hpp"

struct rte_mbuf;

namespace nfvcert::dpdk {
class Port;
}

namespace nfvcert::engine {

/// Numbers of a trial that only the polling thread writes.
struct FlowProgress {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;        // of sending; 0: still sends
    std::uint64_t intended = 0;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::uint64_t sent_octets = 0;   // without frame check sequence
    std::uint64_t given_up = 0;      // of the intended ones: sending was behind for too long
    std::uint64_t tx_refused = 0;    // offers of packets that the port had no room for, tried again later
    std::uint64_t no_buffers = 0;    // bursts put off because the driver had all buffers
    std::uint64_t last_arrival_ns = 0;
    std::uint64_t foreign = 0;       // packets that are none of the trial's
};

class FlowSession {
public:
    static constexpr unsigned largest_receive = 64;

    /// Draws the first flows and the frames. Throws Refusal "no-memory" when there are no buffers.
    FlowSession(const FlowPlan& plan, TemplatePools& pools);
    ~FlowSession();

    // polling thread
    void begin(std::uint64_t now_ns);
    /// One burst, when one is due. Answers how many packets were sent.
    unsigned send(dpdk::Port& port, std::uint64_t now_ns);
    /// Accounts packets of this trial; moves the others to the front of `packets` and answers how many they are.
    unsigned take(rte_mbuf** packets, unsigned count, std::uint64_t now_ns);
    void set_rate(double packets_per_second, std::uint64_t now_ns);
    void set_new_per_second(double per_second, std::uint64_t now_ns);
    void add_arrivals(std::uint64_t duration_ns, double per_second, std::uint64_t now_ns);
    /// Sends what is due until now (for 50 ms at most), then nothing more.
    void stop_sending(std::uint64_t now_ns);
    /// Ends the current stretch however short it is; after it nothing is accounted any more.
    void close(std::uint64_t now_ns);
    [[nodiscard]] bool sending() const { return sending_; }
    [[nodiscard]] const FlowProgress& progress() const { return progress_; }

    // another thread
    /// A stretch of time that is over, or null; to be given back.
    [[nodiscard]] const Tally* take_closed();
    void recycle(const Tally* tally);

    // when closed
    [[nodiscard]] const Ledger& ledger() const { return ledger_; }
    [[nodiscard]] const Population& population() const { return population_; }
    [[nodiscard]] Population& population() { return population_; }
    [[nodiscard]] const FlowPlan& plan() const { return plan_; }
    /// Stopped by an order before the duration was over, or without a duration.
    [[nodiscard]] bool stopped_early() const { return stopped_early_; }
    [[nodiscard]] double asked_duration_s() const { return static_cast<double>(asked_end_ns_ - progress_.begin_ns) * 1e-9; }
    [[nodiscard]] std::uint64_t foreign() const { return progress_.foreign; }
    /// When sending was over; 0 before. From any thread.
    [[nodiscard]] std::uint64_t sending_over_ns() const { return sending_over_.load(std::memory_order_acquire); }

private:
    [[nodiscard]] bool has_window(std::uint64_t now_ns);
    unsigned send_alike(dpdk::Port& port, unsigned wanted, std::uint64_t now_ns);
    unsigned send_mixed(dpdk::Port& port, unsigned wanted, std::uint64_t now_ns);
    void write_alike(rte_mbuf** packets, unsigned count, std::uint64_t now_ns);
    void count_sent(unsigned count, std::uint64_t now_ns);
    void take_back(unsigned first, unsigned count);
    void advance(unsigned count, std::uint64_t now_ns);
    void finish_sending(std::uint64_t now_ns);
    void end_sending(std::uint64_t now_ns);
    void care(std::uint64_t now_ns);
    void open_pages();
    void end_stretch(std::uint64_t now_ns, Tally* next);
    void next_care();

    FlowPlan plan_;
    Population population_;
    Ledger ledger_;
    Pacer pacer_;
    std::vector<FrameShape> shapes_;
    std::vector<std::shared_ptr<TemplatePool>> templates_;  // one for each shape
    std::vector<std::uint8_t> pattern_;                     // shapes in the order of sending
    std::size_t pattern_at_ = 0;
    bool sending_ = false;
    bool finishing_ = false;
    bool stopped_early_ = false;
    bool accounting_ = false;
    std::uint32_t pages_ = 0;           // flows that the ledger knows
    std::uint64_t care_ns_ = 0;         // when something else than packets has to be looked after
    std::uint64_t stretch_end_ns_ = 0;
    std::uint64_t stop_ns_ = 0;
    std::uint64_t asked_end_ns_ = 0;
    std::uint64_t last_sent_ns_ = 0;
    std::array<std::uint64_t, Pacer::largest_burst> last_before_{};  // of the flows of a burst that is being written
    std::uint64_t written_off_ = 0;     // packets that are no longer waited for
    std::atomic<std::uint64_t> sending_over_{0};
    FlowProgress progress_;
    std::uint64_t sent_told_ = 0;
    std::uint64_t ended_told_ = 0;
    std::uint32_t born_told_ = 0;

    static constexpr std::size_t tallies = 8;
    std::array<std::unique_ptr<Tally>, tallies> owned_;
    Tally* tally_ = nullptr;
    Spsc<Tally*, 2 * tallies> closed_;
    Spsc<Tally*, 2 * tallies> spare_;
};

}  // namespace nfvcert::engine
