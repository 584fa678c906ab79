// A port as a host: which requests it answers, and with what.

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "generator/engine/host.hpp"
#include "packet/arp.hpp"
#include "packet/checksum.hpp"
#include "packet/ipv4.hpp"

using namespace nfvcert;
using namespace nfvcert::packet;
using engine::Host;

namespace {

using Frame = std::vector<std::uint8_t>;

const MacAddress own_mac{{2, 0x4e, 0x46, 0, 0, 1}};
const MacAddress neighbour_mac{{2, 0, 0, 0, 0, 9}};
const Ipv4Address own{0x0a000001};
const Ipv4Address neighbour{0x0a000002};
const Host host{own_mac, own, {}};

Frame arp(Ipv4Address asked, Ipv4Address sender = neighbour) {
    const auto frame = arp_request(neighbour_mac, sender, asked);
    return {frame.begin(), frame.end()};
}

/// An echo request with 10 octets of data.
Frame echo() {
    Frame frame(60);
    write_ethernet(frame, {own_mac, neighbour_mac, ethertype_ipv4});
    const auto ip = Bytes{frame}.subspan(14);
    store16(ip, 0, 0x4500);
    store16(ip, 2, 20 + 8 + 10);
    store16(ip, 8, (3 << 8) | 1);  // three hops left
    neighbour.store(ip, 12);
    own.store(ip, 16);
    store16(ip, 10, checksum(ip.first(20)));
    const auto message = ip.subspan(20, 18);
    store16(message, 0, 8 << 8);
    store16(message, 4, 0x1234);
    store16(message, 6, 7);
    std::fill(message.begin() + 8, message.end(), std::uint8_t{0x5a});
    store16(message, 2, checksum(message));
    return frame;
}

Frame tagged(Frame frame, const std::vector<std::uint16_t>& vlans) {
    auto at = frame.begin() + 12;
    for (const auto vlan : vlans) {
        const auto high = static_cast<std::uint8_t>(vlan >> 8);
        at = frame.insert(at, {0x81, 0x00, high, static_cast<std::uint8_t>(vlan)}) + 4;
    }
    return frame;
}

bool unanswered(Frame frame, const Host& asked = host) {
    const auto before = frame;
    return !asked.answer(frame) && frame == before;
}

template <class Change>
Frame changed(Frame frame, Change change) {
    change(frame);
    return frame;
}

}  // namespace

TEST_CASE("who asks for the address gets the hardware address") {
    auto frame = arp(own);
    REQUIRE(host.answer(frame));
    const auto ethernet = parse_ethernet(frame);
    CHECK(ethernet->destination == neighbour_mac);
    CHECK(ethernet->source == own_mac);
    const auto reply = parse_arp(Bytes{frame}.subspan(14));
    REQUIRE(reply);
    CHECK(reply->operation == ArpOperation::reply);
    CHECK(reply->sender_mac == own_mac);
    CHECK(reply->sender_ip == own);
    CHECK(reply->target_mac == neighbour_mac);
    CHECK(reply->target_ip == neighbour);
}

TEST_CASE("questions about others, answers, announcements of the same address and what is cut off are left alone") {
    CHECK(unanswered(arp(neighbour)));
    CHECK(unanswered(arp(own, own)));
    CHECK(unanswered(changed(arp(own), [](Frame& frame) { frame[21] = 2; })));
    for (const std::size_t length : {0U, 13U, 14U, 41U}) {
        auto frame = arp(own);
        frame.resize(length);
        CHECK(unanswered(frame));
    }
}

TEST_CASE("an echo comes back with its data, and both checksums are right") {
    auto frame = echo();
    REQUIRE(host.answer(frame));
    const auto payload = Bytes{frame}.subspan(14);
    const auto header = parse_ipv4(payload);
    REQUIRE(header);
    CHECK(header->source == own);
    CHECK(header->destination == neighbour);
    CHECK(header->ttl == 64);
    CHECK(ipv4_checksum_valid(payload, *header));
    const auto message = payload.subspan(20, 18);
    CHECK(load16(message, 0) == 0);
    CHECK(load16(message, 4) == 0x1234);
    CHECK(load16(message, 6) == 7);
    CHECK(message[17] == 0x5a);
    CHECK(checksum_valid(message));
    CHECK(MacAddress::load(frame, 0) == neighbour_mac);
    CHECK(MacAddress::load(frame, 6) == own_mac);
}

TEST_CASE("echoes to others, damaged ones, fragments and replies are left alone") {
    const auto with = [](std::size_t at, std::uint8_t value) {
        return changed(echo(), [&](Frame& frame) {
            frame[at] = value;
            store16(frame, 24, 0);
            store16(frame, 24, checksum(Bytes{frame}.subspan(14, 20)));
        });
    };
    CHECK(unanswered(with(33, 77)));                                            // another destination
    CHECK(unanswered(with(20, 0x20)));                                          // more fragments
    CHECK(unanswered(with(23, 17)));                                            // UDP
    CHECK(unanswered(with(34, 0)));                                             // a reply
    CHECK(unanswered(with(26, 0xe0)));                                          // from a group
    CHECK(unanswered(changed(echo(), [](Frame& frame) { frame[25] ^= 1; })));   // header checksum
    CHECK(unanswered(changed(echo(), [](Frame& frame) { frame[45] ^= 1; })));   // data
    CHECK(unanswered(changed(echo(), [](Frame& frame) { frame[5] ^= 2; })));    // for another machine
    CHECK(unanswered(changed(echo(), [](Frame& frame) { frame.resize(50); })));
    CHECK_FALSE(unanswered(echo()));
}

TEST_CASE("in a VLAN it answers with the same tags, and only there") {
    const Host inside{own_mac, own, {100, 7}};
    auto request = tagged(arp(own), {100, 7});
    REQUIRE(inside.answer(request));
    CHECK(parse_arp(Bytes{request}.subspan(22))->operation == ArpOperation::reply);
    CHECK(load16(request, 14) == 100);
    CHECK(load16(request, 18) == 7);
    auto ping = tagged(echo(), {100, 7});
    CHECK(inside.answer(ping));
    CHECK(unanswered(arp(own), inside));
    CHECK(unanswered(tagged(arp(own), {100}), inside));
    CHECK(unanswered(tagged(arp(own), {7, 100}), inside));
    CHECK(unanswered(tagged(arp(own), {100, 7}), host));
}
