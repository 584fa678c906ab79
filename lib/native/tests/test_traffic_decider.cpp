#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "functions/traffic_decider.hpp"

using namespace nfvcert::functions;
namespace packet = nfvcert::packet;

namespace {

constexpr std::uint64_t second = 1'000'000'000;
using Action = TrafficDecider::Action;

packet::MacAddress mac(int worker) { return {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(worker)}}; }

PoolMember member(int worker, const std::string& group) { return {"w" + std::to_string(worker), mac(worker), group}; }

FlowIdentity flow(std::uint32_t user, std::uint16_t port = 1) { return {{user}, {1}, 17, port, 7}; }

struct Bench {
    TrafficDecider decider;
    std::uint64_t now = second;

    explicit Bench(DeciderLimits limits = {}) : decider{limits} {}

    TrafficDecider::Decision packet(std::uint32_t user, std::uint8_t number = 0, std::uint16_t port = 1) {
        const std::vector<std::uint8_t> frame{static_cast<std::uint8_t>(user), number};
        return decider.handle(flow(user, port), frame, now);
    }

    std::vector<std::pair<std::vector<std::uint8_t>, packet::MacAddress>> release(std::size_t limit = 1000) {
        std::vector<std::pair<std::vector<std::uint8_t>, packet::MacAddress>> released;
        decider.release(limit, now, [&](packet::Bytes frame, const packet::MacAddress& to) {
            released.push_back({{frame.begin(), frame.end()}, to});
        });
        return released;
    }
};

}  // namespace

TEST_CASE("without workers packets are dropped and counted") {
    Bench bench;
    CHECK(bench.packet(1).action == Action::drop);
    CHECK(bench.decider.no_worker_drops() == 1);
    CHECK(bench.decider.users() == 0);
}

TEST_CASE("users keep their worker over flows and pool changes") {
    Bench bench;
    bench.decider.set_pool({member(1, "old"), member(2, "old")}, bench.now);
    std::map<std::uint32_t, packet::MacAddress> before;
    for (std::uint32_t user = 0; user < 10; ++user) {
        before[user] = bench.packet(user).mac;
    }
    CHECK(bench.decider.workers().front().users == 5);
    bench.decider.set_pool({member(1, "old"), member(2, "old"), member(3, "new")}, bench.now);
    bench.decider.set_shares({{"old", 0}, {"new", 100}});
    for (std::uint32_t user = 0; user < 10; ++user) {
        CHECK(bench.packet(user, 1, 99).mac == before[user]);
    }
    CHECK(bench.packet(50).mac == mac(3));
}

TEST_CASE("new users follow the shares exactly") {
    Bench bench;
    bench.decider.set_pool({member(1, "old"), member(2, "old"), member(3, "new")}, bench.now);
    bench.decider.set_shares({{"old", 90}, {"new", 10}});
    std::map<packet::MacAddress, int> users;
    for (std::uint32_t user = 0; user < 200; ++user) {
        ++users[bench.packet(user).mac];
    }
    CHECK(users[mac(1)] == 90);
    CHECK(users[mac(2)] == 90);
    CHECK(users[mac(3)] == 20);
}

TEST_CASE("an idle user is a new service request, return traffic keeps it known") {
    Bench bench;
    bench.decider.set_pool({member(1, "old")}, bench.now);
    (void)bench.packet(1);
    (void)bench.packet(2);
    bench.decider.set_pool({member(1, "old"), member(2, "new")}, bench.now);
    bench.decider.set_shares({{"new", 100}});
    bench.now += 2 * second;
    CHECK(bench.packet(1).mac == mac(1));
    bench.decider.touch({2}, bench.now);
    bench.now += second + second / 2;
    CHECK(bench.packet(2).mac == mac(1));
    bench.now += second;
    CHECK(bench.packet(1).mac == mac(2));
    bench.decider.expire(bench.now + 3 * second);
    CHECK(bench.decider.users() == 0);
}

TEST_CASE("users of a removed worker are served by the others, the rest stays") {
    Bench bench;
    bench.decider.set_pool({member(1, "old"), member(2, "old")}, bench.now);
    CHECK(bench.packet(1).mac == mac(1));
    CHECK(bench.packet(2).mac == mac(2));
    bench.decider.set_pool({member(2, "old")}, bench.now);
    CHECK(bench.packet(1).mac == mac(2));
    CHECK(bench.packet(2).mac == mac(2));
    CHECK(bench.decider.workers().size() == 2);
    bench.decider.expire(bench.now);
    CHECK(bench.decider.workers().size() == 1);
}

TEST_CASE("a group with a share but no worker leaves its users to the others") {
    Bench bench;
    bench.decider.set_pool({member(1, "old")}, bench.now);
    bench.decider.set_shares({{"new", 100}});
    CHECK(bench.packet(1).mac == mac(1));
}

TEST_CASE("held packets go to the new worker in order, later ones behind them") {
    Bench bench;
    bench.decider.set_pool({member(1, "old"), member(2, "new")}, bench.now);
    bench.decider.set_shares({{"old", 100}});
    CHECK(bench.packet(1, 0).mac == mac(1));
    CHECK(bench.decider.hold("w1"));
    for (std::uint8_t number = 1; number <= 3; ++number) {
        CHECK(bench.packet(1, number).action == Action::queued);
    }
    CHECK_FALSE(bench.decider.releasable());
    CHECK(bench.release().empty());
    CHECK(bench.decider.move("w1", "w2") == 1);
    CHECK(bench.decider.releasable());
    CHECK(bench.release(2).size() == 2);
    CHECK(bench.packet(1, 4).action == Action::queued);  // not past the third
    const auto rest = bench.release();
    REQUIRE(rest.size() == 2);
    CHECK(rest[0].first[1] == 3);
    CHECK(rest[1].first[1] == 4);
    CHECK(rest[1].second == mac(2));
    CHECK(bench.packet(1, 5).mac == mac(2));
    CHECK(bench.decider.waiting() == 0);
}

TEST_CASE("unholding lets the packets go where they were bound for") {
    Bench bench;
    bench.decider.set_pool({member(1, "old")}, bench.now);
    (void)bench.packet(1, 0);
    (void)bench.decider.hold("w1");
    CHECK(bench.packet(1, 1).action == Action::queued);
    CHECK(bench.decider.unhold("w1"));
    const auto released = bench.release();
    REQUIRE(released.size() == 1);
    CHECK(released[0].second == mac(1));
}

TEST_CASE("holding again before the queue is empty keeps the order") {
    Bench bench;
    bench.decider.set_pool({member(1, "old")}, bench.now);
    (void)bench.packet(1, 0);
    (void)bench.decider.hold("w1");
    (void)bench.packet(1, 1);
    (void)bench.packet(1, 2);
    (void)bench.decider.unhold("w1");
    CHECK(bench.release(1).size() == 1);
    (void)bench.decider.hold("w1");
    CHECK(bench.packet(1, 3).action == Action::queued);
    CHECK(bench.packet(2, 1).action == Action::queued);
    CHECK(bench.release().empty());
    (void)bench.decider.unhold("w1");
    std::vector<std::uint8_t> numbers;
    for (const auto& [frame, to] : bench.release()) {
        if (frame[0] == 1) {
            numbers.push_back(frame[1]);
        }
    }
    CHECK(numbers == std::vector<std::uint8_t>{2, 3});
}

TEST_CASE("an emptied worker gets no new users until it is put back into service") {
    Bench bench;
    bench.decider.set_pool({member(1, "old"), member(2, "old")}, bench.now);
    (void)bench.packet(1);
    (void)bench.decider.hold("w1");
    (void)bench.decider.move("w1", "w2");
    for (std::uint32_t user = 10; user < 20; ++user) {
        CHECK(bench.packet(user).mac == mac(2));
    }
    CHECK(bench.decider.move("w2", "w1") == 11);  // the way back
    CHECK(bench.packet(1).mac == mac(1));
    CHECK(bench.packet(30).mac == mac(1));
    CHECK(bench.decider.unhold("w2"));
    CHECK(bench.packet(31).mac == mac(2));
}

TEST_CASE("new users avoid a held worker when its group has another") {
    Bench bench;
    bench.decider.set_pool({member(1, "old"), member(2, "old")}, bench.now);
    (void)bench.decider.hold("w1");
    CHECK(bench.packet(1).mac == mac(2));
    CHECK(bench.packet(2).mac == mac(2));
    (void)bench.decider.hold("w2");
    CHECK(bench.packet(3).action == Action::queued);
}

TEST_CASE("packets held for a worker that leaves the pool go to the one that takes over") {
    Bench bench;
    bench.decider.set_pool({member(1, "new"), member(2, "old")}, bench.now);
    bench.decider.set_shares({{"new", 100}});
    (void)bench.packet(1, 0);
    (void)bench.decider.hold("w1");
    (void)bench.packet(1, 1);
    bench.decider.set_pool({member(2, "old")}, bench.now);
    bench.decider.set_shares({{"old", 100}});
    const auto released = bench.release();
    REQUIRE(released.size() == 1);
    CHECK(released[0].second == mac(2));
    CHECK(bench.packet(1, 2).mac == mac(2));
}

TEST_CASE("the queue is bounded by packets and octets") {
    Bench few{{.held_packets = 2}};
    few.decider.set_pool({member(1, "old")}, few.now);
    (void)few.decider.hold("w1");
    (void)few.packet(1);
    (void)few.packet(1);
    CHECK(few.packet(1).action == Action::drop);
    CHECK(few.decider.hold_drops() == 1);
    Bench small{{.held_octets = 3}};
    small.decider.set_pool({member(1, "old")}, small.now);
    (void)small.decider.hold("w1");
    CHECK(small.packet(1).action == Action::queued);
    CHECK(small.packet(1).action == Action::drop);
}

TEST_CASE("waiting users are not forgotten") {
    Bench bench;
    bench.decider.set_pool({member(1, "old"), member(2, "new")}, bench.now);
    bench.decider.set_shares({{"old", 100}});
    (void)bench.packet(1, 0);
    (void)bench.decider.hold("w1");
    (void)bench.packet(1, 1);
    bench.now += 10 * second;
    bench.decider.expire(bench.now);
    CHECK(bench.decider.move("w1", "w2") == 1);
    CHECK(bench.release().at(0).second == mac(2));
    CHECK(bench.packet(1, 2).mac == mac(2));
}

TEST_CASE("commands about unknown workers are refused") {
    Bench bench;
    bench.decider.set_pool({member(1, "old")}, bench.now);
    CHECK_FALSE(bench.decider.hold("w9"));
    CHECK_FALSE(bench.decider.unhold("w9"));
    CHECK_FALSE(bench.decider.move("w9", "w1"));
    CHECK_FALSE(bench.decider.move("w1", "w9"));
}
