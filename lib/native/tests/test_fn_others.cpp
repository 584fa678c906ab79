#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "fn_frames.hpp"
#include "functions/monitor/traffic_monitor.hpp"
#include "functions/qos/qos_shaper.hpp"
#include "functions/qos/token_bucket.hpp"

using namespace nf_test;
namespace flag = packet::tcp_flag;

namespace {

const auto client = ip("10.0.0.1");
const auto service = ip("198.19.200.1");
const auto server = ip("198.19.1.1");

Fields to_service() { return {.source = client, .destination = service}; }

nf::TrafficMonitor& monitor_of(Driver& driver) { return dynamic_cast<nf::TrafficMonitor&>(*driver.function); }

}  // namespace

TEST_CASE("monitor: packets pass unchanged and are counted per flow, network and bin") {
    Driver monitor{"monitor", R"({"prefix_bits": 24, "bin_ms": 100})"};
    for (int i = 0; i < 10; ++i) {
        const auto frame = udp({.source = client + (i % 2 == 0 ? 0U : 256U), .destination = service}, 1000, 7);
        REQUIRE(monitor.send(frame) == DropReason::none);
        CHECK(monitor.last == frame);
        monitor.now += 30 * ms;
    }
    monitor.advance();
    const auto flows = monitor.function->list_flows(monitor.now);
    REQUIRE(flows.size() == 2);
    CHECK(flows[0].packets == 5);
    CHECK(flows[0].bytes == 5 * 45);
    CHECK(flows[0].first_ns == second);
    CHECK(flows[0].last_ns == second + 240 * ms);
    std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> networks;
    for (const auto& record : monitor_of(monitor).prefixes().records()) {
        networks[record.network] = {record.from.packets, record.to.packets};
    }
    CHECK(networks[ip("10.0.0.0")] == std::pair<std::uint64_t, std::uint64_t>{5, 0});
    CHECK(networks[ip("10.0.1.0")] == std::pair<std::uint64_t, std::uint64_t>{5, 0});
    CHECK(networks[ip("198.19.200.0")] == std::pair<std::uint64_t, std::uint64_t>{0, 10});
    const auto bins = monitor_of(monitor).bins();
    REQUIRE(bins.size() == 3);
    CHECK(bins[0].all.packets == 4);
    CHECK(bins[0].new_flows == 2);
    CHECK(bins[1].all.packets + bins[2].all.packets == 6);
    CHECK(bins[1].begin_ns == second + 100 * ms);
}

TEST_CASE("monitor: every packet is counted once, whatever it is") {
    Driver monitor{"monitor", R"({"max_flows": 4, "idle_timeout_ms": 100, "max_prefixes": 2})"};
    int sent = 0;
    for (std::uint16_t i = 0; i < 8; ++i) {  // four find no room
        REQUIRE(monitor.send(udp(to_service(), i, 7)) == DropReason::none);
        ++sent;
    }
    REQUIRE(monitor.send(Octets(20, 1)) == DropReason::none);
    REQUIRE(monitor.send(icmp(to_service(), 8, 1)) == DropReason::none);
    sent += 2;
    monitor.now += 120 * ms;
    monitor.advance();
    REQUIRE(monitor.send(udp(to_service(), 1, 7)) == DropReason::none);
    ++sent;
    const auto told = monitor.function->statistics();
    std::uint64_t living = 0;
    for (const auto& flow : monitor.function->list_flows(monitor.now)) {
        living += flow.packets;
    }
    CHECK(living == 1);
    CHECK(told["ended"]["packets"] == 4);
    CHECK(told["untracked"]["packets"] == 5);
    CHECK(told["opaque"]["packets"] == 1);
    CHECK(living + told["ended"]["packets"].get<std::uint64_t>() + told["untracked"]["packets"].get<std::uint64_t>() +
              told["opaque"]["packets"].get<std::uint64_t>() == static_cast<std::uint64_t>(sent));
}

TEST_CASE("monitor: the sketch never falls short, and the heaviest flows are found") {
    Driver monitor{"monitor", R"({"max_flows": 1, "sketch_width": 1024, "heavy_hitters": 4})"};
    std::map<std::uint16_t, std::uint32_t> truth;
    std::uint64_t dice = 1;
    for (int i = 0; i < 30'000; ++i) {
        dice = packet::mix64(dice + 1);
        const auto port = static_cast<std::uint16_t>(dice % 10 < 4 ? 1 + dice / 16 % 2 : 100 + dice / 16 % 500);
        REQUIRE(monitor.send(udp(to_service(), port, 7)) == DropReason::none);
        ++truth[port];
    }
    int far_off = 0;
    for (const auto& [port, packets] : truth) {
        const auto estimate = monitor_of(monitor).estimate({client, service, port, 7, 17});
        CHECK(estimate >= packets);
        far_off += estimate > packets + 2 * 30'000 / 1024 ? 1 : 0;
    }
    CHECK(far_off < 40);  // of some 500: bound of the sketch with four rows
    const auto heavy = monitor_of(monitor).heavy_hitters();
    REQUIRE(heavy.size() == 4);
    CHECK(std::set<std::uint16_t>{heavy[0].flow.source_port, heavy[1].flow.source_port} == std::set<std::uint16_t>{1, 2});
}

TEST_CASE("monitor: counters go on exactly at another instance") {
    Driver a{"monitor", "{}"};
    Driver b{"monitor", "{}"};
    for (int i = 0; i < 7; ++i) {
        REQUIRE(a.send(udp(to_service(), 1, 7)) == DropReason::none);
    }
    REQUIRE(a.send(udp(to_service(), 2, 7)) == DropReason::none);
    const auto selection = nf::FlowSelector::listed({{client, service, 1, 7, 17}});
    const auto state = a.function->export_state(selection, a.now);
    CHECK(a.send(udp(to_service(), 1, 7)) == DropReason::state_exported);
    b.now = 500 * second;
    CHECK(b.function->import_state(state, b.now).flows == 1);
    CHECK(a.function->release_state(selection) == 1);
    REQUIRE(b.send(udp(to_service(), 1, 7)) == DropReason::none);
    const auto flows = b.function->list_flows(b.now);
    REQUIRE(flows.size() == 1);
    CHECK(flows[0].packets == 8);
    CHECK(a.function->statistics()["given_away"]["packets"] == 7);
    CHECK(b.function->statistics()["taken_over"]["packets"] == 7);
    CHECK(b.function->import_state(state, b.now).flows == 1);  // once more: nothing is counted twice
    CHECK(b.function->list_flows(b.now)[0].packets == 8);
    REQUIRE(b.send(udp(to_service(), 2, 7)) == DropReason::none);
    const auto rest = a.function->export_state(nf::FlowSelector::all(), a.now);
    CHECK(b.function->import_state(rest, b.now).conflicts == 1);  // counted here already as a flow of its own
}

TEST_CASE("shaper: a bucket of whole numbers is exact over any time") {
    nf::TokenBucket bucket{3'000'001, 2'048};
    std::uint64_t passed = 0;
    std::uint64_t now = second;
    std::uint64_t dice = 5;
    bucket.refill(now);
    for (int i = 0; i < 100'000; ++i) {
        dice = packet::mix64(dice + 1);
        now += dice % 400'000;
        bucket.refill(now);
        const auto bytes = 60 + dice / 1024 % 1455;
        if (bucket.covers(bytes)) {
            bucket.take(bytes);
            passed += bytes;
        }
    }
    const auto allowed = 2'048 * 8.0 + 3'000'001.0 * static_cast<double>(now - second) / 1e9;
    CHECK(static_cast<double>(passed * 8) <= allowed);
    CHECK(static_cast<double>(passed * 8) > 0.95 * allowed);
}

TEST_CASE("shaper: order within a class is kept, classes are told by DSCP, the rest waits and comes by advance()") {
    Driver shaper{"qos", R"({"classes": [{"name": "voice", "dscp": [46], "rate_bps": 1000000, "burst_bytes": 2048, "queue_packets": 4},
                                         {"name": "rest", "rate_bps": 8000000, "burst_bytes": 2048, "queue_packets": 100}]})"};
    auto voice = to_service();
    voice.tos = 46 << 2;
    int passed = 0;
    int waiting = 0;
    int dropped = 0;
    for (int i = 0; i < 10; ++i) {
        const auto reason = shaper.send(udp(voice, static_cast<std::uint16_t>(i + 1), 7, Octets(472, 1)));  // 514 octets
        (reason == DropReason::queue_full ? dropped : shaper.out.forwarded.empty() ? waiting : passed)++;
    }
    CHECK(passed == 3);
    CHECK(waiting == 4);
    CHECK(dropped == 3);
    CHECK(shaper.send(udp(to_service(), 99, 7)) == DropReason::none);
    CHECK(shaper.out.forwarded.size() == 1);  // another class is not held up
    std::vector<std::uint16_t> order;
    for (int i = 0; i < 40; ++i) {
        shaper.now += ms;
        shaper.advance();
        for (const auto& packet : shaper.out.forwarded) {
            shaper.keep(packet);
            order.push_back(view(shaper.last).source_port);
        }
    }
    CHECK(order == std::vector<std::uint16_t>{4, 5, 6, 7});
    CHECK(shaper.function->statistics()["classes"]["voice"]["passed"] == 7);
}

TEST_CASE("shaper: a limited link serves the first class first") {
    Driver shaper{"qos", R"({"link_rate_bps": 8000000, "link_burst_bytes": 2048, "classes": [
        {"name": "first", "dscp": [46], "rate_bps": 1000000000, "burst_bytes": 100000},
        {"name": "rest", "rate_bps": 1000000000, "burst_bytes": 100000}]})"};
    auto first = to_service();
    first.tos = 46 << 2;
    for (int i = 0; i < 20; ++i) {
        (void)shaper.send(udp(to_service(), 1, 7, Octets(458, 1)));  // 500 octets
    }
    for (int i = 0; i < 4; ++i) {
        (void)shaper.send(udp(first, 2, 7, Octets(458, 1)));
    }
    std::vector<std::uint16_t> order;
    for (int i = 0; i < 6; ++i) {
        shaper.now += 500'000;
        shaper.advance();
        for (const auto& packet : shaper.out.forwarded) {
            shaper.keep(packet);
            order.push_back(view(shaper.last).source_port);
        }
    }
    REQUIRE(order.size() == 6);
    CHECK(order == std::vector<std::uint16_t>{2, 2, 2, 2, 1, 1});
}

TEST_CASE("shaper: early drop begins at red_min, rises, and the same dice give the same drops") {
    const char* const parameters = R"({"classes": [{"name": "all", "rate_bps": 8000, "burst_bytes": 2048, "queue_packets": 200,
                                                    "red_min": 20, "red_max": 100, "red_probability": 0.5}]})";
    std::vector<std::size_t> dropped_at[2];
    for (auto& places : dropped_at) {
        Driver shaper{"qos", parameters};
        for (std::size_t i = 0; i < 400; ++i) {
            if (shaper.send(udp(to_service(), 1, 7, Octets(100, 1))) == DropReason::early_drop) {
                places.push_back(i);
            }
        }
        CHECK(dynamic_cast<nf::QosShaper&>(*shaper.function).queued() <= 130);
        nf::Emission rest;
        shaper.function->flush(rest);
        CHECK(rest.forwarded.size() + places.size() + 14 == 400);  // 2,048 octets of burst pass at once
    }
    CHECK(dropped_at[0] == dropped_at[1]);
    REQUIRE_FALSE(dropped_at[0].empty());
    CHECK(dropped_at[0].front() > 34);
}

TEST_CASE("balancer: a flow keeps its server, both directions look right") {
    Driver balancer{"load-balancer", R"({"servers": [{"address": "198.19.1.1"}, {"address": "198.19.1.2"}], "virtual": "198.19.200.0/24"})"};
    for (std::uint16_t port = 1; port <= 50; ++port) {
        REQUIRE(balancer.send(udp(to_service(), port, 53)) == DropReason::none);
        CHECK(sums_right(balancer.last));
        const auto chosen = view(balancer.last).destination;
        CHECK((chosen == server || chosen == server + 1));
        for (int i = 0; i < 3; ++i) {
            REQUIRE(balancer.send(udp(to_service(), port, 53)) == DropReason::none);
            CHECK(view(balancer.last).destination == chosen);
        }
        REQUIRE(balancer.send(udp({.source = chosen, .destination = client}, 53, port)) == DropReason::none);
        CHECK(sums_right(balancer.last));
        CHECK(view(balancer.last).source == service);
    }
    CHECK(balancer.send(udp({.source = server, .destination = client}, 54, 1)) == DropReason::no_pinhole);
    CHECK(balancer.send(udp({.source = client, .destination = ip("203.0.113.1")}, 1, 53)) == DropReason::foreign);
    REQUIRE(balancer.send(icmp(to_service(), 8, 77)) == DropReason::none);
    const auto pinged = view(balancer.last).destination;
    REQUIRE(balancer.send(icmp({.source = pinged, .destination = client}, 0, 77)) == DropReason::none);
    CHECK(sums_right(balancer.last));
    CHECK(view(balancer.last).source == service);
}

TEST_CASE("balancer: load decides between two, draining servers get nothing new, lists change at once") {
    Driver balancer{"load-balancer", R"({"servers": [{"address": "198.19.1.1"}, {"address": "198.19.1.2"}, {"address": "198.19.1.3", "draining": true}]})"};
    std::map<std::uint32_t, int> flows;
    const auto open = [&](std::uint16_t from, int count) {
        flows.clear();
        for (int i = 0; i < count; ++i) {
            REQUIRE(balancer.send(udp(to_service(), static_cast<std::uint16_t>(from + i), 53)) == DropReason::none);
            ++flows[view(balancer.last).destination];
        }
    };
    open(1, 100);
    CHECK(flows.size() == 2);
    CHECK(flows[server] == 50);  // equal packets: in turn
    // server .1 gets much more traffic from the flows that it has
    for (int i = 0; i < 500; ++i) {
        REQUIRE(balancer.send(udp(to_service(), 1, 53, Octets(1000, 1))) == DropReason::none);
    }
    const auto loaded = view(balancer.last).destination;
    open(1000, 40);
    CHECK(flows[loaded] == 0);
    balancer.now += 20 * second;  // load ages
    open(2000, 40);
    CHECK(flows[loaded] == 20);

    balancer.function->configure({{"servers", {{{"address", "198.19.1.3"}}, {{"address", "198.19.1.1"}, {"draining", true}}}}});
    REQUIRE(balancer.send(udp(to_service(), 1, 53)) == DropReason::none);  // draining or gone?
    const auto now_at = view(balancer.last).destination;
    CHECK(now_at == (loaded == server ? server : server + 2));
    open(3000, 10);
    CHECK(flows[server + 2] == 10);
    CHECK_THROWS_AS(balancer.function->configure({{"servers", {{{"address", "nowhere"}}}}}), nf::ParameterError);
    open(4000, 1);
    CHECK(flows[server + 2] == 1);  // a refused list changes nothing
    balancer.function->configure({{"servers", nlohmann::json::array()}});
    CHECK(balancer.send(udp(to_service(), 5000, 53)) == DropReason::no_server);
}

TEST_CASE("balancer: weights share the load") {
    Driver balancer{"load-balancer", R"({"servers": [{"address": "198.19.1.1", "weight": 3}, {"address": "198.19.1.2", "weight": 1}]})"};
    int first = 0;
    for (std::uint16_t port = 1; port <= 400; ++port) {
        REQUIRE(balancer.send(udp(to_service(), port, 53)) == DropReason::none);
        first += view(balancer.last).destination == server ? 1 : 0;
    }
    CHECK(first >= 295);
    CHECK(first <= 305);
}

TEST_CASE("balancer: errors and fragments of a flow go where the flow goes") {
    Driver balancer{"load-balancer", R"({"servers": [{"address": "198.19.1.1"}], "virtual": "198.19.200.1/32"})"};
    REQUIRE(balancer.send(udp(to_service(), 1000, 53)) == DropReason::none);
    REQUIRE(balancer.send(icmp_error({.source = server, .destination = client}, 3, balancer.last)) == DropReason::none);
    CHECK(sums_right(balancer.last));
    CHECK(view(balancer.last).source == service);
    CHECK(packet::load32(balancer.last, 14 + 28 + 16) == service);
    REQUIRE(balancer.send(udp({.source = server, .destination = client}, 53, 1000)) == DropReason::none);
    REQUIRE(balancer.send(icmp_error({.source = client, .destination = service}, 3, balancer.last)) == DropReason::none);
    CHECK(sums_right(balancer.last));
    CHECK(view(balancer.last).destination == server);
    CHECK(packet::load32(balancer.last, 14 + 28 + 12) == server);
    auto later = to_service();
    later.fragment = 5;
    CHECK(balancer.send(ipv4_frame(later, Octets(16, 1))) == DropReason::fragment_without_first);
    auto first = to_service();
    first.fragment = 0x2000;
    auto whole = udp(to_service(), 1000, 53, Octets(32, 1));
    REQUIRE(balancer.send(ipv4_frame(first, Octets(whole.begin() + 34, whole.end()))) == DropReason::none);
    REQUIRE(balancer.send(ipv4_frame(later, Octets(16, 1))) == DropReason::none);
    CHECK(view(balancer.last).destination == server);
}

TEST_CASE("balancer: a moved flow keeps its server; a server unknown there is a conflict") {
    Driver a{"load-balancer", R"({"servers": [{"address": "198.19.1.1"}, {"address": "198.19.1.2"}]})"};
    Driver b{"load-balancer", R"({"servers": [{"address": "198.19.1.2", "draining": true}, {"address": "198.19.1.1"}]})"};
    Driver c{"load-balancer", R"({"servers": [{"address": "198.19.1.9"}]})"};
    std::map<std::uint16_t, std::uint32_t> chosen;
    for (std::uint16_t port = 1; port <= 20; ++port) {
        REQUIRE(a.send(tcp(to_service(), port, 80, flag::syn)) == DropReason::none);
        chosen[port] = view(a.last).destination;
    }
    const auto state = a.function->export_state(nf::FlowSelector::all(), a.now);
    CHECK(c.function->import_state(state, c.now).conflicts == 20);
    CHECK(b.function->import_state(state, b.now).flows == 20);
    CHECK(a.function->release_state(nf::FlowSelector::all()) == 20);
    for (std::uint16_t port = 1; port <= 20; ++port) {
        REQUIRE(b.send(tcp(to_service(), port, 80, flag::ack)) == DropReason::none);
        CHECK(view(b.last).destination == chosen[port]);
    }
    CHECK(b.function->list_flows(b.now)[0].packets == 2);
}
