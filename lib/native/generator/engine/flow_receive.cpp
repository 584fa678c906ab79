// The receiving side of a trial: what comes back is accounted, and stretches of time are handed over.

#include <rte_mbuf.h>

#include <algorithm>
#include <utility>

#include "generator/engine/buffers.hpp"
#include "generator/engine/flow_session.hpp"

namespace nfvcert::engine {

NFVCERT_PROCESSOR_CLONES unsigned FlowSession::take(rte_mbuf** packets, unsigned count, std::uint64_t now_ns) {
    if (!accounting_) {
        return count;
    }
    std::array<std::uint32_t, largest_receive> flows;               // NOLINT: filled below
    std::array<const std::uint8_t*, largest_receive> trailers;      // NOLINT: filled below
    std::array<rte_mbuf*, largest_receive> own;                     // NOLINT: filled below
    const auto known = pages_;
    unsigned others = 0;
    unsigned mine = 0;
    for (unsigned i = 0; i < count; ++i) {
        auto* packet = packets[i];
        const auto* data = rte_pktmbuf_mtod(packet, const std::uint8_t*);
        const auto octets = packet->data_len;
        const auto* trailer = data + octets - trailer_octets;
        if (__builtin_expect(octets < headers_octets + trailer_octets || packet->nb_segs != 1 ||
                                 load<std::uint16_t>(trailer) != swap16(trailer_magic), 0)) {
            packets[others++] = packet;
            continue;
        }
        const auto flow = swap32(load<std::uint32_t>(trailer + 2));
        if (__builtin_expect(flow >= known, 0)) {
            packets[others++] = packet;
            continue;
        }
        ledger_.prefetch(flow);
        flows[mine] = flow;
        trailers[mine] = trailer;
        own[mine++] = packet;
    }
    const auto tick = ledger_.tick(now_ns);
    const auto age = now_ns - progress_.begin_ns;
    std::uint64_t octets = 0;
    unsigned taken = 0;
    Usual usual;
    for (unsigned i = 0; i < mine; ++i) {
        const auto* trailer = trailers[i];
        auto* packet = own[i];
        const auto latency = now_ns - swap64(load<std::uint64_t>(trailer + 10));
        if (__builtin_expect(latency > age, 0)) {  // sent before this trial began, or never
            packets[others++] = packet;
            continue;
        }
        const auto* data = rte_pktmbuf_mtod(packet, const std::uint8_t*);
        octets += packet->data_len;
        own[taken++] = packet;
        ledger_.take(*tally_, usual, flows[i], swap32(load<std::uint32_t>(trailer + 6)), load<std::uint16_t>(data + 10),
                     packet->data_len, latency, tick);
    }
    usual.flush(*tally_);
    progress_.foreign += others;
    tally_->foreign += others;
    tally_->received += taken;
    tally_->received_bytes += octets;
    if (taken != 0) {
        progress_.last_arrival_ns = now_ns;
        progress_.received += taken;
        free_packets(own.data(), taken);
    }
    return others;
}

void FlowSession::end_stretch(std::uint64_t now_ns, Tally* next) {
    stretch_end_ns_ = std::max(stretch_end_ns_ + plan_.interval_ms * std::uint64_t{1'000'000}, now_ns);
    tally_->end_ns = now_ns;
    tally_->sent = progress_.sent - std::exchange(sent_told_, progress_.sent);
    tally_->born = population_.born() - std::exchange(born_told_, population_.born());
    tally_->ended = population_.ended() - std::exchange(ended_told_, population_.ended());
    tally_->living = population_.living();
    tally_->missing = ledger_.missing();
    closed_.put(std::exchange(tally_, next));
    if (tally_ != nullptr) {
        tally_->begin_ns = now_ns;
    }
}

void FlowSession::close(std::uint64_t now_ns) {
    stop_sending(now_ns);
    if (sending_) {
        end_sending(now_ns);
    }
    if (accounting_) {
        accounting_ = false;
        end_stretch(now_ns, nullptr);
        for (const auto& pool : templates_) {
            pool->give_back();
        }
    }
}

const Tally* FlowSession::take_closed() { return closed_.take().value_or(nullptr); }

void FlowSession::recycle(const Tally* tally) {
    const auto owner = std::find_if(owned_.begin(), owned_.end(), [&](const auto& owned) { return owned.get() == tally; });
    (*owner)->clear();
    spare_.put(owner->get());
}

}  // namespace nfvcert::engine
