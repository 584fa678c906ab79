#include <doctest/doctest.h>

#include <map>
#include <set>

#include "fn_frames.hpp"
#include "functions/common/flat_index.hpp"
#include "functions/common/timer_wheel.hpp"
#include "functions/nat/port_pool.hpp"
#include "packet/address.hpp"

using namespace nf_test;

TEST_CASE("the index finds what was put in and nothing else, through insertions and removals in any order") {
    nf::FlatIndex index{64};
    std::vector<std::uint64_t> hashes(64);
    std::set<std::uint32_t> present;
    std::uint64_t dice = 7;
    for (std::uint32_t i = 0; i < hashes.size(); ++i) {
        hashes[i] = i % 4 == 0 ? 42 : packet::mix64(i % 16);  // many collisions
    }
    for (int step = 0; step < 20'000; ++step) {
        dice = packet::mix64(dice + 1);
        const auto record = static_cast<std::uint32_t>(dice % hashes.size());
        if (present.contains(record)) {
            index.erase(hashes[record], record);
            present.erase(record);
        } else {
            index.insert(hashes[record], record);
            present.insert(record);
        }
        REQUIRE(index.size() == present.size());
        const auto asked = static_cast<std::uint32_t>((dice >> 32) % hashes.size());
        const auto found = index.find(hashes[asked], [&](std::uint32_t one) { return one == asked; });
        REQUIRE((found == asked) == present.contains(asked));
    }
}

TEST_CASE("timers come due at their time, once, and not before") {
    nf::TimerWheel wheel{1000};
    std::map<std::uint32_t, std::uint64_t> due;
    std::uint64_t now = 5 * second;
    std::uint64_t dice = 3;
    for (std::uint32_t record = 0; record < 1000; ++record) {
        dice = packet::mix64(dice + record);
        due[record] = now + dice % (10 * second);
        wheel.arm(record, due[record], now);
    }
    for (std::uint32_t record = 0; record < 1000; record += 10) {
        wheel.disarm(record);
        due.erase(record);
    }
    for (; now < 20 * second; now += 3 * ms) {
        wheel.advance(now, 10'000, [&](std::uint32_t record) {
            REQUIRE(due.contains(record));
            CHECK(due[record] <= now);
            CHECK(now - due[record] < 12 * ms);
            due.erase(record);
        });
    }
    CHECK(due.empty());
}

TEST_CASE("a call of the timers does no more than it may, and none is forgotten") {
    nf::TimerWheel wheel{100};
    for (std::uint32_t record = 0; record < 100; ++record) {
        wheel.arm(record, second + ms, second);
    }
    int seen = 0;
    const auto count = [&](std::uint32_t) { ++seen; };
    wheel.advance(2 * second, 30, count);
    CHECK(seen == 30);
    wheel.advance(2 * second, 100, count);
    CHECK(seen == 100);
    wheel.arm(5, 400 * second, 2 * second);  // beyond the horizon: looked at early
    wheel.advance(100 * second, 100, count);
    CHECK(seen == 101);
}

TEST_CASE("ports are given in turn, rest before they come again, and are never given twice") {
    nf::PortPool pool{{.addresses = {ip("198.19.0.1")}, .first = 2000, .last = 2003, .reuse_delay_ns = second}};
    std::set<std::uint16_t> given;
    for (int i = 0; i < 4; ++i) {
        given.insert(pool.allocate(17, 1, second)->port);
    }
    CHECK(given == std::set<std::uint16_t>{2000, 2001, 2002, 2003});
    CHECK_FALSE(pool.allocate(17, 1, second));
    CHECK(pool.allocate(6, 1, second));  // another port space
    pool.release(17, {ip("198.19.0.1"), 2001}, second);
    CHECK_FALSE(pool.allocate(17, 1, second + 900 * ms));
    const auto again = pool.allocate(17, 1, 2 * second + 5 * ms);
    REQUIRE(again);
    CHECK(again->port == 2001);
}

TEST_CASE("a ceded port stays away until its mapping comes back") {
    nf::PortPool pool{{.addresses = {ip("198.19.0.1")}, .first = 2000, .last = 2000}};
    const auto port = *pool.allocate(17, 1, second);
    CHECK_FALSE(pool.reserve(17, port));
    pool.cede(17, port);
    pool.release(17, port, second);
    CHECK_FALSE(pool.allocate(17, 1, 100 * second));
    CHECK(pool.ceded() == 1);
    CHECK(pool.reserve(17, port));
    CHECK(pool.ceded() == 0);
    pool.release(17, port, second);
    CHECK(pool.allocate(17, 1, 100 * second));
    CHECK(pool.reserve(17, {ip("203.0.113.1"), 5}));  // nobody's
}

TEST_CASE("flows are selected by their ids, and by their keys") {
    const nf::FlowKey flow{ip("10.0.0.1"), ip("198.19.9.9"), 1000, 7, 17};
    CHECK(nf::flow_id(flow, nf::Identity::source_port) == 1000);
    auto other = flow;
    other.source_port = 1001;
    CHECK(nf::flow_id(flow, nf::Identity::addresses) == nf::flow_id(other, nf::Identity::addresses));
    CHECK(nf::flow_id(flow, nf::Identity::five_tuple) != nf::flow_id(other, nf::Identity::five_tuple));
    const auto id = nf::flow_id(flow, nf::Identity::five_tuple);
    CHECK(nf::FlowSelector::ranges({{id, id}}, nf::Identity::five_tuple).matches(flow));
    CHECK_FALSE(nf::FlowSelector::ranges({{id, id}}, nf::Identity::five_tuple).matches(other));
    CHECK(nf::FlowSelector::listed({flow}).matches(flow));
    CHECK_FALSE(nf::FlowSelector::listed({flow}).matches(other));
}

TEST_CASE("state that is damaged, cut off or of another function is refused") {
    nf::StateWriter writer{7};
    writer.u64(0x0102030405060708);
    writer.u16(0xabcd);
    writer.end_record();
    const auto whole = writer.finish();
    auto blocks = nf::read_blocks(whole, 7);
    REQUIRE(blocks.size() == 1);
    CHECK(blocks[0].records == 1);
    CHECK(blocks[0].reader.u64() == 0x0102030405060708);
    CHECK_THROWS_AS(blocks[0].reader.expect_end(), nf::StateError);
    CHECK(blocks[0].reader.u16() == 0xabcd);
    CHECK_THROWS_AS(blocks[0].reader.u8(), nf::StateError);
    CHECK_THROWS_AS(nf::read_blocks(whole, 8), nf::StateError);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto damaged = whole;
        damaged[i] ^= 0x10;
        CHECK_THROWS_AS(nf::read_blocks(damaged, 7), nf::StateError);
        CHECK_THROWS_AS(nf::read_blocks(std::span{whole}.first(i == 0 ? 1 : i), 7), nf::StateError);
    }
    auto twice = whole;
    twice.insert(twice.end(), whole.begin(), whole.end());
    CHECK(nf::read_blocks(twice, 7).size() == 2);
    CHECK(nf::read_blocks({}, 7).empty());
}

TEST_CASE("parameters are all known, or the error says what is") {
    const auto error_of = [](const char* name, const char* parameters) -> std::string {
        try {
            Driver driver{name, parameters};
        } catch (const nf::ParameterError& error) {
            return error.what();
        }
        return "";
    };
    CHECK(error_of("nta", "{}").find("known: nat, basic-nat") != std::string::npos);
    CHECK(error_of("nat", "{}").find("'external'") != std::string::npos);
    CHECK(error_of("nat", R"({"external": "198.19.0.1", "externl": 1})").find("'externl'") != std::string::npos);
    CHECK(error_of("nat", R"({"external": "10.0.0.1"})").find("outside") != std::string::npos);
    CHECK(error_of("nat", R"({"external": "198.19.0.1", "port_first": 5, "port_last": 4})").find("port_last") != std::string::npos);
    CHECK(error_of("qos", R"({"classes": [{"name": "a", "rate_bps": 1, "dscp": [64]}]})").find("dscp") != std::string::npos);
    CHECK(error_of("qos", R"({"classes": [{"name": "a", "rate_bps": 1, "dscp": [1]}, {"name": "b", "rate_bps": 1, "dscp": [1]}]})").find("two classes") != std::string::npos);
    CHECK(error_of("load-balancer", R"({"servers": [{"address": "1.2.3.4"}, {"address": "1.2.3.4"}]})").find("servers[1]") != std::string::npos);
    CHECK(error_of("wan-optimiser", R"({"role": "both"})").find("near") != std::string::npos);
    CHECK(error_of("monitor", R"({"bin_ms": 0})").find("bin_ms") != std::string::npos);
}

TEST_CASE("a function without state of flows gives none and takes none") {
    Driver driver{"qos", "{}"};
    const auto state = driver.function->export_state(nf::FlowSelector::all(), second);
    CHECK(driver.function->import_state(state, second).flows == 0);
    nf::StateWriter writer{0};
    writer.u8(1);
    writer.end_record();
    const auto foreign = writer.finish();
    CHECK_THROWS_AS(driver.function->import_state(foreign, second), nf::StateError);
}
