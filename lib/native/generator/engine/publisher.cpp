// Thread that tells events: the polling thread leaves behind what has happened and never waits.

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>

#include "generator/engine/engine.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::chrono::milliseconds period{5};
constexpr unsigned periods_a_sample = 20;
constexpr int niceness = 5;

}  // namespace

void Engine::publish_forever() {
    // the creating thread is bound to the core that polls
    cpu_set_t all;
    std::memset(&all, 0xff, sizeof all);
    ::sched_setaffinity(0, sizeof all, &all);
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
    std::unique_lock lock{stopping_mutex_};
    for (unsigned turn = 0; !stopping_changed_.wait_for(lock, period, [this] { return stopping_; }); ++turn) {
        if (turn % periods_a_sample == 0) {
            sample();
        }
        publish_finished();
        std::shared_ptr<Trial> running;
        {
            const std::lock_guard orders{orders_};
            running = trial_;
        }
        if (running && running->begun) {
            publish_intervals(*running);
        }
    }
}

void Engine::publish_finished() {
    while (const auto told = finished_.take()) {
        program_.control().publish({{"event", "finished"},
                                    {"port", told->port},
                                    {"profile", told->profile.data()},
                                    {"sent", told->end.sent},
                                    {"given_up", told->end.given_up},
                                    {"t_ns", told->end.t_ns}});
    }
}

void Engine::publish_intervals(Trial& trial) {
    const std::lock_guard lock{publishing_};
    while (const auto* tally = trial.session->take_closed()) {
        program_.control().publish(interval_event(*tally));
        trial.total.add(*tally);
        trial.session->recycle(tally);
    }
    if (!trial.told_sent && trial.session->sending_over_ns() != 0) {
        trial.told_sent = true;
        program_.control().publish({{"event", "flow_sent"}, {"t_ns", trial.session->sending_over_ns()}});
    }
}

}  // namespace nfvcert::engine
