#pragma once
// Single packets that are sent once, as they are: ARP, probes, what a user composes by hand.

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

struct rte_mempool;

namespace nfvcert::dpdk {
class Port;
}

namespace nfvcert::engine {

/// Packets of one order, one behind the other.
struct PushedPackets {
    std::vector<std::uint8_t> octets;
    std::vector<std::uint16_t> lengths;
    std::uint64_t gap_ns = 0;
};

/// What a port still has to send of them. Polling thread.
class PushQueue {
public:
    void add(std::shared_ptr<const PushedPackets> packets) { waiting_.push_back(std::move(packets)); }
    [[nodiscard]] bool empty() const { return waiting_.empty(); }
    /// What is due, a few at a time; a port without room is asked again for 1 s, then the packet is dropped and counted.
    /// Answers how many were sent.
    unsigned poll(dpdk::Port& port, rte_mempool* pool, std::uint64_t now_ns);
    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    void next(std::uint64_t now_ns);

    std::deque<std::shared_ptr<const PushedPackets>> waiting_;
    std::size_t at_ = 0;      // packet of the first order
    std::size_t octet_ = 0;   // where it begins
    std::uint64_t due_ns_ = 0;
    std::uint64_t refused_since_ns_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace nfvcert::engine
