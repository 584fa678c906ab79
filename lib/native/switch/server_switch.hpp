#pragma once
// The software switch of a server as a program: it knows the living flows of its instances, keeps each with its owner, and
// sends flows that belong elsewhere on through the hardware switch (ETSI GS NFV-REL 002 clause 6.2 steps 4 and 5).

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dpdk/program.hpp"
#include "switch/flow_table.hpp"
#include "switch/identity.hpp"
#include "switch/mac.hpp"
#include "switch/mapped_store.hpp"
#include "switch/output.hpp"
#include "switch/rule_table.hpp"
#include "switch/server_switch_policy.hpp"

namespace nfvcert::switching {

class ServerSwitch {
public:
    ServerSwitch(dpdk::Program& program, const ServerSwitchPolicy& policy);

private:
    using json = nlohmann::json;

    struct OwnerState {
        std::string name;          // v1: an instance of this server; s2: another server
        bool local = false;
        std::size_t port = 0;      // of a local one
        Mac mac = 0;               // of another server
        std::atomic<std::uint64_t> detoured_packets{0};
        std::atomic<std::uint64_t> detoured_bytes{0};
    };
    /// Address that an instance answers for itself, one that it translates to: what comes for it is no packet of a flow
    /// that the ranges decide about, but goes the way back of one that the instance has.
    struct OwnAddress {
        std::uint32_t address;
        std::size_t port;
    };
    struct Watch {
        std::vector<IdRange> ranges;
        Owner owner;
        std::size_t below;
    };

    unsigned poll(std::uint64_t tsc);
    void read_addresses();
    [[nodiscard]] const OwnAddress* addressed(const rte_mbuf* packet) const;
    void note_way_back(const rte_mbuf* packet, std::uint64_t tsc);
    void from_uplink(rte_mbuf** burst, std::uint16_t count, std::uint64_t tsc);
    void serve(rte_mbuf* packet, Flow* flow, Owner owner, std::uint16_t id);
    void send_on(rte_mbuf* packet, OwnerState& owner);
    void hold(rte_mbuf* packet);
    void look_at_watch(std::uint64_t tsc);

    void answer_orders();
    json set_ranges(const json& order);
    json expect_flows(const json& order);
    json forget_flows(const json& order);
    json forget_owner(const json& order);
    json occupancy(const json& order);
    json flows(const json& order);
    std::vector<Flow> copy_flows(std::uint64_t& t_ns);
    json count(const json& order);
    json hold_flows(const json& order);
    json release_held(const json& order);
    json watch(const json& order);
    json counters() const;

    [[nodiscard]] Owner owner_named(const std::string& name) const;
    [[nodiscard]] std::vector<IdRange> ranges_of(const json& order) const;
    [[nodiscard]] std::size_t living(const std::vector<IdRange>& ranges, Owner owner) const;
    [[nodiscard]] std::uint64_t now_ns() const { return program_.clock().now_ns(); }

    dpdk::Program& program_;
    const ServerSwitchPolicy& policy_;
    Identity identity_;
    std::vector<std::unique_ptr<OwnerState>> owners_;
    std::vector<dpdk::Port*> ports_;  // the uplink first
    std::vector<OwnAddress> addresses_;
    Outputs outputs_;
    MappedStore store_;
    FlowTable table_;
    std::uint64_t timeout_;  // counter ticks
    std::uint64_t linger_;   // of connections that have ended
    std::uint64_t look_period_;
    std::vector<bool> held_ids_;
    bool holding_ = false;
    std::vector<rte_mbuf*> held_;
    std::optional<Watch> watch_;
    std::uint64_t next_watch_ = 0;
    std::atomic<std::uint64_t> table_full_{0};
    std::atomic<std::uint64_t> loops_{0};
    std::atomic<std::uint64_t> no_range_{0};
    std::atomic<std::uint64_t> bad_frames_{0};
    std::atomic<std::uint64_t> held_dropped_{0};
};

}  // namespace nfvcert::switching
