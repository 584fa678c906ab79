#pragma once
// The streams of a port: profiles that are loaded, started, changed and stopped. Everything here but the constructor of a
// profile happens in the polling thread.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "generator/engine/groups.hpp"
#include "generator/engine/stream_schedule.hpp"
#include "generator/engine/template_pool.hpp"

struct rte_mbuf;
struct rte_mempool;

namespace nfvcert::dpdk {
class Port;
}

namespace nfvcert::engine {

/// A stream of a loaded profile.
struct Stream {
    Stream(StreamPlan plan_, std::shared_ptr<TemplatePool> pool_) : plan{std::move(plan_)}, pool{std::move(pool_)}, schedule{plan} {}

    StreamPlan plan;
    std::shared_ptr<TemplatePool> pool;  // null: packets are copied one by one
    StreamSchedule schedule;
    Group* group = nullptr;
    Stream* next = nullptr;
    double multiplier = 1;
    unsigned changed = 0;                // buffers of the pool's stash that the program has changed already
    bool paused = false;
    std::uint64_t sent = 0;
};

struct ProfileEnd {
    std::uint64_t t_ns;  // of the last packet
    std::uint64_t sent;
    std::uint64_t given_up;
};

class Profile {
public:
    explicit Profile(std::vector<std::unique_ptr<Stream>> streams);

    void start(double multiplier, double duration_s, std::uint64_t now_ns);
    /// Ends at once; nothing is told.
    void stop();
    void set_multiplier(double multiplier, std::uint64_t now_ns);
    void set_multiplier_of(const std::vector<std::int64_t>& ids, double multiplier, std::uint64_t now_ns);
    /// No ids: all.
    void pause(const std::vector<std::int64_t>& ids, std::uint64_t now_ns);
    void resume(const std::vector<std::int64_t>& ids, std::uint64_t now_ns);
    [[nodiscard]] bool running() const { return running_; }
    /// Packets a second at multiplier 1 and at the present one, as far as streams send at the same time.
    [[nodiscard]] double peak_rate() const { return peak_rate_; }
    [[nodiscard]] double asked_rate() const { return running_ ? peak_rate_ * multiplier_ : 0; }
    [[nodiscard]] bool uses(const Group& group) const;
    [[nodiscard]] bool knows(std::int64_t id) const;
    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t given_up() const;
    [[nodiscard]] const std::vector<std::unique_ptr<Stream>>& streams() const { return streams_; }

    struct Output {
        dpdk::Port& port;
        std::size_t index;
        rte_mempool* buffers;
        std::uint64_t refused = 0;  // offers of packets that the port had no room for
        std::uint64_t no_buffers = 0;
    };
    /// Sends what is due, at most a few bursts. True when the profile has just ended by itself.
    bool poll(Output& output, std::uint64_t now_ns, unsigned& handled);
    [[nodiscard]] ProfileEnd end() const { return {last_ns_, sent_, given_up()}; }

private:
    using Turn = std::pair<double, Stream*>;  // when to look at a stream again

    [[nodiscard]] double relative(std::uint64_t now_ns) const { return static_cast<double>(now_ns - epoch_ns_); }
    void push(Stream& stream);
    void gather_turns();
    void begin_stream(Stream& stream, double at);
    /// Sends up to `wanted` packets; false when the port took less.
    bool send(Stream& stream, unsigned wanted, Output& output, std::uint64_t now_ns);
    void count(Stream& stream, unsigned packets);
    bool finish(Output& output, std::uint64_t now_ns, unsigned& handled);
    static bool chosen(const Stream& stream, const std::vector<std::int64_t>& ids);

    std::vector<std::unique_ptr<Stream>> streams_;
    std::vector<Turn> turns_;  // heap, earliest first
    std::uint64_t epoch_ns_ = 0;
    std::uint64_t stop_ns_ = 0;
    std::uint64_t last_ns_ = 0;
    std::uint64_t sent_ = 0;
    double multiplier_ = 1;
    double peak_rate_ = 0;
    std::size_t active_ = 0;
    bool running_ = false;
};

}  // namespace nfvcert::engine
