#pragma once
// Packets collected for each port of a program and sent once a round.

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <vector>

#include "dpdk/port.hpp"

namespace nfvcert::switching {

class Outputs {
public:
    explicit Outputs(std::vector<dpdk::Port*> ports) : queues_(ports.size()) {
        for (std::size_t i = 0; i < ports.size(); ++i) {
            queues_[i].port = ports[i];
        }
    }

    void put(std::size_t port, rte_mbuf* packet) {
        auto& queue = queues_[port];
        queue.packets[queue.count++] = packet;
        if (queue.count == queue.packets.size()) {
            flush(queue);
        }
    }

    void flush() {
        for (auto& queue : queues_) {
            if (queue.count > 0) {
                flush(queue);
            }
        }
    }

private:
    struct Queue {
        dpdk::Port* port = nullptr;
        std::uint16_t count = 0;
        std::array<rte_mbuf*, 64> packets{};
    };

    static void flush(Queue& queue) {
        queue.port->tx_or_drop(queue.packets.data(), queue.count);
        queue.count = 0;
    }

    std::vector<Queue> queues_;
};

}  // namespace nfvcert::switching
