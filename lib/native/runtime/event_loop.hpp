#pragma once
// One thread, one epoll set, timers in nanoseconds.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>

#include "runtime/unique_fd.hpp"

namespace nfvcert::runtime {

class EventLoop {
public:
    using Handler = std::function<void(std::uint32_t events)>;
    using Task = std::function<void()>;
    /// Work after each round of events; returns how many nanoseconds the loop may at most sleep before the next round.
    using Hook = std::function<std::uint64_t()>;

    EventLoop();

    /// Calls `handler` when one of `events` (EPOLLIN...) is ready. The descriptor stays the caller's.
    void watch(int fd, std::uint32_t events, Handler handler);
    void change(int fd, std::uint32_t events);
    void forget(int fd);

    void after(std::uint64_t delay_ns, Task task);
    /// Runs `task` now and again every `period_ns`.
    void every(std::uint64_t period_ns, Task task);
    void set_hook(Hook hook) { hook_ = std::move(hook); }

    /// Runs until stop(), SIGTERM or SIGINT.
    void run();
    void stop() { running_ = false; }

private:
    void run_timers();
    [[nodiscard]] std::uint64_t until_next_timer() const;

    UniqueFd epoll_;
    UniqueFd signals_;
    std::unordered_map<int, std::shared_ptr<Handler>> handlers_;
    std::multimap<std::uint64_t, Task> timers_;
    Hook hook_;
    bool running_ = true;
};

}  // namespace nfvcert::runtime
