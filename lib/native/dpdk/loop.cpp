#include "dpdk/loop.hpp"

#include <sched.h>

#include <chrono>
#include <csignal>

#include "dpdk/clock.hpp"
#include "dpdk/control.hpp"

namespace nfvcert::dpdk {
namespace {

constexpr std::chrono::seconds patience{1};
constexpr unsigned full_round = 64;  // packets in a round: there are more

volatile std::sig_atomic_t told_to_end = 0;

void end_told(int) { told_to_end = 1; }

}  // namespace

Loop::Loop() {
    struct sigaction action {};
    action.sa_handler = end_told;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
}

void Loop::run() {
    arm();
    std::uint64_t rounds = 0;
    std::uint64_t busy = 0;
    while (told_to_end == 0 && !stopping_.load(std::memory_order_relaxed)) {
        auto packets = poll();
        busy += packets > 0 ? 1 : 0;
        for (unsigned more = 1; packets >= full_round && more < most_rounds_; ++more) {
            packets = poll();
        }
        ++rounds;
        rounds_.store(rounds, std::memory_order_relaxed);
        busy_.store(busy, std::memory_order_relaxed);
        if (waiting_.load(std::memory_order_acquire)) {
            do_handed_over();
        }
        sched_yield();
    }
    running_ = false;
    do_handed_over();
}

unsigned Loop::poll() {
    const auto now = TscClock::tsc();
    unsigned packets = 0;
    for (const auto& poller : pollers_) {
        packets += poller(now);
    }
    return packets;
}

void Loop::hand_over(std::function<void()> action, const std::function<bool()>& done) {
    std::unique_lock lock{mutex_};
    const auto free = [this] { return !action_; };
    if (!running_) {
        lock.unlock();
        action();
        return;
    }
    if (!finished_.wait_for(lock, patience, free)) {
        throw Refusal{"busy", "the polling thread has not come to an earlier order within 1 s"};
    }
    action_ = std::move(action);
    waiting_.store(true, std::memory_order_release);
    if (!finished_.wait_for(lock, patience, done)) {
        action_ = nullptr;
        waiting_.store(false, std::memory_order_release);
        throw Refusal{"busy", "the polling thread has not come to the order within 1 s"};
    }
}

void Loop::do_handed_over() {
    {
        const std::lock_guard lock{mutex_};
        if (!action_) {
            return;
        }
        action_();
        action_ = nullptr;
        waiting_.store(false, std::memory_order_release);
    }
    finished_.notify_all();
}

}  // namespace nfvcert::dpdk
