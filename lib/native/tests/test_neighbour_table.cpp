#include <doctest/doctest.h>

#include "functions/neighbour_table.hpp"

using namespace nfvcert::functions;

namespace {

constexpr std::uint64_t ms = 1'000'000;
const Ipv4Address server{0xc6130101};
const MacAddress mac{{2, 0, 0, 0, 0, 9}};

}  // namespace

TEST_CASE("packets wait in order until the address is known") {
    NeighbourTable table;
    CHECK(table.resolve(server, 0).ask);
    CHECK_FALSE(table.resolve(server, 1).ask);  // one question is enough
    CHECK(table.wait(server, {1}));
    CHECK(table.wait(server, {2}));
    CHECK(table.learn(server, mac, true, ms) == std::vector<NeighbourTable::Packet>{{1}, {2}});
    CHECK(table.resolve(server, 2 * ms).mac == mac);
    CHECK_FALSE(table.has_questions());
}

TEST_CASE("questions are repeated, then given up with what waits") {
    NeighbourTable table{{.retry_ns = 10 * ms, .attempts = 3}};
    (void)table.resolve(server, 0);
    CHECK(table.wait(server, {1}));
    CHECK(table.due(5 * ms).empty());
    CHECK(table.due(10 * ms).size() == 1);
    CHECK(table.due(20 * ms).size() == 1);
    CHECK(table.due(30 * ms).empty());
    CHECK(table.unresolved_drops() == 1);
    CHECK_FALSE(table.has_questions());
    CHECK(table.resolve(server, 40 * ms).ask);
}

TEST_CASE("a limited number of packets waits") {
    NeighbourTable table{{.pending_limit = 1}};
    (void)table.resolve(server, 0);
    CHECK(table.wait(server, {1}));
    CHECK_FALSE(table.wait(server, {2}));
    CHECK(table.unresolved_drops() == 1);
}

TEST_CASE("an old answer is used while a new one is asked for") {
    NeighbourTable table{{.reachable_ns = 100 * ms}};
    (void)table.learn(server, mac, true, 0);
    CHECK_FALSE(table.resolve(server, 100 * ms).ask);
    const auto stale = table.resolve(server, 101 * ms);
    CHECK(stale.ask);
    CHECK(stale.mac == mac);
}

TEST_CASE("statements of strangers about strangers are not kept, but known ones are updated") {
    NeighbourTable table;
    (void)table.learn(server, mac, false, 0);
    CHECK_FALSE(table.resolve(server, 1).mac);
    (void)table.learn(server, mac, false, 2);
    const MacAddress other{{2, 0, 0, 0, 0, 10}};
    (void)table.learn(server, other, false, 3);
    CHECK(table.resolve(server, 4).mac == other);
}
