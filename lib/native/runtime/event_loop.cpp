#include "runtime/event_loop.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

#include "runtime/clock.hpp"

namespace nfvcert::runtime {

namespace {

constexpr auto forever = std::numeric_limits<std::uint64_t>::max();

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

UniqueFd termination_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    return UniqueFd{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
}

}  // namespace

EventLoop::EventLoop() : epoll_{::epoll_create1(EPOLL_CLOEXEC)}, signals_{termination_signals()} {
    if (!epoll_.valid() || !signals_.valid()) {
        fail("event loop");
    }
    watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { stop(); });
}

void EventLoop::watch(int fd, std::uint32_t events, Handler handler) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
        fail("epoll_ctl");
    }
    handlers_[fd] = std::make_shared<Handler>(std::move(handler));
}

void EventLoop::change(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) {
        fail("epoll_ctl");
    }
}

void EventLoop::forget(int fd) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    handlers_.erase(fd);
}

void EventLoop::after(std::uint64_t delay_ns, Task task) { timers_.emplace(monotonic_ns() + delay_ns, std::move(task)); }

void EventLoop::every(std::uint64_t period_ns, Task task) {
    task();
    after(period_ns, [this, period_ns, task = std::move(task)] { every(period_ns, task); });
}

void EventLoop::run_timers() {
    const auto now = monotonic_ns();
    while (!timers_.empty() && timers_.begin()->first <= now) {
        const auto task = std::move(timers_.begin()->second);
        timers_.erase(timers_.begin());
        task();
    }
}

std::uint64_t EventLoop::until_next_timer() const {
    if (timers_.empty()) {
        return forever;
    }
    const auto now = monotonic_ns();
    const auto next = timers_.begin()->first;
    return next > now ? next - now : 0;
}

void EventLoop::run() {
    std::array<epoll_event, 16> events{};
    std::uint64_t limit = forever;
    while (running_) {
        const auto sleep = std::min(limit, until_next_timer());
        const timespec timeout{static_cast<time_t>(sleep / ns_per_s), static_cast<long>(sleep % ns_per_s)};
        const auto count = ::epoll_pwait2(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                          sleep == forever ? nullptr : &timeout, nullptr);
        if (count < 0 && errno != EINTR) {
            fail("epoll_pwait2");
        }
        for (int i = 0; i < count; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            const auto found = handlers_.find(event.data.fd);
            if (found != handlers_.end()) {
                const auto handler = found->second;  // survives its own removal
                (*handler)(event.events);
            }
        }
        run_timers();
        limit = hook_ ? hook_() : forever;
    }
}

}  // namespace nfvcert::runtime
