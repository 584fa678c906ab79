// nfvcert-core-distance FIRST SECOND: how long a cache line takes from one processor core to another and back, in ns, as
// {"round_trip_ns": median, "cores": [FIRST, SECOND]}. Rates between two cores stand or fall with it, and on virtual
// machines it changes from minute to minute: the host moves their processors about.

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <thread>

namespace {

constexpr unsigned rounds = 5'000;   // of one measurement, about a millisecond
constexpr unsigned measurements = 15;
constexpr std::chrono::seconds patience{2};

struct alignas(64) Line {
    std::atomic<std::uint32_t> turn{0};
};

bool pin(unsigned core) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(core, &only);
    return ::pthread_setaffinity_np(::pthread_self(), sizeof only, &only) == 0;
}

bool read_core(std::string_view text, unsigned& core) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), core);
    return error == std::errc{} && end == text.data() + text.size() && core < CPU_SETSIZE;
}

}  // namespace

int main(int argc, char** argv) {
    std::array<unsigned, 2> cores{};
    if (argc != 3 || !read_core(argv[1], cores[0]) || !read_core(argv[2], cores[1]) || cores[0] == cores[1]) {
        std::fputs("usage: nfvcert-core-distance FIRST SECOND (two different processor cores)\n", stderr);
        return 2;
    }
    using Clock = std::chrono::steady_clock;
    Line there;
    Line back;
    std::atomic<bool> over{false};
    std::atomic<bool> answers{false};
    std::atomic<bool> failed{false};
    std::thread answering{[&] {
        failed = !pin(cores[1]);
        answers = true;
        for (std::uint32_t seen = 0; !over.load(std::memory_order_relaxed);) {
            if (const auto asked = there.turn.load(std::memory_order_acquire); asked != seen) {
                seen = asked;
                back.turn.store(asked, std::memory_order_release);
            }
        }
    }};
    failed = !pin(cores[0]) || failed;
    while (!answers) {
        std::this_thread::yield();
    }
    std::array<double, measurements> found{};
    unsigned done = 0;
    const auto limit = Clock::now() + patience;
    for (std::uint32_t turn = 0; done < measurements && !failed && Clock::now() < limit; ++done) {
        const auto begin = Clock::now();
        for (unsigned i = 0; i < rounds; ++i) {
            there.turn.store(++turn, std::memory_order_release);
            while (back.turn.load(std::memory_order_acquire) != turn) {
            }
        }
        found[done] = std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / rounds;
    }
    over = true;
    answering.join();
    if (failed || done == 0) {
        std::fprintf(stderr, "nfvcert-core-distance: cores %u and %u cannot be used\n", cores[0], cores[1]);
        return 1;
    }
    std::nth_element(found.begin(), found.begin() + done / 2, found.begin() + done);
    std::printf("{\"round_trip_ns\": %.1f, \"cores\": [%u, %u]}\n", found[done / 2], cores[0], cores[1]);
    return 0;
}
