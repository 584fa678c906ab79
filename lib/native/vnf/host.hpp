#pragma once
// A network function on one polling port (one-armed): packets come in and leave by the same port, marked with who handled them.

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "dpdk/program.hpp"
#include "functions/network_function.hpp"
#include "packet/address.hpp"
#include "vnf/policy.hpp"

namespace nfvcert::vnf {

/// Keys of the configuration: function, parameters ({}), instance (1..255), sink_mac, port ("left"), state_timeout_ms (for the
/// function's parameters where they have none), seed (of the random numbers, 1), rewrite_link (true: source address marked,
/// destination the sink's).
///
/// Orders: statistics, flows, dump_flows, export_flows, import_flows, release_flows, resume_flows, configure, ports, terminate.
class Host {
public:
    Host(dpdk::Program& program, std::unique_ptr<Policy> policy);

private:
    using json = nlohmann::json;
    static constexpr std::uint16_t most_at_once = 64;

    unsigned poll(std::uint64_t tsc);
    unsigned receive_and_process(std::uint64_t now_ns);
    void send(nf::Emission& emission);
    void mark(std::uint8_t* frame) const;

    void add_orders();
    json export_flows(const json& order);
    json import_flows(const json& order);
    json dump_flows();
    /// Calls `action(slots)` in the polling thread for one slice of the function's state after the other.
    template <class Action>
    void in_slices(Action&& action);
    /// Handles all packets that wait in the port, so that what is exported has seen them.
    void drain();

    dpdk::Program& program_;
    std::unique_ptr<Policy> policy_;
    std::unique_ptr<nf::NetworkFunction> function_;
    dpdk::Port& port_;
    std::uint8_t instance_;
    packet::MacAddress sink_;
    bool rewrite_link_;
    std::uint64_t random_;
    std::uint64_t multi_segment_ = 0;
    nf::Emission emission_;
};

/// The whole program.
int run_vnf(int argc, char** argv, std::unique_ptr<Policy> policy);

}  // namespace nfvcert::vnf
