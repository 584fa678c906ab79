#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "fn_frames.hpp"
#include "functions/wan/wan_format.hpp"

using namespace nf_test;

namespace {

const auto near_host = ip("10.0.0.1");
const auto far_host = ip("203.0.113.7");

Fields fields() { return {.source = near_host, .destination = far_host}; }

Octets text(std::size_t length, std::uint64_t seed) {
    Octets octets(length);
    for (auto& octet : octets) {
        seed = packet::mix64(seed + 1);
        octet = static_cast<std::uint8_t>(seed);
    }
    return octets;
}

struct Pair {
    Driver encoder{"wan-optimiser", R"({"role": "encoder", "generation": 5})"};
    Driver decoder{"wan-optimiser", R"({"role": "decoder"})"};

    /// Through both; answers the length on the way.
    std::size_t carry(const Octets& frame) {
        REQUIRE(encoder.send(frame) == DropReason::none);
        const auto on_the_way = encoder.last;
        REQUIRE(decoder.send(on_the_way) == DropReason::none);
        CHECK(decoder.last == frame);
        return on_the_way.size();
    }
};

}  // namespace

TEST_CASE("what was sent before is sent as references and comes out as it went in") {
    Pair pair;
    const auto frame = udp(fields(), 1, 2, text(1000, 1));
    CHECK(pair.carry(frame) == frame.size());  // nothing known yet
    CHECK(pair.carry(frame) < 80);
    auto part = text(300, 2);
    const auto known = text(1000, 1);
    part.insert(part.end(), known.begin() + 123, known.begin() + 823);
    const auto mixed = udp(fields(), 1, 2, part);
    const auto length = pair.carry(mixed);
    CHECK(length < mixed.size() - 600);
    CHECK(length > 300);
    CHECK(pair.carry(udp(fields(), 3, 4, text(1000, 3))) == 14 + 28 + 1000);
    CHECK(pair.decoder.function->statistics()["decoded"] == 2);
}

TEST_CASE("an encoded packet is a valid IPv4 packet to the same place") {
    Pair pair;
    const auto frame = udp(fields(), 1, 2, text(500, 1));
    pair.carry(frame);
    REQUIRE(pair.encoder.send(frame) == DropReason::none);
    auto encoded = pair.encoder.last;
    const auto got = view(encoded);
    CHECK(got.kind == nf::FrameKind::other_protocol);
    CHECK(got.protocol == nf::wan::carrier_protocol);
    CHECK(got.source == near_host);
    CHECK(got.destination == far_host);
    CHECK(got.total_length + 14U == encoded.size());
    CHECK(packet::checksum_valid(packet::ConstBytes{encoded}.subspan(14, 20)));
}

TEST_CASE("a missing reference is asked for, never guessed, and the answer is the packet itself") {
    Pair pair;
    const auto first = udp(fields(), 1, 2, text(800, 1));
    REQUIRE(pair.encoder.send(first) == DropReason::none);  // lost on the way
    REQUIRE(pair.encoder.send(first) == DropReason::none);
    const auto encoded = pair.encoder.last;
    CHECK(encoded.size() < 100);
    REQUIRE(pair.decoder.send(encoded) == DropReason::none);
    auto request = pair.decoder.last;
    CHECK(view(request).source == far_host);
    CHECK(view(request).destination == near_host);
    REQUIRE(pair.encoder.send(request) == DropReason::none);
    auto expected = first;
    std::swap_ranges(expected.begin(), expected.begin() + 6, expected.begin() + 6);
    std::swap_ranges(expected.begin(), expected.begin() + 6, expected.begin() + 6);
    CHECK(pair.encoder.last == expected);
    REQUIRE(pair.decoder.send(pair.encoder.last) == DropReason::none);
    CHECK(pair.decoder.last == first);
    pair.carry(first);  // now both know it
    CHECK(pair.encoder.function->statistics()["answered"] == 1);
}

TEST_CASE("requests to a restarted encoder, and for what it does not keep any more, are refused") {
    Driver encoder{"wan-optimiser", R"({"generation": 5, "cache_packets": 1})"};
    Driver decoder{"wan-optimiser", R"({"role": "decoder"})"};
    const auto frame = udp(fields(), 1, 2, text(800, 1));
    REQUIRE(encoder.send(frame) == DropReason::none);
    REQUIRE(encoder.send(frame) == DropReason::none);
    REQUIRE(decoder.send(encoder.last) == DropReason::none);
    const auto request = decoder.last;
    REQUIRE(encoder.send(udp(fields(), 1, 2, text(800, 9))) == DropReason::none);
    CHECK(encoder.send(request) == DropReason::reference_lost);
    Driver restarted{"wan-optimiser", R"({"generation": 6})"};
    CHECK(restarted.send(request) == DropReason::stale_generation);
    Driver dice{"wan-optimiser", "{}"};
    CHECK(dice.send(request) == DropReason::stale_generation);
    auto forged = request;
    forged[14 + 20 + 20 + 15] ^= 1;  // quotes another source than the request's destination
    CHECK(encoder.send(forged) == DropReason::undecodable);
}

TEST_CASE("a new generation makes the decoder forget") {
    Pair pair;
    const auto frame = udp(fields(), 1, 2, text(800, 1));
    pair.carry(frame);
    pair.carry(frame);
    Driver restarted{"wan-optimiser", R"({"generation": 6})"};
    REQUIRE(restarted.send(frame) == DropReason::none);
    REQUIRE(restarted.send(frame) == DropReason::none);
    REQUIRE(pair.decoder.send(restarted.last) == DropReason::none);
    CHECK(pair.decoder.last[23] == nf::wan::carrier_protocol);  // a request
    CHECK(pair.decoder.function->statistics()["forgotten"] == 1);
    REQUIRE(restarted.send(pair.decoder.last) == DropReason::none);
    REQUIRE(pair.decoder.send(restarted.last) == DropReason::none);
    CHECK(pair.decoder.last == frame);
}

TEST_CASE("no damage of an encoded packet lets another content through") {
    Pair pair;
    const auto frame = udp(fields(), 1, 2, text(400, 1));
    pair.carry(frame);
    REQUIRE(pair.encoder.send(frame) == DropReason::none);
    const auto encoded = pair.encoder.last;
    for (std::size_t place = 34; place < encoded.size(); ++place) {
        for (const int bit : {0, 3, 7}) {
            auto damaged = encoded;
            damaged[place] = static_cast<std::uint8_t>(damaged[place] ^ (1U << bit));
            const auto reason = pair.decoder.send(damaged);
            const bool came_out = reason == DropReason::none && pair.decoder.last[23] != nf::wan::carrier_protocol;
            // damage of the protocol or generation octets alone can come out: they are not part of the content
            const bool outside_content = place == 35 || (place >= 38 && place < 42);
            if (came_out) {
                CHECK(outside_content);
                CHECK(Octets(pair.decoder.last.begin() + 34, pair.decoder.last.end()) == Octets(frame.begin() + 34, frame.end()));
            }
        }
    }
}

TEST_CASE("what is not for it passes unchanged: short, fragments, no IPv4, damaged") {
    Pair pair;
    pair.carry(udp(fields(), 1, 2, text(10, 1)));
    auto fragment = fields();
    fragment.fragment = 0x2000;
    for (int i = 0; i < 2; ++i) {
        const auto frame = ipv4_frame(fragment, text(400, 1));
        CHECK(pair.carry(frame) == frame.size());
    }
    pair.carry(Octets(60, 3));
    auto damaged = udp(fields(), 1, 2, text(400, 1));
    damaged[24] ^= 1;
    CHECK(pair.carry(damaged) == damaged.size());
}

TEST_CASE("packets of the carrier's own protocol number are wrapped, and come out as they were") {
    Pair pair;
    auto own = fields();
    own.protocol = nf::wan::carrier_protocol;
    auto content = text(200, 1);
    content[0] = nf::wan::kind_encoded;
    const auto frame = ipv4_frame(own, content);
    CHECK(pair.carry(frame) == frame.size() + 22);
    CHECK(pair.carry(ipv4_frame(own, {})) == 34 + 20);
    CHECK(pair.encoder.send(ipv4_frame(own, text(1470, 2))) == DropReason::no_room);
}

TEST_CASE("a decoded packet that does not fit its buffer is dropped, nothing is written beyond") {
    Pair pair;
    const auto frame = udp(fields(), 1, 2, text(1000, 1));
    pair.carry(frame);
    REQUIRE(pair.encoder.send(frame) == DropReason::none);
    CHECK(pair.decoder.send(pair.encoder.last, 500) == DropReason::no_room);
}

TEST_CASE("both roles on one box, by the side a packet comes from") {
    Driver left{"wan-optimiser", R"({"role": "both", "near": "10.0.0.0/8", "generation": 1})"};
    Driver right{"wan-optimiser", R"({"role": "both", "near": "203.0.113.0/24", "generation": 2})"};
    const auto question = udp(fields(), 1, 2, text(600, 1));
    const auto answer = udp({.source = far_host, .destination = near_host}, 2, 1, text(600, 2));
    for (int i = 0; i < 3; ++i) {
        REQUIRE(left.send(question) == DropReason::none);
        REQUIRE(right.send(left.last) == DropReason::none);
        CHECK(right.last == question);
        REQUIRE(right.send(answer) == DropReason::none);
        REQUIRE(left.send(right.last) == DropReason::none);
        CHECK(left.last == answer);
    }
    CHECK(left.function->statistics()["encoded"] == 2);
    CHECK(left.function->statistics()["decoded"] == 2);
}
