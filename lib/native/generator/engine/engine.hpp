#pragma once
// The packet engine: ports, their streams, one trial of the flow mode at a time, and the orders that change them.

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dpdk/program.hpp"
#include "generator/engine/capture.hpp"
#include "generator/engine/flow_report.hpp"
#include "generator/engine/flow_session.hpp"
#include "generator/engine/groups.hpp"
#include "generator/engine/host.hpp"
#include "generator/engine/push.hpp"
#include "generator/engine/spsc.hpp"
#include "generator/engine/stream_port.hpp"

namespace nfvcert::engine {

/// Orders (answers carry t_ns, the instant of effect in ns of CLOCK_MONOTONIC):
///   info, statistics, load, unload, start, stop, pause, resume, update, update_streams, forget_group,
///   flow_prepare, flow_start, flow_update, flow_burst, flow_status, flow_stop,
///   capture_start, capture_stop, capture_fetch, capture_remove, capture_status, push, host
/// Events: finished {port, profile, sent, given_up, t_ns}; interval {...}; flow_sent {sent, t_ns} when a duration is over.
///
/// Own keys of the configuration: capability_pps (packets a second that may be asked for, default 40e6), port_order (names;
/// default: sorted, numbers by value), speeds_gbps ({name: number}), template_buffers (2047).
class Engine {
public:
    explicit Engine(dpdk::Program& program);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

private:
    struct EnginePort {
        dpdk::Port* port = nullptr;
        std::size_t index = 0;
        double speed_gbps = 0;                                    // 0: not known
        std::map<std::string, std::shared_ptr<Profile>> profiles;  // changed under orders_
        std::vector<std::pair<std::string, Profile*>> running;     // polling thread
        std::unique_ptr<PortTap> tap;                              // polling thread
        PushQueue pushed;                                          // polling thread
        std::optional<Host> host;                                  // polling thread; none: it answers nothing
        std::uint64_t refused = 0;                                 // polling thread
        std::uint64_t no_buffers = 0;
    };
    struct KeptCapture {
        std::unique_ptr<Capture> capture;
        std::uint64_t start_ns = 0;
        bool active = false;
    };
    struct Finished {
        std::size_t port = 0;
        std::array<char, 64> profile{};
        ProfileEnd end{};
    };
    struct Sample {
        std::uint64_t t_ns = 0;
        std::uint64_t tsc = 0;
        std::uint64_t busy_tsc = 0;
        std::array<dpdk::PortCounters, most_ports> ports{};
    };
    struct Trial {
        std::shared_ptr<FlowSession> session;
        Tally total;
        std::uint64_t drops_before = 0;
        bool begun = false;
        bool told_sent = false;
        bool stopping = false;
    };

    // engine.cpp
    unsigned poll();
    unsigned poll_once(std::uint64_t& now_ns);
    void receive(EnginePort& port, rte_mbuf** packets, unsigned count, std::uint64_t now_ns);
    static unsigned answer(EnginePort& port, rte_mbuf** packets, unsigned count);
    unsigned send_streams(EnginePort& port, std::uint64_t now_ns);
    void order_ports();
    [[nodiscard]] EnginePort& port_of(const Fields& fields, const char* key);
    [[nodiscard]] static packet::MacAddress port_mac(std::size_t port);
    [[nodiscard]] static std::string profile_of(const Fields& fields);
    template <class Action>
    json inside(Action&& action);

    // engine_streams.cpp
    void offer_stream_orders();
    json load(const json& order);
    json unload(const json& order);
    json start(const json& order);
    json stop(const json& order);
    json change(const json& order, const std::string& op);
    std::shared_ptr<Profile> profile(EnginePort& port, const std::string& name) const;
    void check_rate(const EnginePort& port, const Profile* besides, double packets_per_second) const;
    void stop_running(EnginePort& port, const Profile* profile);

    // engine_statistics.cpp
    void offer_statistics();
    json info();
    json statistics();
    json group_statistics();
    json forget_group(const json& order);
    void sample();

    // engine_flows.cpp
    void offer_flow_orders();
    json flow_prepare(const json& order);
    json flow_start();
    json flow_update(const json& order);
    json flow_burst(const json& order);
    json flow_status();
    json flow_stop();
    std::shared_ptr<Trial> trial(bool begun);
    [[nodiscard]] std::uint64_t receiver_drops(const FlowPlan& plan) const;
    void settle(Trial& trial);

    // engine_captures.cpp
    void offer_capture_orders();
    json capture_start(const json& order);
    json capture_stop(const json& order, bool remove);
    json capture_fetch(const json& order);
    json capture_status();
    KeptCapture& capture_of(const json& order, const char* op);
    json push(const json& order);
    json host(const json& order);

    // publisher.cpp
    void publish_forever();
    void publish_finished();
    void publish_intervals(Trial& trial);

    static constexpr unsigned largest_receive = FlowSession::largest_receive;

    dpdk::Program& program_;
    dpdk::TscClock& clock_;
    std::vector<EnginePort> ports_;
    TemplatePools pools_;
    Groups groups_;                      // polling thread, but create()
    FlowSession* flow_ = nullptr;        // polling thread
    EnginePort* flow_tx_ = nullptr;      // polling thread
    std::size_t flow_rx_ = 0;            // polling thread
    std::array<rte_mbuf*, largest_receive> received_{};
    std::atomic<std::uint64_t> busy_tsc_{0};
    double capability_pps_;

    std::mutex orders_;                  // orders that change what is loaded or prepared
    std::shared_ptr<Trial> trial_;       // under orders_
    std::mutex captures_mutex_;
    std::map<std::uint64_t, KeptCapture> captures_;                // under captures_mutex_
    std::uint64_t captures_made_ = 0;                              // under captures_mutex_
    std::vector<std::shared_ptr<const PushedPackets>> pushed_;     // under captures_mutex_
    std::mutex publishing_;              // taking what sessions have closed
    Spsc<Finished, 1024> finished_;
    std::mutex sampling_;
    std::deque<Sample> samples_;         // under sampling_, the last second
    std::mutex stopping_mutex_;
    std::condition_variable stopping_changed_;
    bool stopping_ = false;
    std::thread publisher_;
};

}  // namespace nfvcert::engine

namespace nfvcert::engine {

template <class Action>
json Engine::inside(Action&& action) {
    return program_.loop().inside([this, action = std::forward<Action>(action)]() -> json {
        const auto now_ns = clock_.now_ns();
        json answer = json::object();
        action(now_ns, answer);
        answer["t_ns"] = now_ns;
        return answer;
    });
}

}  // namespace nfvcert::engine
