#pragma once
// Giving received packets back to their pool.

#include <rte_mbuf.h>

namespace nfvcert::engine {

/// As rte_pktmbuf_free_bulk(); plain buffers of one pool, which is what drivers receive into, go back in one piece.
inline void free_packets(rte_mbuf** packets, unsigned count) {
    constexpr auto not_plain = RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
    auto* pool = packets[0]->pool;
    bool plain = true;
    for (unsigned i = 0; i < count; ++i) {
        const auto* packet = packets[i];
        plain = plain && packet->pool == pool && packet->nb_segs == 1 && rte_mbuf_refcnt_read(packet) == 1 &&
                (packet->ol_flags & not_plain) == 0;
    }
    if (plain) {
        rte_mempool_put_bulk(pool, reinterpret_cast<void**>(packets), count);
    } else {
        rte_pktmbuf_free_bulk(packets, count);
    }
}

}  // namespace nfvcert::engine
