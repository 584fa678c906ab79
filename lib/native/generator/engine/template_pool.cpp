#include "generator/engine/template_pool.hpp"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace nfvcert::engine {
namespace {

constexpr unsigned cached = 256;
constexpr std::uint16_t room = 2048;

void write_template(rte_mempool*, void* argument, void* object, unsigned) {
    const auto& octets = *static_cast<std::span<const std::uint8_t>*>(argument);
    auto* buffer = static_cast<rte_mbuf*>(object);
    rte_pktmbuf_reset(buffer);
    std::memcpy(rte_pktmbuf_mtod(buffer, void*), octets.data(), octets.size());
    buffer->data_len = static_cast<std::uint16_t>(octets.size());
    buffer->pkt_len = static_cast<std::uint32_t>(octets.size());
}

}  // namespace

bool TemplatePool::whole() const { return rte_mempool_full(pool_) == 1; }

void TemplatePool::fill(std::span<const std::uint8_t> octets) { rte_mempool_obj_iter(pool_, write_template, &octets); }

unsigned TemplatePool::prepare(unsigned wanted) {
    if (stashed_ < wanted) {
        // straight from the pool: what a buffer holds is wanted as it is, only the driver's marks are gone by then
        auto** room_in_stash = reinterpret_cast<void**>(stash_.data() + stashed_);
        if (rte_mempool_get_bulk(pool_, room_in_stash, wanted - stashed_) == 0) {
            stashed_ = wanted;
        }
    }
    return std::min(stashed_, wanted);
}

void TemplatePool::gone(unsigned count) {
    stashed_ -= count;
    if (stashed_ != 0 && count != 0) {
        std::memmove(stash_.data(), stash_.data() + count, stashed_ * sizeof(rte_mbuf*));
    }
}

void TemplatePool::give_back() {
    rte_mempool_put_bulk(pool_, reinterpret_cast<void**>(stash_.data()), stashed_);
    stashed_ = 0;
}

std::shared_ptr<TemplatePool> TemplatePools::take(std::span<const std::uint8_t> octets) {
    const std::lock_guard lock{mutex_};
    for (const auto& pool : pools_) {
        if (pool.use_count() == 1 && pool->whole()) {
            pool->fill(octets);
            return pool;
        }
    }
    if (pools_.size() == most) {
        return nullptr;
    }
    const auto name = "template" + std::to_string(pools_.size());
    auto* pool = rte_pktmbuf_pool_create(name.c_str(), buffers_each_, cached, 0, RTE_PKTMBUF_HEADROOM + room, SOCKET_ID_ANY);
    if (pool == nullptr) {
        return nullptr;
    }
    pools_.push_back(std::make_shared<TemplatePool>(pool));
    pools_.back()->fill(octets);
    return pools_.back();
}

}  // namespace nfvcert::engine
