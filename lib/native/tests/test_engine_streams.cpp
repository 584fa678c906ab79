// Streams: schedule, field engine, packet groups, and what an order may ask for.

#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "generator/engine/field_program.hpp"
#include "generator/engine/groups.hpp"
#include "generator/engine/stream_plan.hpp"
#include "generator/engine/stream_schedule.hpp"
#include "generator/engine/wire.hpp"
#include "packet/base64.hpp"

using namespace nfvcert::engine;

namespace {

std::vector<std::uint8_t> udp_packet(std::size_t octets = 60) {
    std::vector<std::uint8_t> packet(octets);
    packet[12] = 0x08;
    packet[14] = 0x45;
    store(&packet[16], swap16(static_cast<std::uint16_t>(octets - 14)));
    packet[22] = 64;
    packet[23] = 17;
    store(&packet[26], swap32(0x10000001));
    store(&packet[30], swap32(0x30000001));
    store(&packet[34], swap16(1025));
    store(&packet[36], swap16(12));
    store(&packet[38], swap16(static_cast<std::uint16_t>(octets - 34)));
    store(&packet[24], swap16(static_cast<std::uint16_t>(~sum_of(&packet[14], 20))));
    return packet;
}

json stream(std::int64_t id, const json& mode, double pps = 1000) {
    return {{"id", id}, {"mode", mode}, {"pps", pps}, {"packet", nfvcert::packet::base64_of(udp_packet())}};
}

StreamPlan plan_of(const json& one) { return std::move(read_streams(json::array({one})).front()); }

std::string refusal_of(const json& streams) {
    try {
        read_streams(streams);
    } catch (const Refusal& refusal) {
        return refusal.what();
    }
    return "accepted";
}

struct Sent {
    double at;
    unsigned packets;
};

/// Asks a schedule every 100 ns and sends what is due.
std::vector<Sent> play(StreamSchedule& schedule, double from, double until) {
    std::vector<Sent> sent;
    for (auto now = from; now <= until && schedule.running(); now += 100) {
        if (const auto due = schedule.due(now); due > 0) {
            sent.push_back({now, due});
            schedule.sent(due);
        }
    }
    return sent;
}

std::uint64_t total(const std::vector<Sent>& sent) {
    std::uint64_t sum = 0;
    for (const auto& one : sent) {
        sum += one.packets;
    }
    return sum;
}

/// Values that a program writes as a field of two octets at offset 34, packet by packet.
std::vector<unsigned> values_of(const json& instructions, std::size_t count, std::size_t offset = 34) {
    auto packet = udp_packet();
    FieldProgram program{instructions, packet, 1, "stream 1"};
    std::vector<unsigned> values;
    for (std::size_t i = 0; i < count; ++i) {
        program.run(packet.data());
        values.push_back(swap16(load<std::uint16_t>(&packet[offset])));
    }
    return values;
}

json counter(const char* op, unsigned init, unsigned least, unsigned most, unsigned step = 1) {
    return {{"type", "flow_var"}, {"name", "v"}, {"size", 2}, {"op", op}, {"init_value", init}, {"min_value", least},
            {"max_value", most}, {"step", step}};
}

json write(const char* name = "v", unsigned offset = 34) {
    return {{"type", "write_flow_var"}, {"name", name}, {"pkt_offset", offset}, {"add_value", 0}, {"is_big_endian", true}};
}

std::string program_refusal(const json& instructions) {
    try {
        FieldProgram{instructions, udp_packet(), 1, "stream 1"};
    } catch (const Refusal& refusal) {
        return refusal.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("a continuous stream keeps its rate, at every rate and multiplier") {
    for (const double pps : {10.0, 12'345.0, 3e6}) {
        StreamSchedule schedule{plan_of(stream(1, {{"type", "continuous"}}, pps))};
        schedule.start(0);
        schedule.set_multiplier(2, 0);
        const auto sent = play(schedule, 0, 100e6);
        CHECK(static_cast<double>(total(sent) + schedule.owed(100e6)) == doctest::Approx(2 * pps * 0.1).epsilon(0.001).scale(1000));
    }
}

TEST_CASE("bursts are exact: their packets, their gaps, the gap before the first") {
    auto asked = stream(1, {{"type", "multi_burst"}, {"pkts_per_burst", 5}, {"ibg_us", 1000}, {"count", 3}}, 100'000);
    asked["isg_us"] = 50;
    StreamSchedule schedule{plan_of(asked)};
    schedule.start(0);
    schedule.set_multiplier(1, 0);
    const auto sent = play(schedule, 0, 10e6);
    REQUIRE(sent.size() == 15);
    CHECK(sent[0].at == doctest::Approx(50e3).epsilon(0.01));
    CHECK(sent[4].at - sent[0].at == doctest::Approx(40e3).epsilon(0.01));
    CHECK(sent[5].at - sent[4].at == doctest::Approx(1e6).epsilon(0.01));  // from the last packet to the first
    CHECK(!schedule.running());
    CHECK(schedule.ended_at() == doctest::Approx(50e3 + 3 * 40e3 + 2 * 1e6));
    CHECK(schedule.due(20e6) == 0);
}

TEST_CASE("gaps do not scale with the multiplier, packets do") {
    StreamSchedule schedule{plan_of(stream(1, {{"type", "multi_burst"}, {"pkts_per_burst", 2}, {"ibg_us", 100}, {"count", 2}}, 1000))};
    schedule.start(0);
    schedule.set_multiplier(10, 0);
    const auto sent = play(schedule, 0, 10e6);
    REQUIRE(sent.size() == 4);
    CHECK(sent[1].at - sent[0].at == doctest::Approx(100e3).epsilon(0.01));
    CHECK(sent[2].at - sent[1].at == doctest::Approx(100e3).epsilon(0.01));
}

TEST_CASE("a single burst ends after its packets however fast it is") {
    StreamSchedule schedule{plan_of(stream(1, {{"type", "single_burst"}, {"total_pkts", 1001}}, 10e6))};
    schedule.start(0);
    schedule.set_multiplier(1, 0);
    CHECK(total(play(schedule, 0, 1e6)) == 1001);
    CHECK(!schedule.running());
}

TEST_CASE("a pause moves what is left, and a lag of more than a second is given up") {
    StreamSchedule schedule{plan_of(stream(1, {{"type", "continuous"}}, 1000))};
    schedule.start(0);
    schedule.set_multiplier(1, 0);
    CHECK(total(play(schedule, 0, 9.95e6)) == 10);
    schedule.pause(9.95e6);
    schedule.resume(109.95e6);
    CHECK(schedule.due(109.96e6) == 0);
    CHECK(schedule.due(110.0e6) == 1);
    CHECK(schedule.due(5000e6) > 0);
    CHECK(schedule.given_up() == doctest::Approx(3890).epsilon(0.01));
}

TEST_CASE("a chain goes on as often as the action count says") {
    auto asked = stream(1, {{"type", "single_burst"}, {"total_pkts", 1}});
    asked["action_count"] = 3;
    StreamSchedule schedule{plan_of(asked)};
    CHECK(schedule.may_go_on());
    CHECK(schedule.may_go_on());
    CHECK(!schedule.may_go_on());
    StreamSchedule endless{plan_of(stream(1, {{"type", "single_burst"}, {"total_pkts", 1}}))};
    for (int i = 0; i < 10; ++i) {
        CHECK(endless.may_go_on());
    }
}

TEST_CASE("streams that cannot be are refused with the field's name") {
    const json continuous{{"type", "continuous"}};
    const json burst{{"type", "single_burst"}, {"total_pkts", 1}};
    const auto with = [&](const json& mode, const char* key, json value) {
        auto one = stream(1, mode);
        one[key] = std::move(value);
        return refusal_of(json::array({one}));
    };
    CHECK(with(continuous, "dummy", false) == "accepted");
    CHECK(with({{"type", "burst"}}, "dummy", false).find("type 'burst' is not known") != std::string::npos);
    CHECK(with({{"type", "single_burst"}, {"total_pkts", 0}}, "dummy", false).find("'total_pkts'") != std::string::npos);
    CHECK(with(continuous, "next", 1).find("never ends") != std::string::npos);
    CHECK(with(burst, "next", 7).find("there is no stream 7") != std::string::npos);
    CHECK(with(burst, "next", 1) == "accepted");
    CHECK(with(burst, "self_start", false).find("no stream starts by itself") != std::string::npos);
    CHECK(with(burst, "packet", "!!!!").find("no base64") != std::string::npos);
    CHECK(with(burst, "packet", "AAAA").find("has 14 to") != std::string::npos);
    CHECK(with(burst, "pps", 0).find("'pps'") != std::string::npos);
    CHECK(with(burst, "speed", 0).find("'speed' is not known") != std::string::npos);
    CHECK(with(burst, "flow_stats", {{"kind", "tpg"}, {"group", 1}}).find("known are none, stats, latency") != std::string::npos);
    CHECK(refusal_of(json::array({stream(1, burst), stream(1, burst)})).find("two of this number") != std::string::npos);
    auto latency = stream(1, burst);
    latency["flow_stats"] = {{"kind", "latency"}, {"group", 3}};
    auto second = latency;
    second["id"] = 2;
    CHECK(refusal_of(json::array({latency, second})).find("another stream's") != std::string::npos);
}

TEST_CASE("the rate of a profile is that of streams which send at the same time") {
    auto chained = stream(1, {{"type", "single_burst"}, {"total_pkts", 1}}, 100);
    chained["next"] = 2;
    auto fast = stream(2, {{"type", "single_burst"}, {"total_pkts", 1}}, 700);
    fast["self_start"] = false;
    const auto streams = read_streams(json::array({chained, fast, stream(3, {{"type", "continuous"}}, 50)}));
    CHECK(peak_rate({&streams[0], &streams[1], &streams[2]}) == 750);
}

TEST_CASE("counters begin with their first value and go round") {
    CHECK(values_of({counter("inc", 3, 2, 5), write()}, 6) == std::vector<unsigned>{3, 4, 5, 2, 3, 4});
    CHECK(values_of({counter("dec", 3, 2, 5), write()}, 5) == std::vector<unsigned>{3, 2, 5, 4, 3});
    CHECK(values_of({counter("inc", 10, 10, 20, 5), write()}, 4) == std::vector<unsigned>{10, 15, 20, 10});  // 24 after widening
    CHECK(values_of({counter("inc", 0, 0, 65535, 65535), write()}, 3) == std::vector<unsigned>{0, 65535, 0});  // widened, too
    auto list = counter("inc", 0, 0, 0, 2);
    list["value_list"] = {5, 7, 9};
    CHECK(values_of({list, write()}, 4) == std::vector<unsigned>{5, 9, 7, 5});
    list["op"] = "dec";
    list["step"] = 1;
    CHECK(values_of({list, write()}, 4) == std::vector<unsigned>{5, 9, 7, 5});
}

TEST_CASE("random numbers stay in their range, repeat with their limit, and are those of TRex") {
    const auto random = values_of({counter("random", 10, 10, 14), write()}, 500);
    CHECK(std::set<unsigned>(random.begin(), random.end()) == std::set<unsigned>{10, 11, 12, 13, 14});
    const json limited{{"type", "flow_var_rand_limit"}, {"name", "v"}, {"size", 2}, {"limit", 4}, {"seed", 1},
                       {"min_value", 0}, {"max_value", 65535}};
    const auto values = values_of({limited, write()}, 12);
    // the linear congruential generator x = 214013 x + 2531011, bits 16 to 30, from seed 1
    CHECK(values == std::vector<unsigned>{41, 18467, 6334, 26500, 41, 18467, 6334, 26500, 41, 18467, 6334, 26500});
}

TEST_CASE("a variable can step when the one before has gone round") {
    auto outer = counter("inc", 0, 0, 1);
    outer["name"] = "outer";
    auto inner = counter("inc", 0, 0, 2);
    inner["name"] = "inner";
    inner["next_var"] = "outer";
    CHECK(values_of({inner, outer, write("outer")}, 9) == std::vector<unsigned>{0, 0, 0, 1, 1, 1, 0, 0, 0});
    CHECK(values_of({inner, outer, write("inner")}, 4) == std::vector<unsigned>{0, 1, 2, 0});
    CHECK(program_refusal({inner, write("inner")}).find("'outer' has to follow") != std::string::npos);
    CHECK(program_refusal(json::array({inner})).find("nothing follows") != std::string::npos);
}

TEST_CASE("tuples go through addresses first, then ports, and begin anew after their limit") {
    json tuple{{"type", "tuple_flow_var"}, {"name", "t"}, {"ip_min", 0x10000001}, {"ip_max", 0x10000002},
               {"port_min", 1025}, {"port_max", 1027}, {"limit_flows", 0}, {"flags", 0}};
    CHECK(values_of({tuple, write("t.port")}, 7) == std::vector<unsigned>{1025, 1025, 1026, 1026, 1027, 1027, 1025});
    CHECK(values_of({tuple, write("t.ip", 26)}, 3, 28) == std::vector<unsigned>{1, 2, 1});
    tuple["limit_flows"] = 3;
    CHECK(values_of({tuple, write("t.port")}, 7) == std::vector<unsigned>{1025, 1025, 1026, 1025, 1025, 1026, 1025});
}

TEST_CASE("fields can be written under a mask, shifted, with something added, in both orders of octets") {
    auto value = counter("inc", 1, 1, 3);
    value["size"] = 1;
    const json masked{{"type", "write_mask_flow_var"}, {"name", "v"}, {"pkt_offset", 34}, {"pkt_cast_size", 2}, {"mask", 0x0ff0},
                      {"shift", 4}, {"add_value", 2}, {"is_big_endian", true}};
    CHECK(values_of({value, masked}, 3) == std::vector<unsigned>{0x0031, 0x0041, 0x0051});  // 1025 is 0x0401
    auto little = write();
    little["is_big_endian"] = false;
    little["add_value"] = 0x100;
    CHECK(values_of({counter("inc", 2, 2, 9), little}, 1) == std::vector<unsigned>{0x0201});
}

TEST_CASE("checksums are right after a change, also of shorter packets") {
    const json trim{{"type", "trim_pkt_size"}, {"name", "size"}};
    auto size = counter("inc", 60, 60, 99);
    size["name"] = "size";
    auto ip_length = write("size", 16);
    ip_length["add_value"] = -14;
    auto udp_length = write("size", 38);
    udp_length["add_value"] = -34;
    const json hardware{{"type", "fix_checksum_hw"}, {"l2_len", 14}, {"l3_len", 20}, {"l4_type", 11}};
    auto packet = udp_packet(100);
    FieldProgram program{json::array({size, trim, ip_length, udp_length, hardware}), packet, 1, "stream 1"};
    CHECK(program.trims());
    CHECK(program.shortest() == 60);
    for (unsigned octets = 60; octets <= 99; ++octets) {
        REQUIRE(program.run(packet.data()) == octets);
        CHECK(sum_of(&packet[14], 20) == 0xffff);
        auto sum = sum_of(&packet[26], 8) + 17U + (octets - 34U);
        CHECK(sum_of(&packet[34], octets - 34, sum) == 0xffff);
    }
    auto other = udp_packet();
    FieldProgram plain{json::array({counter("inc", 1, 1, 9), write("v", 26), json{{"type", "fix_checksum_ipv4"}, {"pkt_offset", 14}}}),
                       other, 1, "stream 1"};
    plain.run(other.data());
    CHECK(sum_of(&other[14], 20) == 0xffff);
}

TEST_CASE("the checksum of ICMPv6 is made with its pseudo header") {
    std::vector<std::uint8_t> packet(14 + 40 + 8 + 4);
    packet[12] = 0x86;
    packet[13] = 0xdd;
    packet[14] = 0x60;
    packet[19] = 12;
    packet[20] = 58;
    packet[37] = 1;
    packet[53] = 2;
    packet[54] = 128;
    FieldProgram program{json::array({json{{"type", "fix_checksum_icmpv6"}, {"l2_len", 14}, {"l3_len", 40}}}), packet, 1, "stream 1"};
    program.run(packet.data());
    CHECK(sum_of(&packet[54], 12, sum_of(&packet[22], 32) + 58 + 12) == 0xffff);
}

TEST_CASE("programs that do not fit their packet are refused") {
    CHECK(program_refusal({counter("inc", 1, 2, 5), write()}).find("'init_value' 1 is not within 2 to 5") != std::string::npos);
    CHECK(program_refusal({counter("inc", 3, 2, 70'000), write()}).find("above 65535") != std::string::npos);
    CHECK(program_refusal({counter("inc", 3, 2, 5, 0), write()}).find("'step' is 0") != std::string::npos);
    CHECK(program_refusal({counter("add", 3, 2, 5), write()}).find("known are inc, dec, random") != std::string::npos);
    CHECK(program_refusal({counter("inc", 3, 2, 5), write("v", 59)}).find("outside the packet of 60 octets") != std::string::npos);
    CHECK(program_refusal({counter("inc", 3, 2, 5), write("w")}).find("no variable 'w'") != std::string::npos);
    CHECK(program_refusal({counter("inc", 3, 2, 5), counter("inc", 3, 2, 5)}).find("already") != std::string::npos);
    CHECK(program_refusal({counter("inc", 61, 61, 62), json{{"type", "trim_pkt_size"}, {"name", "v"}}}).find("packet's 60") !=
          std::string::npos);
    CHECK(program_refusal(json::array({json{{"type", "fix_checksum_ipv4"}, {"pkt_offset", 15}}})).find("no IPv4 header") !=
          std::string::npos);
    CHECK(program_refusal(json::array({json{{"type", "fix_checksum_hw"}, {"l2_len", 14}, {"l3_len", 20}, {"l4_type", 13}}}))
              .find("no such headers") != std::string::npos);
    CHECK(program_refusal(json::array({json{{"type", "fly"}}})).find("type 'fly' is not known") != std::string::npos);
    CHECK(program_refusal(json::array({5})).find("instruction 0: has to be an object") != std::string::npos);
}

TEST_CASE("packets of a group are marked, found again and counted") {
    Groups groups;
    auto* group = groups.insert(groups.create(GroupKind::statistics, 77));
    CHECK(groups.create(GroupKind::statistics, 77) == nullptr);
    CHECK_THROWS_AS(groups.create(GroupKind::latency, 77), Refusal);
    auto packet = udp_packet();
    Groups::mark(*group, packet, "stream 1");
    CHECK(sum_of(&packet[14], 20) == 0xffff);
    CHECK(swap16(load<std::uint16_t>(&packet[18])) == 0xfc00 + group->slot);
    groups.take(1, packet.data(), packet.size(), 5);
    CHECK(group->received[1].packets == 1);
    CHECK(group->received[1].octets == 60);
    auto tagged = packet;
    tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x00, 0x05});
    groups.take(0, tagged.data(), tagged.size(), 5);
    CHECK(group->received[0].packets == 1);
    groups.take(1, udp_packet().data(), 60, 5);
    CHECK(group->received[1].packets == 1);
    std::vector<std::uint8_t> arp(60);
    arp[12] = 0x08;
    arp[13] = 0x06;
    CHECK_THROWS_AS(Groups::mark(*group, arp, "stream 2"), Refusal);
    CHECK(groups.remove(77)->number == 77);
    groups.take(1, packet.data(), packet.size(), 5);
    CHECK(!groups.any());
}

TEST_CASE("order and latency of a latency stream are counted as TRex counts them") {
    Latency latency;
    for (const auto sequence : {0U, 1U, 5U, 3U, 6U, 6U}) {
        latency.take(sequence, 2'000);
    }
    CHECK(latency.dropped == 2);       // 2, 3 and 4 did not come in time, 3 came late
    CHECK(latency.too_high == 1);
    CHECK(latency.out_of_order == 1);
    CHECK(latency.duplicate == 1);
    CHECK(latency.too_low == 2);
    CHECK(latency.count == 6);
    CHECK(latency.jitter_ns == 0);
    latency.take(7, 18'000);
    CHECK(latency.jitter_ns == doctest::Approx(1'000));
    CHECK(latency.least_ns == 2'000);
    CHECK(latency.greatest_ns == 18'000);
    Latency wrapping;
    wrapping.expected = 0xffffffff;
    for (const auto sequence : {0xffffffffU, 0U, 2U}) {
        wrapping.take(sequence, 1);
    }
    CHECK(wrapping.dropped == 1);
    CHECK(wrapping.too_high == 1);
}

TEST_CASE("trailers of latency packets carry what the receiver needs, and an older group's packets do not count") {
    Groups groups;
    auto* group = groups.insert(groups.create(GroupKind::latency, 4));
    auto packet = udp_packet();
    Groups::mark(*group, packet, "stream 1");
    Groups::write_trailer(*group, packet.data(), packet.size(), 0, 1'000);
    groups.take(0, packet.data(), packet.size(), 4'500);
    CHECK(group->latency->count == 1);
    CHECK(group->latency->greatest_ns == 3'500);
    CHECK(group->received[0].packets == 1);
    ++group->epoch;
    groups.take(0, packet.data(), packet.size(), 4'500);
    CHECK(groups.old_packets() == 1);
    packet[packet.size() - 16] = 0;
    groups.take(0, packet.data(), packet.size(), 4'500);
    CHECK(groups.bad_trailers() == 1);
    CHECK(group->latency->count == 1);
}
