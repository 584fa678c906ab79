// nfvcert-generator: numbered UDP flows between two legs, under the orders of JSON lines on standard input.

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <string>

#include "generator/session.hpp"

namespace {

using nfvcert::generator::Leg;
using nfvcert::generator::Session;

constexpr long tick_ns = 500'000;        // while there is something to send or to await
constexpr long idle_tick_ns = 5'000'000;
constexpr int output_room = 1 << 20;  // octets: a reader that is late must not stop the sending

void tell(const nlohmann::json& event) {
    std::cout << event.dump() << '\n';
    std::cout.flush();
}

void take_orders(Session& session, std::string& pending) {
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
        const auto line = pending.substr(0, end);
        pending.erase(0, end + 1);
        try {
            session.order(nlohmann::json::parse(line));
        } catch (const std::exception& error) {
            tell({{"event", "error"}, {"message", error.what()}});
        }
    }
}

/// A generator that waits for a processor measures the processor; it asks for little, so it may come first.
void take_precedence() {
    sched_param lowest{};
    lowest.sched_priority = sched_get_priority_min(SCHED_RR);
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) != 0) {
        setpriority(PRIO_PROCESS, 0, -15);  // where not even this is allowed, stalls tell
    }
}

int run(const std::string& access_name, const std::string& external_name) {
    Leg access(access_name);
    Leg external(external_name);
    Session session(access, external, tell);
    fcntl(STDOUT_FILENO, F_SETPIPE_SZ, output_room);  // no harm when standard output is no pipe
    take_precedence();
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    long tick = 0;
    std::string pending;
    while (!session.ended()) {
        if (const long wanted = session.busy() ? tick_ns : idle_tick_ns; wanted != tick) {
            tick = wanted;
            const itimerspec every{{0, tick}, {0, tick}};
            timerfd_settime(timer, 0, &every, nullptr);
        }
        std::array<pollfd, 2> ready{{{STDIN_FILENO, POLLIN, 0}, {timer, POLLIN, 0}}};
        poll(ready.data(), ready.size(), -1);
        if (ready[0].revents != 0) {
            std::array<char, 65536> buffer{};
            const auto count = read(STDIN_FILENO, buffer.data(), buffer.size());
            if (count <= 0) {
                break;
            }
            pending.append(buffer.data(), static_cast<std::size_t>(count));
            take_orders(session, pending);
        }
        if (ready[1].revents != 0) {
            std::uint64_t ticks = 0;
            [[maybe_unused]] const auto got = read(timer, &ticks, sizeof ticks);
        }
        session.work();
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::string access;
    std::string external;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        (option == "--access" ? access : external) = argv[i + 1];
    }
    if (access.empty() || external.empty()) {
        std::cerr << "usage: nfvcert-generator --access INTERFACE --external INTERFACE\n";
        return 4;
    }
    try {
        return run(access, external);
    } catch (const std::exception& error) {
        tell({{"event", "error"}, {"message", error.what()}});
        return 3;
    }
}
