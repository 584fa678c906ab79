// Rules of sessions. Octets are checked against another implementation in test_native_nat.py.

#include <doctest/doctest.h>

#include <vector>

#include "functions/nat44.hpp"
#include "packet/checksum.hpp"

using namespace nfvcert::functions;
namespace packet = nfvcert::packet;

namespace {

constexpr std::uint64_t second = 1'000'000'000;
const Ipv4Address external{*Ipv4Address::parse("198.19.0.5")};
const Endpoint client{*Ipv4Address::parse("198.18.16.1"), 4000};
const Endpoint server{*Ipv4Address::parse("198.19.1.1"), 7};
const MacAddress lb{{2, 0, 0, 0, 0, 1}};

std::vector<std::uint8_t> segment(Protocol protocol, Endpoint source, Endpoint destination, std::uint8_t flags = 0) {
    const std::size_t length = protocol == Protocol::udp ? 8 : 20;
    std::vector<std::uint8_t> octets(20 + length);
    octets[0] = 0x45;
    packet::store16(octets, 2, static_cast<std::uint16_t>(octets.size()));
    octets[8] = 64;
    octets[9] = static_cast<std::uint8_t>(protocol);
    source.address.store(octets, 12);
    destination.address.store(octets, 16);
    packet::store16(octets, 10, packet::checksum(packet::ConstBytes{octets}.first(20)));
    packet::store16(octets, 20, source.port);
    packet::store16(octets, 22, destination.port);
    if (protocol == Protocol::udp) {
        packet::store16(octets, 24, 8);
    } else {
        octets[32] = 0x50;
        octets[33] = flags;
    }
    packet::complete_transport_checksum(octets, *packet::parse_ipv4(octets));
    return octets;
}

Nat44 make(PortRange range = {1024, 65535}, std::size_t limit = 1000) {
    NatConfig config;
    config.external_address = external;
    config.max_sessions = limit;
    return {config, std::make_unique<SequentialPorts>(range)};
}

NatVerdict out(Nat44& nat, Protocol protocol, Endpoint from, Endpoint to, std::uint64_t now, std::uint8_t flags = 0) {
    auto octets = segment(protocol, from, to, flags);
    return nat.outbound(octets, lb, now);
}

NatVerdict in(Nat44& nat, Protocol protocol, Endpoint from, Endpoint to, std::uint64_t now, std::uint8_t flags = 0) {
    auto octets = segment(protocol, from, to, flags);
    return nat.inbound(octets, now);
}

}  // namespace

TEST_CASE("one inside endpoint has one external endpoint for all remotes") {
    auto nat = make();
    CHECK(out(nat, Protocol::udp, client, server, 1).forwards());
    auto octets = segment(Protocol::udp, client, {server.address, 9});
    CHECK(nat.outbound(octets, lb, 2).forwards());
    CHECK(packet::load16(octets, 20) == 1024);
    CHECK(nat.sessions() == 2);
    CHECK(nat.users() == 1);
    CHECK(in(nat, Protocol::udp, server, {external, 1024}, 3).forwards());
    CHECK(in(nat, Protocol::udp, {server.address, 10}, {external, 1024}, 3).drop == DropReason::no_session);
}

TEST_CASE("sessions expire and give their ports back") {
    auto nat = make({1024, 1024});
    CHECK(out(nat, Protocol::udp, client, server, 0).forwards());
    CHECK(out(nat, Protocol::udp, {client.address, 4001}, server, second).drop == DropReason::port_exhausted);
    CHECK(nat.dropped(DropReason::port_exhausted) == 1);
    nat.expire(120 * second);
    CHECK(nat.sessions() == 1);
    CHECK(in(nat, Protocol::udp, server, {external, 1024}, 120 * second + 1).drop == DropReason::no_session);
    CHECK(nat.sessions() == 0);
    CHECK(out(nat, Protocol::udp, {client.address, 4001}, server, 121 * second).forwards());
}

TEST_CASE("TCP timeouts follow the state of the connection") {
    namespace flag = packet::tcp_flag;
    auto nat = make();
    CHECK(out(nat, Protocol::tcp, client, server, 0, flag::ack).drop == DropReason::tcp_without_session);
    CHECK(out(nat, Protocol::tcp, client, server, 0, flag::syn).forwards());
    nat.expire(241 * second);
    CHECK(nat.sessions() == 0);
    CHECK(out(nat, Protocol::tcp, client, server, 300 * second, flag::syn).forwards());
    CHECK(in(nat, Protocol::tcp, server, {external, 1025}, 300 * second, flag::syn | flag::ack).forwards());
    nat.expire(7000 * second);
    CHECK(nat.sessions() == 1);
    CHECK(in(nat, Protocol::tcp, server, {external, 1025}, 7000 * second, flag::rst).forwards());
    nat.expire(7241 * second);
    CHECK(nat.sessions() == 0);
}

TEST_CASE("the table has a limit") {
    auto nat = make({1024, 65535}, 1);
    CHECK(out(nat, Protocol::udp, client, server, 0).forwards());
    CHECK(out(nat, Protocol::udp, client, {server.address, 8}, 0).drop == DropReason::session_limit);
}

TEST_CASE("activity is counted by session") {
    auto nat = make();
    (void)out(nat, Protocol::udp, client, server, second);
    (void)out(nat, Protocol::udp, {client.address, 4001}, server, 3 * second);
    CHECK(nat.active_sessions(3 * second, second) == 1);
    CHECK(nat.active_sessions(3 * second, 2 * second) == 2);
    CHECK(nat.last_packet_ns() == 3 * second);
}

TEST_CASE("adopted sessions keep address and port, new ones get the adopter's") {
    auto old = make();
    (void)out(old, Protocol::udp, client, server, 10 * second);
    NatConfig config;
    config.external_address = *Ipv4Address::parse("198.19.0.6");
    Nat44 adopter{config, std::make_unique<BlockPorts>(PortRange{}, 16)};
    const auto report = adopter.adopt(old.snapshot(12 * second), 100 * second);
    CHECK(report.sessions == 1);
    CHECK(report.conflicts == 0);
    CHECK(report.addresses == std::set{external});

    const auto back = in(adopter, Protocol::udp, server, {external, 1024}, 101 * second);
    CHECK(back.forwards());
    CHECK(back.inside_mac == lb);
    auto same = segment(Protocol::udp, client, server);
    CHECK(adopter.outbound(same, lb, 101 * second).forwards());
    CHECK(Ipv4Address::load(same, 12) == external);
    auto other = segment(Protocol::udp, {client.address, 4001}, server);
    CHECK(adopter.outbound(other, lb, 101 * second).forwards());
    CHECK(Ipv4Address::load(other, 12) == config.external_address);
}

TEST_CASE("adopting is repeatable and refuses what contradicts") {
    auto nat = make();
    (void)out(nat, Protocol::udp, client, server, second);
    const auto state = nat.snapshot(second);
    CHECK(nat.adopt(state, second).sessions == 1);
    CHECK(nat.sessions() == 1);

    auto other_user = state;
    other_user[0].inside.address.value += 1;  // same external endpoint, another user
    CHECK(nat.adopt(other_user, second).conflicts == 1);
    auto other_port = state;
    other_port[0].external.port = 2000;  // newer word about the same session
    CHECK(nat.adopt(other_port, second).sessions == 1);
    CHECK(in(nat, Protocol::udp, server, {external, 2000}, second).forwards());
    CHECK(nat.sessions() == 1);
}

TEST_CASE("ports of adopted state under the own address are not given out") {
    auto nat = make({1024, 1025});
    StateSnapshot state{{Protocol::udp, client, {external, 1024}, server, lb, TcpState::none, 0}};
    CHECK(nat.adopt(state, second).sessions == 1);
    auto octets = segment(Protocol::udp, {client.address, 4001}, server);
    CHECK(nat.outbound(octets, lb, second).forwards());
    CHECK(packet::load16(octets, 20) == 1025);
    CHECK(out(nat, Protocol::udp, {client.address, 4002}, server, second).drop == DropReason::port_exhausted);
}

TEST_CASE("a snapshot leaves out what has expired") {
    auto nat = make();
    (void)out(nat, Protocol::udp, client, server, 0);
    CHECK(nat.snapshot(121 * second).empty());
}
