#pragma once
// A hardware switch as a program: what comes from the source goes where the table says, what comes from servers where its
// destination MAC says.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dpdk/program.hpp"
#include "switch/hardware_switch_policy.hpp"
#include "switch/identity.hpp"
#include "switch/mac.hpp"
#include "switch/output.hpp"
#include "switch/rule_table.hpp"

namespace nfvcert::switching {

class HardwareSwitch {
public:
    HardwareSwitch(dpdk::Program& program, const HardwareSwitchPolicy& policy);

private:
    using json = nlohmann::json;

    unsigned poll();
    void classify(rte_mbuf** burst, std::uint16_t count);
    void deliver(rte_mbuf** burst, std::uint16_t count);

    json apply(const json& order);
    void take_time(std::size_t rules);
    bool refuses();
    json apply_one_by_one(const std::vector<std::string>& removed, const std::vector<Rule>& added);
    json dump(const json& order) const;
    json counters() const;
    Rule rule_of(const json& raw) const;
    std::uint64_t install(RuleTable changed);

    dpdk::Program& program_;
    const HardwareSwitchPolicy& policy_;
    Identity identity_;
    std::vector<std::string> names_;   // of ports, by index
    std::vector<dpdk::Port*> ports_;
    PortIndex source_ = no_port;
    MacTable by_mac_;
    Outputs outputs_;
    RuleTable table_;
    std::unique_ptr<CompiledRules> compiled_;
    std::uint64_t generation_ = 0;  // when the table was last changed
    std::uint64_t rule_delay_us_;
    std::uint64_t refuse_every_;
    std::uint64_t asked_ = 0;
    std::atomic<std::uint64_t> no_rule_{0};
    std::atomic<std::uint64_t> bad_frames_{0};
};

}  // namespace nfvcert::switching
