#pragma once
// Connects packet ports with the event loop, and trades a little latency for few wake-ups under load.

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/event_loop.hpp"
#include "runtime/packet_port.hpp"

namespace nfvcert::runtime {

/// Above `busy_pps` the ports are no longer watched but read every `pause_ns`, so that frames come in batches; below
/// half of it each frame wakes the process. Frames sent while handling a round leave in batches at its end.
class PortPoller {
public:
    struct Policy {
        std::uint64_t busy_pps = 3'000;
        std::uint64_t pause_ns = 200'000;
        std::size_t batches_per_round = 8;  // per port, then others have their turn
    };

    PortPoller(EventLoop& loop, Policy policy);

    void add(PacketPort& port, PacketPort::Receiver receiver);
    /// Further work of each round; returns true when it has more to do at once.
    void set_extra_work(std::function<bool()> work) { extra_work_ = std::move(work); }
    void flush();

private:
    struct Entry {
        PacketPort* port;
        PacketPort::Receiver receiver;
    };

    bool drain(Entry& entry);
    std::uint64_t finish_round();
    void measure_rate();
    void set_polling(bool polling);

    EventLoop& loop_;
    Policy policy_;
    std::vector<Entry> entries_;
    std::function<bool()> extra_work_;
    bool polling_ = false;
    std::uint64_t frames_ = 0;
    std::uint64_t window_start_ns_ = 0;
};

}  // namespace nfvcert::runtime
