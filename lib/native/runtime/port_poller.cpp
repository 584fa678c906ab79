#include "runtime/port_poller.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <limits>

#include "runtime/clock.hpp"

namespace nfvcert::runtime {

namespace {

constexpr std::uint64_t window_ns = 10 * ns_per_ms;

}  // namespace

PortPoller::PortPoller(EventLoop& loop, Policy policy) : loop_{loop}, policy_{policy} {
    ::prctl(PR_SET_TIMERSLACK, 10'000UL, 0UL, 0UL, 0UL);  // pauses are far below the default slack's multiple
    loop_.set_hook([this] { return finish_round(); });
}

void PortPoller::add(PacketPort& port, PacketPort::Receiver receiver) {
    entries_.push_back({&port, std::move(receiver)});
    const auto index = entries_.size() - 1;
    loop_.watch(port.fd(), polling_ ? 0U : EPOLLIN, [this, index](std::uint32_t) { drain(entries_[index]); });
}

/// True when the port may have more.
bool PortPoller::drain(Entry& entry) {
    for (std::size_t round = 0; round < policy_.batches_per_round; ++round) {
        const auto count = entry.port->receive(entry.receiver);
        frames_ += count;
        if (count < PacketPort::batch) {
            return false;
        }
    }
    return true;
}

void PortPoller::flush() {
    for (const auto& entry : entries_) {
        entry.port->flush();
    }
}

void PortPoller::set_polling(bool polling) {
    if (polling == polling_) {
        return;
    }
    polling_ = polling;
    for (const auto& entry : entries_) {
        loop_.change(entry.port->fd(), polling ? 0U : EPOLLIN);
    }
}

void PortPoller::measure_rate() {
    const auto now = monotonic_ns();
    const auto elapsed = now - window_start_ns_;
    if (elapsed < window_ns) {
        return;
    }
    const auto pps = frames_ * ns_per_s / elapsed;
    set_polling(pps > (polling_ ? policy_.busy_pps / 2 : policy_.busy_pps));
    frames_ = 0;
    window_start_ns_ = now;
}

std::uint64_t PortPoller::finish_round() {
    bool more = false;
    if (polling_) {
        for (auto& entry : entries_) {
            more = drain(entry) || more;
        }
    }
    if (extra_work_) {
        more = extra_work_() || more;
    }
    flush();
    measure_rate();
    if (more) {
        return 0;
    }
    return polling_ ? policy_.pause_ns : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace nfvcert::runtime
