#include "generator/engine/push.hpp"

#include <rte_mbuf.h>

#include <cstring>

#include "dpdk/port.hpp"

namespace nfvcert::engine {
namespace {

constexpr unsigned most_at_once = 16;
constexpr std::uint64_t patience_ns = 1'000'000'000;

}  // namespace

unsigned PushQueue::poll(dpdk::Port& port, rte_mempool* pool, std::uint64_t now_ns) {
    unsigned count = 0;
    while (!waiting_.empty() && count < most_at_once && now_ns >= due_ns_) {
        const auto& packets = *waiting_.front();
        const auto length = packets.lengths[at_];
        auto* packet = rte_pktmbuf_alloc(pool);
        auto taken = std::uint16_t{0};
        if (packet != nullptr) {
            std::memcpy(rte_pktmbuf_append(packet, length), packets.octets.data() + octet_, length);
            taken = port.tx(&packet, 1);
        }
        if (taken == 0) {
            rte_pktmbuf_free(packet);
            refused_since_ns_ = refused_since_ns_ == 0 ? now_ns : refused_since_ns_;
            if (now_ns - refused_since_ns_ < patience_ns) {
                return count;
            }
            ++dropped_;
        }
        sent_ += taken;
        count += taken;
        next(now_ns);
    }
    return count;
}

void PushQueue::next(std::uint64_t now_ns) {
    const auto& packets = *waiting_.front();
    refused_since_ns_ = 0;
    due_ns_ = now_ns + packets.gap_ns;
    octet_ += packets.lengths[at_++];
    if (at_ == packets.lengths.size()) {
        waiting_.pop_front();
        at_ = octet_ = 0;
    }
}

}  // namespace nfvcert::engine
