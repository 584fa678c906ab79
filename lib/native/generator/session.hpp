#pragma once
// A run of the generator: ARP on both legs, paced sending, accounting, and the reports of it.

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "generator/flows.hpp"
#include "generator/ledger.hpp"
#include "generator/leg.hpp"
#include "generator/profile.hpp"

namespace nfvcert::generator {

std::uint64_t monotonic_ns();

using Tell = std::function<void(const nlohmann::json&)>;

class Session {
public:
    Session(Leg& access, Leg& external, Tell tell) : access_(access), external_(external), tell_(std::move(tell)) {}

    /// Orders, as JSON objects; errors are told as events and change nothing.
    void order(const nlohmann::json& order);
    /// Called at every tick.
    void work();
    [[nodiscard]] bool ended() const { return ended_; }
    [[nodiscard]] bool busy() const { return state_ != State::idle && state_ != State::ready; }

private:
    struct Stall {
        std::uint64_t t;
        std::uint64_t length;
    };
    enum class State { idle, resolving, ready, running, catching_up, settling };

    void prepare(const nlohmann::json& order);
    void start();
    void stop(const nlohmann::json& order);
    void resolve(std::uint64_t now);
    void change_rate(double pps);
    /// Packets that should have been sent by now.
    [[nodiscard]] double due(std::uint64_t now) const;
    void send_due(std::uint64_t now);
    void send_batch(std::size_t count);
    void ask_gateway();
    bool learn_gateway(packet::ConstBytes frame);
    void receive_access();
    void receive_external();
    void report_intervals(std::uint64_t now, bool all);
    void summarise();
    bool answer_arp(Leg& leg, packet::ConstBytes frame, const std::function<bool(packet::Ipv4Address)>& owns);

    Leg& access_;
    Leg& external_;
    Tell tell_;
    State state_ = State::idle;
    bool ended_ = false;
    Profile profile_;
    packet::Ipv4Address gateway_;
    std::vector<packet::Ipv4Address> servers_;
    bool answer_all_ = false;
    std::optional<packet::MacAddress> gateway_mac_;
    std::uint64_t resolve_until_ = 0;
    std::uint64_t resolve_next_ = 0;
    double resolve_timeout_s_ = 0;
    std::unique_ptr<FlowModel> model_;
    std::unique_ptr<Ledger> ledger_;
    std::uint64_t started_ = 0;
    std::uint64_t stopped_ = 0;
    std::uint64_t last_tick_ = 0;
    double due_before_ = 0;  // by all rates before the present one
    std::uint64_t rate_since_ = 0;
    std::uint64_t accounted_ = 0;  // sent or failed
    std::uint64_t catch_up_until_ = 0;
    std::uint64_t last_sent_ = 0;
    std::size_t reported_ = 0;
    std::uint64_t settle_until_ = 0;
    std::uint64_t settle_ns_ = 0;
    std::string flows_file_;
    std::uint64_t tx_errors_ = 0;
    std::uint64_t drops_ = 0;
    std::vector<Stall> stalls_;
};

}  // namespace nfvcert::generator
