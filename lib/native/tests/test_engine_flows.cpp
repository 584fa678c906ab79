// Frames and five-tuples of the flow mode, the ledger of what comes back, and what an order may ask for.

#include <doctest/doctest.h>

#include <set>

#include "generator/engine/flow_plan.hpp"
#include "generator/engine/frame.hpp"
#include "generator/engine/ledger.hpp"
#include "generator/engine/population.hpp"
#include "generator/engine/tuples.hpp"

using namespace nfvcert::engine;

namespace {

/// The Internet checksum over octets, as RFC 1071 says it: 0 when the checksum in it is right.
std::uint16_t check(const std::vector<std::uint8_t>& octets) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < octets.size(); ++i) {
        sum += static_cast<std::uint32_t>(octets[i]) << (i % 2 == 0 ? 8 : 0);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

json order() {
    return {{"tx_port", 0}, {"rx_port", 1}, {"frame", 64}, {"pps", 1e6}, {"concurrent", 1000}, {"new_per_second", 200},
            {"lifetime", {{"model", "exponential"}, {"mean_s", 5}}}};
}

std::string refusal_of(const json& asked) {
    try {
        read_flow_plan(asked, 2, 30e6);
    } catch (const Refusal& refusal) {
        return refusal.code + ": " + refusal.what();
    }
    return "accepted";
}

/// A ledger with one open flow, and the packets that come of it.
struct OneFlow {
    Ledger ledger{16};
    std::unique_ptr<Tally> tally = std::make_unique<Tally>();
    std::uint64_t now = 1'000'000'000;

    OneFlow() {
        ledger.begin(now);
        ledger.open(3);
    }
    void take(std::uint32_t sequence, unsigned instance = 1, unsigned detours = 0, std::uint64_t latency = 700,
              std::uint64_t wait = 1'048'576) {
        now += wait;
        Usual usual;
        ledger.take(*tally, usual, 3, sequence, static_cast<std::uint16_t>(detours | (instance << 8)), 60, latency, ledger.tick(now));
        usual.flush(*tally);
    }
};

}  // namespace

TEST_CASE("every packet has right checksums and its trailer at the end, at every size") {
    const AddressSpace space;
    const Tuples tuples{space, 4};
    for (std::size_t frame = shortest_frame; frame <= longest_frame; frame += frame < 80 ? 1 : 97) {
        const FrameShape shape{frame, space, true};
        for (std::uint32_t flow = 0; flow < 40; ++flow) {
            auto packet = shape.octets;
            const auto tuple = tuples.of(flow);
            const std::uint32_t sequence = 0xfffffff0 + flow;
            const std::uint64_t now = 0x123456789abcdef0 + flow * 7919;
            write_packet(packet.data(), shape, send_record(flow, tuple), sequence, Stamp{now});
            REQUIRE(packet.size() == frame - 4);
            CHECK(check({packet.begin() + 14, packet.begin() + 34}) == 0);
            std::vector<std::uint8_t> segment(packet.begin() + 26, packet.begin() + 34);  // pseudo header
            segment.insert(segment.end(), {0, 17, packet[38], packet[39]});
            segment.insert(segment.end(), packet.begin() + 34, packet.end());
            CHECK(check(segment) == 0);
            CHECK(swap32(load<std::uint32_t>(&packet[26])) == tuple.source);
            CHECK(swap16(load<std::uint16_t>(&packet[36])) == tuple.destination_port);
            const auto* trailer = packet.data() + packet.size() - trailer_octets;
            CHECK(swap16(load<std::uint16_t>(trailer)) == trailer_magic);
            CHECK(swap32(load<std::uint32_t>(trailer + 2)) == flow);
            CHECK(swap32(load<std::uint32_t>(trailer + 6)) == sequence);
            CHECK(swap64(load<std::uint64_t>(trailer + 10)) == now);
        }
    }
    FrameShape plain{64, space, false};
    write_packet(plain.octets.data(), plain, send_record(1, tuples.of(1)), 5, Stamp{9});
    CHECK(load<std::uint16_t>(&plain.octets[40]) == 0);
}

TEST_CASE("five-tuples differ until the space is used up, and stay in it") {
    AddressSpace space;
    space.sources = 7;
    space.destinations = 3;
    space.source_port = 65000;
    space.source_ports = 11;
    space.destination_ports = 2;
    const Tuples tuples{space, 99};
    std::set<std::array<std::uint32_t, 4>> seen;
    for (std::uint64_t n = 0; n < space.size(); ++n) {
        const auto tuple = tuples.of(n);
        CHECK(tuple.source - space.source < 7);
        CHECK(tuple.destination - space.destination < 3);
        CHECK(tuple.source_port - 65000U < 11);
        CHECK(tuple.destination_port - space.destination_port < 2);
        seen.insert({tuple.source, tuple.destination, tuple.source_port, tuple.destination_port});
    }
    CHECK(seen.size() == space.size());
    CHECK(tuples.of(space.size()).source_port == tuples.of(0).source_port);
}

TEST_CASE("packets in order cost nothing but their latency") {
    OneFlow flow;
    for (std::uint32_t i = 0; i < 100; ++i) {
        flow.take(i, 1, 0, 500 + i);
    }
    const auto& hot = flow.ledger.hot(3);
    CHECK(flow.ledger.unique(3) == 100);
    CHECK(hot.latency_least == 500);
    CHECK(hot.latency_greatest == 599);
    CHECK(hot.latency_sum == 100 * 500 + 99 * 50);
    CHECK(hot.longest_gap == 1024);
    CHECK(flow.tally->direct.count() == 100);
    CHECK(flow.tally->instances[1].packets == 100);
    CHECK(flow.tally->instances[1].bytes == 6000);
    CHECK(flow.ledger.missing() == 0);
    CHECK(flow.ledger.last_owner_ns(3) == doctest::Approx(static_cast<double>(flow.now)).epsilon(1e-6));
}

TEST_CASE("gaps, late packets and duplicates are told apart") {
    OneFlow flow;
    for (const auto sequence : {0U, 1U, 5U, 6U, 3U, 2U, 4U, 4U, 6U, 7U}) {
        flow.take(sequence);
    }
    const auto& cold = flow.ledger.cold(3);
    CHECK(cold.reordered == 3);
    CHECK(cold.duplicates == 2);
    CHECK(cold.missing == 0);
    CHECK(flow.ledger.missing() == 0);
    CHECK(flow.ledger.unique(3) == 8);
    flow.take(10);
    CHECK(flow.ledger.missing() == 2);
    CHECK(flow.ledger.unique(3) == 9);
    CHECK(flow.tally->reordered == 3);
}

TEST_CASE("with more gaps than are kept, a packet of an old one is told to be ambiguous") {
    OneFlow flow;
    for (std::uint32_t i = 0; i < 20; i += 2) {
        flow.take(i);
    }
    CHECK(flow.ledger.cold(3).missing == 9);
    flow.take(1);
    CHECK(flow.ledger.cold(3).ambiguous == 1);
    flow.take(17);
    CHECK(flow.ledger.cold(3).reordered == 1);
    flow.take(18);
    CHECK(flow.ledger.cold(3).ambiguous == 2);  // not missing, but that is not known any more
    CHECK(flow.ledger.unique(3) == 11);
}

TEST_CASE("another instance is a violation each time, and each change is counted") {
    OneFlow flow;
    flow.take(0, 1);
    flow.take(1, 1);
    const auto owner_until = flow.ledger.last_owner_ns(3);
    flow.take(2, 2);
    flow.take(3, 2);
    const auto& cold = flow.ledger.cold(3);
    CHECK(cold.first_instance == 1);
    CHECK(cold.other_packets == 2);
    CHECK(cold.changes == 1);
    CHECK(flow.ledger.last_owner_ns(3) == owner_until);
    CHECK(cold.first_other_ns > owner_until);
    flow.take(4, 1);
    flow.take(5, 1);
    CHECK(cold.changes == 2);
    CHECK(cold.other_packets == 2);
    CHECK(flow.ledger.last_owner_ns(3) > cold.first_other_ns);
    CHECK(flow.tally->instances[2].violations == 2);
    CHECK(flow.tally->instances[1].violations == 0);
    CHECK(flow.ledger.unique(3) == 6);
}

TEST_CASE("detours are counted apart, with their own latency") {
    OneFlow flow;
    flow.take(0, 2, 1, 9'000);
    flow.take(1, 2, 1, 9'000);
    flow.take(2, 2, 0, 1'000);
    flow.take(3, 2, 0, 1'000);
    const auto& cold = flow.ledger.cold(3);
    CHECK(cold.detoured == 2);
    CHECK(cold.other_packets == 0);
    CHECK(flow.tally->detoured == 2);
    CHECK(flow.tally->instances[2].detoured == 2);
    CHECK(flow.tally->direct.count() == 2);
    CHECK(flow.tally->detoured_latency.percentile(0.5) >= 9'000);
    CHECK(flow.tally->direct.percentile(1.0) < 1'100);
}

TEST_CASE("latencies above four seconds are not lost") {
    OneFlow flow;
    flow.take(0);
    flow.take(1, 1, 0, 20'000'000'000);
    CHECK(flow.ledger.cold(3).odd_latencies == 1);
    CHECK(flow.ledger.hot(3).latency_sum == 20'000'000'700);
    CHECK(flow.tally->direct.greatest() >= 20'000'000'000);
}

TEST_CASE("stretches of time add up") {
    OneFlow flow;
    flow.take(0);
    Tally total;
    total.add(*flow.tally);
    total.add(*flow.tally);
    CHECK(total.instances[1].packets == 2);
    CHECK(total.direct.count() == 2);
    flow.tally->clear();
    CHECK(flow.tally->direct.count() == 0);
}

TEST_CASE("a population begins as if it had always been there and stays so") {
    auto asked = order();
    asked["concurrent"] = 2000;
    asked["new_per_second"] = 400;
    Population population{read_flow_plan(asked, 2, 30e6)};
    CHECK(population.living() == 2000);
    double sum = 0;
    int samples = 0;
    for (std::uint64_t now = 0; now < 20'000'000'000; now += 250'000) {
        population.advance(now);
        if (now % 100'000'000 == 0) {
            sum += static_cast<double>(population.living());
            ++samples;
        }
    }
    CHECK(sum / samples == doctest::Approx(2000).epsilon(0.05));
    CHECK(population.born() == doctest::Approx(2000 + 20 * 400).epsilon(0.04));
    CHECK(population.born() - population.ended() == population.living());
    CHECK(population.sending().size() == population.living());
}

TEST_CASE("bursts of new flows, endless flows and pauses") {
    auto asked = order();
    asked["bursts_of_new"] = {{{"after_s", 1}, {"duration_s", 0.5}, {"per_second", 10'000}}};
    asked["endless"] = 20;
    asked["pauses"] = {{"flows", 100}, {"silences_ms", {20, 50}}, {"mean_active_ms", 50}};
    Population population{read_flow_plan(asked, 2, 30e6)};
    std::uint64_t born_before = 0;
    std::uint64_t least_sending = 1 << 30;
    for (std::uint64_t now = 0; now < 60'000'000'000; now += 500'000) {
        population.advance(now);
        if (now == 1'000'000'000) {
            born_before = population.born();
        }
        if (now == 1'600'000'000) {
            CHECK(population.born() - born_before == doctest::Approx(5000 + 120).epsilon(0.1));
        }
        if (now < 900'000'000) {
            least_sending = std::min<std::uint64_t>(least_sending, population.sending().size());
        }
    }
    CHECK(least_sending < 990);
    CHECK(least_sending > 850);
    for (std::uint32_t flow = 980; flow < 1000; ++flow) {
        CHECK(population.record(flow).ended_ns == 0);
    }
    CHECK(population.record(0).silence_ms == 20);
    CHECK(population.record(1).silence_ms == 50);
    CHECK(population.record(500).silence_ms == 0);
}

TEST_CASE("no more flows than there is room for, and those that are refused are counted") {
    auto asked = order();
    asked["most_flows"] = 1100;
    Population population{read_flow_plan(asked, 2, 30e6)};
    for (std::uint64_t now = 0; now < 5'000'000'000; now += 500'000) {
        population.advance(now);
    }
    CHECK(population.born() == 1100);
    CHECK(population.refused() > 700);
}

TEST_CASE("orders that cannot be carried out are refused with the field's name") {
    const auto with = [](const char* key, json value) {
        auto asked = order();
        asked[key] = std::move(value);
        return refusal_of(asked);
    };
    CHECK(refusal_of(order()) == "accepted");
    CHECK(with("pps", "max") == "accepted");
    CHECK(with("pps", 31e6).find("rate-above-capability") == 0);
    CHECK(with("most_outstanding", 2048).find("goes with pps \"max\" alone") != std::string::npos);
    CHECK(with("most_outstanding", 10).find("'most_outstanding' has to be a whole number from 64") != std::string::npos);
    CHECK(with("pps", 0).find("'pps' has to be a number") != std::string::npos);
    CHECK(with("frame", 63).find("'frame' has to be a whole number from 64 to 1518, found 63") != std::string::npos);
    CHECK(with("rx_port", 2).find("'rx_port'") != std::string::npos);
    CHECK(with("frames", 64).find("'frames' is not known") != std::string::npos);
    CHECK(with("concurrent", 0).find("'concurrent'") != std::string::npos);
    CHECK(with("concurrent", 5000).find("does not keep") != std::string::npos);
    CHECK(with("lifetime", {{"model", "weibull"}}).find("known are exponential, agh-2015, fixed") != std::string::npos);
    CHECK(with("lifetime", {{"model", "agh-2015"}, {"cap_s", 4}}).find("cannot have a mean") != std::string::npos);
    CHECK(with("lifetime", {{"model", "fixed"}, {"cap_s", 4}}).find("agh-2015 alone") != std::string::npos);
    CHECK(with("new_per_second", 0).find("would die out") != std::string::npos);
    CHECK(with("addresses", {{"sources", 1}, {"destinations", 1}, {"source_ports", 10}}).find("five-tuples") != std::string::npos);
    CHECK(with("addresses", {{"source", "300.1.1.1"}}).find("no IPv4 address") != std::string::npos);
    CHECK(with("addresses", {{"source_port", 65000}, {"source_ports", 1000}}).find("'source_ports'") != std::string::npos);
    CHECK(with("addresses", {{"source_mac", "02:00"}}).find("no MAC address") != std::string::npos);
    CHECK(with("sizes", json::array()).find("'sizes'") != std::string::npos);
    CHECK(with("endless", 1001).find("'endless'") != std::string::npos);
    CHECK(with("pauses", {{"flows", 10}, {"silences_ms", {0}}, {"mean_active_ms", 5}}).find("'silences_ms'") != std::string::npos);
    CHECK(with("tx_port", json()).find("'tx_port' is missing") != std::string::npos);
}
