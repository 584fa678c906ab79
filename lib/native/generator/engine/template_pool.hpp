#pragma once
// Packet buffers that all hold the same packet, so that sending one more writes what differs and nothing else. A driver
// that copies gives them back at once; one that does not gives them back when the packet has left.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

struct rte_mbuf;
struct rte_mempool;

namespace nfvcert::engine {

class TemplatePool {
public:
    explicit TemplatePool(rte_mempool* pool) : pool_{pool} {}

    /// Every buffer is back.
    [[nodiscard]] bool whole() const;
    /// Writes `octets` into every buffer; whole() has to be true.
    void fill(std::span<const std::uint8_t> octets);

    /// Up to `wanted` buffers lie at the beginning of the stash afterwards; how many (all, or those there were before).
    /// Polling thread alone.
    unsigned prepare(unsigned wanted);
    [[nodiscard]] rte_mbuf** stash() { return stash_.data(); }
    /// The first `count` of the stash have gone.
    void gone(unsigned count);
    /// Gives the stash back. Polling thread, or none polls.
    void give_back();

    static constexpr unsigned largest_stash = 128;

private:
    rte_mempool* pool_;
    std::array<rte_mbuf*, largest_stash> stash_{};
    unsigned stashed_ = 0;
};

/// All template pools of the process; a pool that is no longer used is filled anew for the next packet.
class TemplatePools {
public:
    static constexpr unsigned most = 24;
    explicit TemplatePools(unsigned buffers_each) : buffers_each_{buffers_each} {}

    /// A pool filled with the packet, to be let go by the pointer; null when all are used or there is no more memory.
    std::shared_ptr<TemplatePool> take(std::span<const std::uint8_t> octets);

private:
    unsigned buffers_each_;
    std::mutex mutex_;
    std::vector<std::shared_ptr<TemplatePool>> pools_;
};

}  // namespace nfvcert::engine
