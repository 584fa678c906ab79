#pragma once
// The polling thread: every round asks each poller once, then gives the processor away, so that polling processes can share
// a core. Other threads have things done between two rounds.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

namespace nfvcert::dpdk {

class Loop {
public:
    /// Handles what there is, answers how many packets it handled; `tsc` is the time of the round's begin.
    using Poller = std::function<unsigned(std::uint64_t tsc)>;

    /// SIGTERM and SIGINT end run().
    Loop();

    void add(Poller poller) { pollers_.push_back(std::move(poller)); }
    /// With full bursts goes round up to so many times before it gives the processor away, which costs a share of the rate.
    void stay_while_full(unsigned rounds = 4) { most_rounds_ = rounds; }
    /// From now on other threads' actions wait for run(); to be called before the first of them starts.
    void arm() { running_ = true; }
    /// Polls until stop() or a signal.
    void run();
    /// Whether the polling thread goes round, or will soon.
    [[nodiscard]] bool running() const { return running_; }
    void stop() { stopping_.store(true, std::memory_order_relaxed); }

    /// Has `action` done by the polling thread between two rounds and waits for its result; what it throws comes out here.
    /// Before arm() it is done at once. Throws Refusal "busy" when the polling thread does not come to it within 1 s.
    template <class Action>
    std::invoke_result_t<Action> inside(Action&& action) {
        using Result = std::invoke_result_t<Action>;
        // owned by both: when this side gives up, the polling thread still finds it whole
        auto task = std::make_shared<std::packaged_task<Result()>>(std::forward<Action>(action));
        auto result = task->get_future();
        hand_over([task] { (*task)(); }, [&] { return is_ready(result); });
        return result.get();
    }

    /// Rounds so far, and those that had packets; for the load of the core.
    [[nodiscard]] std::uint64_t rounds() const { return rounds_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t busy_rounds() const { return busy_.load(std::memory_order_relaxed); }

private:
    template <class Future>
    static bool is_ready(const Future& future) {
        return future.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
    }
    void hand_over(std::function<void()> action, const std::function<bool()>& done);
    void do_handed_over();
    unsigned poll();

    std::vector<Poller> pollers_;
    unsigned most_rounds_ = 1;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> running_{false};
    std::atomic<bool> waiting_{false};
    std::mutex mutex_;
    std::condition_variable finished_;
    std::function<void()> action_;
    std::atomic<std::uint64_t> rounds_{0};
    std::atomic<std::uint64_t> busy_{0};
};

}  // namespace nfvcert::dpdk
