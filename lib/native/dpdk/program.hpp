#pragma once
// Frame of a polling program: --config FILE, environment, ports, control, "ready", loop.

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "dpdk/clock.hpp"
#include "dpdk/control.hpp"
#include "dpdk/environment.hpp"
#include "dpdk/loop.hpp"
#include "dpdk/port.hpp"

namespace nfvcert::dpdk {

/// What every polling program needs. Of the configuration it reads
///   core (processor, default any), memory_mib (256), hugepages (false), pci ([]), packets (buffers, 16383),
///   control (path of the socket), ports ({name: port}), die_with_parent (false);
/// all other keys are the program's own.
class Program {
public:
    Program(const std::string& name, const nlohmann::json& configuration);

    [[nodiscard]] const nlohmann::json& configuration() const { return configuration_; }
    [[nodiscard]] rte_mempool* pool() const { return pool_; }
    [[nodiscard]] Control& control() { return control_; }
    [[nodiscard]] Loop& loop() { return loop_; }
    [[nodiscard]] TscClock& clock() { return clock_; }
    [[nodiscard]] std::map<std::string, std::unique_ptr<Port>>& ports() { return ports_; }
    /// Throws std::runtime_error when the configuration names no such port.
    [[nodiscard]] Port& port(const std::string& name);

    /// {name: {link, rx_packets, rx_bytes, tx_packets, tx_bytes, rx_errors, rx_missed, tx_dropped}}
    [[nodiscard]] nlohmann::json port_counters() const;

    /// Answers orders, says {"event": "ready", ...} on standard output, and polls until told to end. Every program knows
    /// the orders "ports", answered by the ports' counters, and "loop", answered by {rounds, busy_rounds, tsc_per_second}.
    void run();
    /// To be done once when run() has ended, before the ports go; what was given last comes first.
    void at_end(std::function<void()> action) { at_end_.push_back(std::move(action)); }

private:
    nlohmann::json configuration_;
    Environment environment_;
    rte_mempool* pool_;
    TscClock clock_;
    std::map<std::string, std::unique_ptr<Port>> ports_;
    Loop loop_;
    Control control_;
    std::vector<std::function<void()>> at_end_;
};

/// Reads `--config FILE` and runs `body` with it; an error is one line "<name>: <error>" on standard error and status 1, wrong
/// arguments or a configuration that is no JSON object status 2.
int polling_main(const std::string& name, int argc, char** argv, const std::function<void(Program&)>& body);

}  // namespace nfvcert::dpdk
