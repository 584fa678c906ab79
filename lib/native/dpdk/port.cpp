#include "dpdk/port.hpp"

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <stdexcept>

#include "dpdk/clock.hpp"

namespace nfvcert::dpdk {
namespace {

constexpr std::chrono::milliseconds time_to_connect{500};
constexpr std::uint64_t patience_ms = 20;        // with a peer that has no room: it may wait for the core itself
constexpr std::uint16_t received_at_once = 32;   // memif takes buffers for as many, and gives back those it does not fill
constexpr std::uint16_t most_at_once = 64;  // packets handed to a driver in one call

std::atomic<unsigned> devices_made{0};

[[noreturn]] void fail(const std::string& port, const std::string& what, int error) {
    throw std::runtime_error("port " + port + ": " + what + ": " + rte_strerror(error < 0 ? -error : error));
}

/// Whether somebody listens at a socket; found without touching it. The driver must not be let try a connection that fails,
/// nor be shown one that ends at once: it survives neither.
bool listens(const std::string& path) {
    constexpr std::string_view accepting = " 00010000 ";  // flag of a listening socket in the kernel's table
    std::ifstream sockets{"/proc/net/unix"};
    for (std::string line; std::getline(sockets, line);) {
        if (line.ends_with(' ' + path) && line.find(accepting) != std::string::npos) {
            return true;
        }
    }
    return false;
}

std::string device_name(const PortSpec& spec) {
    if (spec.kind == "pci") {
        return spec.values.at("address");
    }
    return spec.driver() + std::to_string(devices_made.fetch_add(1));
}

}  // namespace

std::unique_ptr<Port> Port::open(std::string name, std::string_view text, rte_mempool* pool) {
    const auto spec = PortSpec::parse(text);
    const auto device = device_name(spec);
    if (spec.kind == "memif" && spec.values.at("role") == "server" && !listens(spec.values.at("socket"))) {
        ::unlink(spec.values.at("socket").c_str());  // left by a server that was killed
    }
    if (spec.kind != "pci") {
        if (const auto error = rte_eal_hotplug_add("vdev", device.c_str(), spec.device_arguments().c_str()); error != 0) {
            fail(name, "'" + std::string{text} + "' cannot be created", error);
        }
    }
    std::uint16_t id = 0;
    if (const auto error = rte_eth_dev_get_port_by_name(device.c_str(), &id); error != 0) {
        fail(name, "'" + std::string{text} + "' has no device", error);
    }
    std::unique_ptr<Port> port{new Port{std::move(name), spec, device, id}};
    port->configure(pool, spec.descriptors());
    return port;
}

Port::Port(std::string name, const PortSpec& spec, std::string device, std::uint16_t id)
    : name_{std::move(name)},
      kind_{spec.kind},
      device_{std::move(device)},
      id_{id},
      patience_{rte_get_tsc_hz() / 1000 * patience_ms},
      server_{spec.kind == "memif" && spec.values.at("role") == "client" ? spec.values.at("socket") : std::string{}},
      rx_queues_{static_cast<std::uint16_t>(spec.rx_queues())} {}

// Devices are stopped, not closed, and the environment is not taken down: both end with the process, and the memif driver
// frees twice what it lost with a peer.
Port::~Port() {
    if (started_) {
        rte_eth_dev_stop(id_);
    }
}

void Port::configure(rte_mempool* pool, unsigned descriptors) {
    rte_eth_conf configuration{};
    if (const auto error = rte_eth_dev_configure(id_, rx_queues_, 1, &configuration); error != 0) {
        fail(name_, "cannot be configured", error);
    }
    const auto count = static_cast<std::uint16_t>(descriptors);
    for (std::uint16_t queue = 0; queue < rx_queues_; ++queue) {
        if (const auto error = rte_eth_rx_queue_setup(id_, queue, count, SOCKET_ID_ANY, nullptr, pool); error != 0) {
            fail(name_, "no receive queue", error);
        }
    }
    if (const auto error = rte_eth_tx_queue_setup(id_, 0, count, SOCKET_ID_ANY, nullptr); error != 0) {
        fail(name_, "no transmit queue", error);
    }
    if (server_.empty()) {
        if (!start()) {
            fail(name_, "does not start", rte_errno);
        }
    } else {
        maintain();
    }
}

bool Port::start() {
    started_ = rte_eth_dev_start(id_) == 0;
    if (started_) {
        rte_eth_promiscuous_enable(id_);  // not every driver has it, and those that have not take every packet
    }
    return started_;
}

void Port::maintain() {
    if (server_.empty() || link_up()) {
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now < next_try_ || !listens(server_)) {
        return;
    }
    next_try_ = now + time_to_connect;
    if (started_) {
        rte_eth_dev_stop(id_);
    }
    start();
}

std::uint16_t Port::rx(rte_mbuf** burst, std::uint16_t room) {
    if (!started_) {
        return 0;
    }
    std::uint16_t count = 0;
    for (std::uint16_t asked = 0, came = 0; came == asked && count < room; count = static_cast<std::uint16_t>(count + came)) {
        asked = std::min(static_cast<std::uint16_t>(room - count), received_at_once);
        came = rte_eth_rx_burst(id_, rx_turn_, burst + count, asked);
    }
    if (rx_queues_ > 1) {
        rx_turn_ = static_cast<std::uint16_t>((rx_turn_ + 1) % rx_queues_);
    }
    std::uint64_t octets = 0;
    for (std::uint16_t i = 0; i < count; ++i) {
        octets += burst[i]->pkt_len;
    }
    counted_.rx_packets += count;
    counted_.rx_bytes += octets;
    if (__builtin_expect(tap_ != nullptr, 0)) {
        tap_->received(burst, count);
    }
    return count;
}

std::uint16_t Port::offer(rte_mbuf** burst, std::uint16_t count) {
    if (__builtin_expect(tap_ == nullptr, 1)) {
        return rte_eth_tx_burst(id_, 0, burst, count);
    }
    tap_->sending(burst, count);
    const auto sent = rte_eth_tx_burst(id_, 0, burst, count);
    tap_->sent(sent);
    return sent;
}

std::uint16_t Port::tx(rte_mbuf** burst, std::uint16_t count) {
    if (!started_) {
        return 0;
    }
    std::array<std::uint32_t, most_at_once> lengths;  // NOLINT: read before, for a buffer that was sent may be gone
    const auto tried = std::min(count, most_at_once);
    for (std::uint16_t i = 0; i < tried; ++i) {
        lengths[i] = burst[i]->pkt_len;
    }
    const auto sent = offer(burst, tried);
    std::uint64_t octets = 0;
    for (std::uint16_t i = 0; i < sent; ++i) {
        octets += lengths[i];
    }
    counted_.tx_packets += sent;
    counted_.tx_bytes += octets;
    return sent;
}

std::uint16_t Port::tx_alike(rte_mbuf** burst, std::uint16_t count, std::uint32_t octets_each) {
    if (!started_) {
        return 0;
    }
    const auto sent = offer(burst, std::min(count, most_at_once));
    counted_.tx_packets += sent;
    counted_.tx_bytes += std::uint64_t{sent} * octets_each;
    return sent;
}

std::uint16_t Port::tx_or_drop(rte_mbuf** burst, std::uint16_t count) {
    std::uint16_t sent = 0;
    std::uint64_t until = 0;
    while (sent < count) {
        const auto offered = std::min<std::uint16_t>(static_cast<std::uint16_t>(count - sent), most_at_once);
        const auto taken = tx(burst + sent, offered);
        sent = static_cast<std::uint16_t>(sent + taken);
        if (taken == offered) {
            congested_ = false;
            continue;
        }
        const auto now = TscClock::tsc();
        if (until == 0) {
            until = now + patience_;
        }
        if (congested_ || now > until || !link_up()) {
            congested_ = true;
            break;
        }
        sched_yield();
    }
    if (sent < count) {
        counted_.tx_dropped += static_cast<std::uint64_t>(count - sent);
        rte_pktmbuf_free_bulk(burst + sent, static_cast<unsigned>(count - sent));
    }
    return sent;
}

bool Port::link_up() const {
    rte_eth_link link{};
    return started_ && rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

PortCounters Port::counters() const {
    auto found = counted_;
    rte_eth_stats told{};
    if (rte_eth_stats_get(id_, &told) == 0) {
        found.rx_errors = told.ierrors + told.rx_nombuf;
        found.rx_missed = told.imissed;
    }
    return found;
}

}  // namespace nfvcert::dpdk
