#pragma once
// DPDK's environment abstraction layer (EAL) for one polling process: one core, no hugepages and no PCI unless asked for.

#include <string>
#include <vector>

struct rte_mempool;

namespace nfvcert::dpdk {

struct EnvironmentOptions {
    std::string program;
    int core = -1;              // processor of the polling thread; -1: wherever the scheduler puts it
    unsigned memory_mib = 256;
    bool hugepages = false;
    std::vector<std::string> pci;  // addresses of the devices that may be used; none: no PCI at all
};

/// The EAL of this process, from construction to its end; there can be only one.
class Environment {
public:
    /// Throws std::runtime_error with the EAL's own reason.
    explicit Environment(const EnvironmentOptions& options);
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
};

inline constexpr unsigned packet_room = 2048;  // octets for a packet in a buffer, above the headroom

/// Buffers for `packets` packets; they live as long as the environment. Throws std::runtime_error when memory is short.
rte_mempool* make_pool(const std::string& name, unsigned packets);

}  // namespace nfvcert::dpdk
