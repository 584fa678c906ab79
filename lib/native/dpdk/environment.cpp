#include "dpdk/environment.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include <stdexcept>

#include "dpdk/resident.hpp"

namespace nfvcert::dpdk {
namespace {

constexpr unsigned cached_packets = 256;  // kept by the polling thread without asking the ring behind

std::vector<std::string> arguments_of(const EnvironmentOptions& options) {
    std::vector<std::string> found{options.program,           "--no-telemetry", "--log-level=lib.eal:warning",
                                   "--log-level=pmd.net.memif:critical", "-m",             std::to_string(options.memory_mib)};
    // either way nothing is left behind in the file system
    if (options.hugepages) {
        found.emplace_back("--in-memory");
    } else {
        found.insert(found.end(), {"--no-huge", "--no-shconf"});
    }
    if (options.pci.empty()) {
        found.emplace_back("--no-pci");
    }
    for (const auto& address : options.pci) {
        found.insert(found.end(), {"-a", address});
    }
    if (options.core >= 0) {
        found.insert(found.end(), {"--lcores", "0@" + std::to_string(options.core)});
    } else {
        found.insert(found.end(), {"--lcores", "0"});
    }
    return found;
}

}  // namespace

Environment::Environment(const EnvironmentOptions& options) {
    auto words = arguments_of(options);
    std::vector<char*> argv;
    argv.reserve(words.size());
    for (auto& word : words) {
        argv.push_back(word.data());
    }
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
        throw std::runtime_error("DPDK does not start: " + std::string{rte_strerror(rte_errno)} +
                                 " (is the memory of " + std::to_string(options.memory_mib) + " MiB free" +
                                 (options.hugepages ? " in hugepages?)" : "?)"));
    }
    stay_in_memory();
}

rte_mempool* make_pool(const std::string& name, unsigned packets) {
    auto* pool = rte_pktmbuf_pool_create(name.c_str(), packets, cached_packets, 0, RTE_PKTMBUF_HEADROOM + packet_room, 0);
    if (pool == nullptr) {
        throw std::runtime_error("no memory for " + std::to_string(packets) + " packet buffers: " + rte_strerror(rte_errno));
    }
    return pool;
}

}  // namespace nfvcert::dpdk
