// Captures: what is kept of which packets, in which order, and what a capture may be asked for.

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "generator/engine/capture.hpp"

using namespace nfvcert::engine;

namespace {

/// A UDP packet of 60 octets to a port, numbered in its last octet.
std::vector<std::uint8_t> udp_packet(std::uint16_t port, std::uint8_t number) {
    std::vector<std::uint8_t> packet(60);
    packet[12] = 0x08;
    packet[14] = 0x45;
    packet[23] = 17;
    packet[36] = static_cast<std::uint8_t>(port >> 8);
    packet[37] = static_cast<std::uint8_t>(port);
    packet[59] = number;
    return packet;
}

CaptureWish wish(const json& more) {
    json order{{"rx", {1}}, {"limit", 3}};
    order.update(more);
    return read_capture_wish(Fields{order, "capture_start"}, 2);
}

std::string refusal_of(const json& more) {
    try {
        Capture{wish(more)};
    } catch (const Refusal& refusal) {
        return refusal.what();
    }
    return "accepted";
}

void offer(Capture& capture, const std::vector<std::uint8_t>& packet, std::uint64_t t_ns = 1) {
    const auto octets = static_cast<std::uint32_t>(packet.size());
    capture.offer(packet.data(), octets, octets, 1, false, t_ns);
}

std::vector<unsigned> numbers(Capture& capture, std::size_t most = 100) {
    std::vector<CapturedPacket> found;
    capture.take(found, most);
    std::vector<unsigned> last;
    std::transform(found.begin(), found.end(), std::back_inserter(last),
                   [](const auto& packet) { return packet.data[packet.octets - 1U]; });
    return last;
}

}  // namespace

TEST_CASE("a fixed capture keeps the first packets, a cyclic one the last, and both count all that match") {
    for (const auto* mode : {"fixed", "cyclic"}) {
        Capture capture{wish({{"mode", mode}})};
        for (std::uint8_t number = 1; number <= 8; ++number) {
            offer(capture, udp_packet(7, number));
        }
        CHECK(capture.matched() == 8);
        CHECK(capture.size() == 3);
        CHECK(capture.kept_octets() == 180);
        const auto cyclic = std::string{mode} == "cyclic";
        CHECK(numbers(capture, 1) == std::vector<unsigned>{cyclic ? 6U : 1U});
        CHECK(numbers(capture) == (cyclic ? std::vector<unsigned>{7, 8} : std::vector<unsigned>{2, 3}));
        CHECK(capture.size() == 0);
        CHECK(capture.kept_octets() == 0);
        offer(capture, udp_packet(7, 9));  // there is room again
        CHECK(numbers(capture) == std::vector<unsigned>{9});
    }
}

TEST_CASE("only what the filter lets through is counted, in a numbering of its own") {
    Capture capture{wish({{"filter", "udp port 7"}})};
    for (std::uint8_t number = 1; number <= 4; ++number) {
        offer(capture, udp_packet(number % 2 == 0 ? 7 : 8, number), number);
    }
    std::vector<CapturedPacket> found;
    capture.take(found, 10);
    REQUIRE(found.size() == 2);
    CHECK(found[0].index == 1);
    CHECK(found[1].index == 2);
    CHECK(found[1].t_ns == 4);
    CHECK(found[1].port == 1);
    CHECK(capture.matched() == 2);
}

TEST_CASE("a packet is cut to the snap length, and its length on the wire is told") {
    Capture capture{wish({{"snaplen", 20}})};
    offer(capture, udp_packet(7, 1));
    std::vector<CapturedPacket> found;
    capture.take(found, 1);
    REQUIRE(found.size() == 1);
    CHECK(found[0].octets == 20);
    CHECK(found[0].wire_octets == 60);
}

TEST_CASE("captures that cannot be are refused with the field's name") {
    CHECK(refusal_of({{"filter", "upd port 7"}}).find("filter 'upd port 7': ") != std::string::npos);
    CHECK(refusal_of({{"limit", 0}}).find("'limit'") != std::string::npos);
    CHECK(refusal_of({{"mode", "random"}}).find("known are fixed, cyclic") != std::string::npos);
    CHECK(refusal_of({{"snaplen", 5000}}).find("'snaplen'") != std::string::npos);
    CHECK(refusal_of({{"rx", {2}}}).find("'rx'") != std::string::npos);
    CHECK(refusal_of({{"rx", 1}}).find("list of ports") != std::string::npos);
    CHECK(refusal_of({{"rx", json::array()}}).find("neither 'tx' nor 'rx'") != std::string::npos);
    CHECK(refusal_of({{"filter", std::string(5000, 'x')}}).find("more than 4096") != std::string::npos);
}
