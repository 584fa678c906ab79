#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "packet/arp.hpp"
#include "packet/base64.hpp"
#include "packet/checksum.hpp"
#include "packet/crc32c.hpp"
#include "packet/flow.hpp"
#include "packet/transport.hpp"

using namespace nfvcert::packet;

namespace {

std::vector<std::uint8_t> udp_packet(std::size_t payload) {
    std::vector<std::uint8_t> packet(28 + payload, 0x5a);
    packet[0] = 0x45;
    packet[1] = 0;
    store16(packet, 2, static_cast<std::uint16_t>(packet.size()));
    store16(packet, 6, 0);
    packet[8] = 64;
    packet[9] = 17;
    store16(packet, 10, 0);
    Ipv4Address::parse("198.18.16.1")->store(packet, 12);
    Ipv4Address::parse("198.19.1.1")->store(packet, 16);
    store16(packet, 10, checksum(ConstBytes{packet}.first(20)));
    store16(packet, 20, 4000);
    store16(packet, 22, 7);
    store16(packet, 24, static_cast<std::uint16_t>(8 + payload));
    complete_transport_checksum(packet, *parse_ipv4(packet));
    return packet;
}

bool transport_sum_valid(const std::vector<std::uint8_t>& packet) {
    const auto header = parse_ipv4(packet);
    return checksum_valid(ConstBytes{packet}.subspan(header->header_length, header->payload_length()),
                          pseudo_header_sum(*header));
}

/// CRC-32C bit by bit, as RFC 3720 appendix B.4 describes it.
std::uint16_t slow_id(std::vector<std::uint8_t> octets) {
    std::uint32_t crc = 0xffff'ffff;
    for (const auto octet : octets) {
        crc ^= octet;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82f6'3b78U : 0U);
        }
    }
    crc ^= 0xffff'ffff;
    return static_cast<std::uint16_t>(crc ^ (crc >> 16));
}

}  // namespace

TEST_CASE("addresses are parsed strictly and printed canonically") {
    CHECK(MacAddress::parse("02:00:5E:10:00:ff")->text() == "02:00:5e:10:00:ff");
    for (const auto* bad : {"", "02:00:5e:10:00", "02:00:5e:10:00:ff:", "02-00-5e-10-00-ff", "g2:00:5e:10:00:ff"}) {
        CHECK_FALSE(MacAddress::parse(bad));
    }
    CHECK(Ipv4Address::parse("198.18.0.1")->value == 0xc6120001);
    CHECK(Ipv4Address{0xc6120001}.text() == "198.18.0.1");
    for (const auto* bad : {"", "1.2.3", "1.2.3.4.", "1.2.3.256", "-1.2.3.4", " 1.2.3.4", "1.2.3.4 "}) {
        CHECK_FALSE(Ipv4Address::parse(bad));
    }
}

TEST_CASE("networks contain what shares their prefix") {
    const Ipv4Network network{*Ipv4Address::parse("198.19.0.5"), 16};
    CHECK(network.contains(*Ipv4Address::parse("198.19.255.255")));
    CHECK_FALSE(network.contains(*Ipv4Address::parse("198.18.0.5")));
    CHECK(Ipv4Network{{}, 0}.contains(*Ipv4Address::parse("8.8.8.8")));
    CHECK_FALSE(Ipv4Network{*Ipv4Address::parse("1.1.1.1"), 32}.contains(*Ipv4Address::parse("1.1.1.2")));
}

TEST_CASE("an adjusted checksum is the one computed anew") {
    std::vector<std::uint8_t> data{0x45, 0x00, 0x12, 0x34, 0xff, 0xff, 0x00, 0x00};
    const auto before = checksum(data);
    for (const std::uint32_t value : {0U, 1U, 0xffffU, 0x1234U, 0xfffeU}) {
        auto changed = data;
        store16(changed, 4, static_cast<std::uint16_t>(value));
        CHECK(checksum_adjust(before, 0xffff, static_cast<std::uint16_t>(value)) == checksum(changed));
    }
}

TEST_CASE("a checksum over an odd number of octets pads with zero") {
    const std::vector<std::uint8_t> odd{0x01, 0x02, 0x03};
    const std::vector<std::uint8_t> even{0x01, 0x02, 0x03, 0x00};
    CHECK(checksum(odd) == checksum(even));
}

TEST_CASE("IPv4 headers that do not fit are refused") {
    auto packet = udp_packet(10);
    CHECK(parse_ipv4(packet));
    CHECK_FALSE(parse_ipv4(ConstBytes{packet}.first(19)));
    CHECK_FALSE(parse_ipv4(ConstBytes{packet}.first(37)));
    CHECK(parse_quoted_ipv4(ConstBytes{packet}.first(28)));
    packet[0] = 0x44;
    CHECK_FALSE(parse_ipv4(packet));
    packet[0] = 0x65;
    CHECK_FALSE(parse_ipv4(packet));
    packet[0] = 0x4f;
    CHECK_FALSE(parse_ipv4(packet));
}

TEST_CASE("rewriting an endpoint keeps both checksums right") {
    auto packet = udp_packet(11);
    const auto header = *parse_ipv4(packet);
    rewrite_endpoint(packet, header, Field::source, {*Ipv4Address::parse("203.0.113.9"), 65535});
    set_dscp(packet, 18);
    decrement_ttl(packet);
    CHECK(ipv4_checksum_valid(packet, *parse_ipv4(packet)));
    CHECK(transport_sum_valid(packet));
    CHECK(packet[1] == 18 << 2);
    CHECK(packet[8] == 63);
    CHECK(load16(packet, 20) == 65535);
}

TEST_CASE("a UDP checksum of zero stays zero, and a computed zero is written as minus zero") {
    auto packet = udp_packet(4);
    store16(packet, 26, 0);
    rewrite_endpoint(packet, *parse_ipv4(packet), Field::destination, {*Ipv4Address::parse("10.0.0.1"), 1});
    CHECK(load16(packet, 26) == 0);

    auto tuned = udp_packet(4);
    const auto sum = load16(tuned, 26);  // choose the source port so that the sum becomes zero
    const auto header = *parse_ipv4(tuned);
    const auto port = checksum_fold(std::uint64_t{load16(tuned, 20)} + sum);
    rewrite_endpoint(tuned, header, Field::source, {header.source, port});
    CHECK(load16(tuned, 26) == 0xffff);
    CHECK(transport_sum_valid(tuned));
}

TEST_CASE("segments whose lengths do not fit are refused") {
    const std::vector<std::uint8_t> udp{0, 1, 0, 2, 0, 9, 0, 0};
    CHECK_FALSE(parse_udp(udp));
    CHECK_FALSE(parse_udp(ConstBytes{udp}.first(7)));
    std::vector<std::uint8_t> tcp(20);
    tcp[12] = 0x50;
    CHECK(parse_tcp(tcp));
    tcp[12] = 0x40;
    CHECK_FALSE(parse_tcp(tcp));
    tcp[12] = 0x60;
    CHECK_FALSE(parse_tcp(tcp));
}

TEST_CASE("ARP frames survive writing and reading") {
    const auto mac = *MacAddress::parse("02:00:00:00:00:01");
    const auto asked = *Ipv4Address::parse("198.18.0.1");
    const auto frame = arp_request(mac, *Ipv4Address::parse("198.18.0.2"), asked);
    const auto ethernet = *parse_ethernet(frame);
    CHECK(ethernet.destination == MacAddress::broadcast());
    const auto request = parse_arp(ConstBytes{frame}.subspan(14));
    REQUIRE(request);
    CHECK(request->operation == ArpOperation::request);
    CHECK(request->target_ip == asked);

    const auto answer_frame = arp_reply(*request, *MacAddress::parse("02:00:00:00:00:02"));
    const auto answer = parse_arp(ConstBytes{answer_frame}.subspan(14));
    REQUIRE(answer);
    CHECK(answer->sender_ip == asked);
    CHECK(answer->target_mac == mac);
    CHECK(parse_ethernet(answer_frame)->destination == mac);
    CHECK_FALSE(parse_arp(ConstBytes{frame}.subspan(14, 27)));
}

TEST_CASE("the flow id is the CRC of the header fields in network order") {
    const FlowKey flow{0xc612'0001, 0x0a01'0203, 4660, 53, 17};
    CHECK(flow_id(flow, Identity::five_tuple) ==
          slow_id({0xc6, 0x12, 0x00, 0x01, 0x0a, 0x01, 0x02, 0x03, 0x12, 0x34, 0x00, 0x35, 17}));
    CHECK(flow_id(flow, Identity::addresses) == slow_id({0xc6, 0x12, 0x00, 0x01, 0x0a, 0x01, 0x02, 0x03, 17}));
    CHECK(flow_id(flow, Identity::source_port) == 4660);
    CHECK_THROWS_WITH(identity_named("hash"), doctest::Contains("five-tuple, addresses or source-port"));
}

TEST_CASE("CRC-32C is the same with the instruction and without, as RFC 3720 appendix B.4 has it") {
    const std::string digits = "123456789";
    CHECK(crc32c(reinterpret_cast<const std::uint8_t*>(digits.data()), digits.size()) == 0xe306'9283);
    std::vector<std::uint8_t> octets(32);
    CHECK(crc32c(octets.data(), 32) == 0x8a91'36aa);
    std::fill(octets.begin(), octets.end(), 0xff);
    CHECK(crc32c(octets.data(), 32) == 0x62a8'ab43);
    for (std::uint8_t i = 0; i < 32; ++i) {
        octets[i] = i;
    }
    CHECK(crc32c(octets.data(), 32) == 0x46dd'794e);
    for (std::size_t count = 0; count <= octets.size(); ++count) {
        CHECK(crc32c(octets.data(), count) == crc32c_by_table(octets.data(), count));
    }
}

TEST_CASE("base64 goes there and back, as RFC 4648 section 10 has it") {
    std::vector<std::uint8_t> octets;
    for (unsigned i = 0; i < 50; ++i) {
        CHECK(octets_of_base64(base64_of(octets)) == octets);
        octets.push_back(static_cast<std::uint8_t>(i * 37));
    }
    const std::array<std::pair<std::string, std::string>, 4> known{
        {{"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}};
    for (const auto& [plain, text] : known) {
        CHECK(base64_of({reinterpret_cast<const std::uint8_t*>(plain.data()), plain.size()}) == text);
    }
    for (const auto* wrong : {"=", "Zg=", "Zg==Zg==", "Zm9*", "Zm9v\n"}) {
        CHECK_FALSE(octets_of_base64(wrong));
    }
}
