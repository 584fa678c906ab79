#include <doctest/doctest.h>

#include <set>

#include "fn_frames.hpp"

using namespace nf_test;
namespace flag = packet::tcp_flag;

namespace {

const auto client = ip("10.0.0.1");
const auto other_client = ip("10.0.0.2");
const auto server = ip("203.0.113.7");
const auto router = ip("192.0.2.1");
const auto external = ip("198.19.0.1");

constexpr std::uint8_t syn = flag::syn;
constexpr std::uint8_t syn_ack = flag::syn | flag::ack;
constexpr std::uint8_t ack = flag::ack;
constexpr std::uint8_t fin = flag::fin | flag::ack;

const char* const plain = R"({"external": "198.19.0.1"})";

Fields out_fields() { return {.source = client, .destination = server}; }
Fields in_fields() { return {.source = server, .destination = external}; }

void open_udp(Driver& nat, std::uint16_t port = 4000) { REQUIRE(nat.send(udp(out_fields(), port, 7)) == DropReason::none); }

}  // namespace

TEST_CASE("a segment leaves with the external endpoint, one hop further, all sums right") {
    for (const char* function : {"nat", "basic-nat"}) {
        Driver nat{function, plain};
        for (const auto& frame : {udp(out_fields(), 4000, 7, Octets(33, 0x55)), tcp(out_fields(), 4000, 7, syn), icmp(out_fields(), 8, 4000, Octets(9, 1))}) {
            REQUIRE(nat.send(frame) == DropReason::none);
            CHECK(sums_right(nat.last));
            const auto got = view(nat.last);
            CHECK(got.source == external);
            CHECK(got.source_port == 1024);
            CHECK(got.destination == server);
            CHECK(got.ttl() == 63);
        }
        REQUIRE(nat.send(udp(in_fields(), 7, 1024)) == DropReason::none);
        CHECK(sums_right(nat.last));
        CHECK(view(nat.last).destination == client);
        CHECK(view(nat.last).destination_port == 4000);
        REQUIRE(nat.send(icmp(in_fields(), 0, 1024)) == DropReason::none);
        CHECK(sums_right(nat.last));
        CHECK(view(nat.last).destination_port == 4000);
    }
}

TEST_CASE("a UDP checksum of zero stays zero, and a computed zero is sent as all ones") {
    Driver nat{"nat", plain};
    auto frame = udp(out_fields(), 4000, 7);
    packet::store16(frame, 14 + 20 + 6, 0);
    REQUIRE(nat.send(frame) == DropReason::none);
    CHECK(packet::load16(nat.last, 14 + 20 + 6) == 0);
    for (unsigned word = 0; word < 65536; ++word) {  // every sum there is, once
        REQUIRE(nat.send(udp(out_fields(), 4000, 7, {static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)})) == DropReason::none);
        REQUIRE(packet::load16(nat.last, 14 + 20 + 6) != 0);
        REQUIRE(sums_right(nat.last));
    }
}

TEST_CASE("from outside nothing enters without a session or a pinhole") {
    Driver nat{"nat", R"({"external": "198.19.0.1", "pinholes": [{"protocol": "tcp", "port": 80, "inside": "10.0.0.2", "inside_port": 8080}]})"};
    CHECK(nat.send(udp(in_fields(), 7, 1024)) == DropReason::no_pinhole);
    open_udp(nat);
    CHECK(nat.send(udp(in_fields(), 7, 1024)) == DropReason::none);
    CHECK(nat.send(udp(in_fields(), 8, 1024)) == DropReason::no_pinhole);                                       // another port
    CHECK(nat.send(udp({.source = router, .destination = external}, 7, 1024)) == DropReason::no_pinhole);       // another host
    CHECK(nat.send(tcp(in_fields(), 7, 1024, syn)) == DropReason::no_pinhole);                                   // another protocol
    CHECK(nat.send(tcp(in_fields(), 5555, 80, ack)) == DropReason::tcp_without_session);
    REQUIRE(nat.send(tcp(in_fields(), 5555, 80, syn)) == DropReason::none);
    CHECK(view(nat.last).destination == other_client);
    CHECK(view(nat.last).destination_port == 8080);
    REQUIRE(nat.send(tcp({.source = other_client, .destination = server}, 8080, 5555, syn_ack)) == DropReason::none);
    CHECK(view(nat.last).source_port == 80);
    CHECK(nat.send(udp({.source = server, .destination = router}, 7, 7)) == DropReason::foreign);
}

TEST_CASE("the basic translator lets everybody reach a mapping") {
    Driver nat{"basic-nat", plain};
    open_udp(nat);
    CHECK(nat.send(udp({.source = router, .destination = external}, 99, 1024)) == DropReason::none);
    CHECK(nat.send(udp({.source = router, .destination = external}, 99, 1025)) == DropReason::no_pinhole);
    CHECK(nat.send(udp({.source = client, .destination = external}, 4000, 1024)) == DropReason::hairpin_refused);
}

TEST_CASE("one inside endpoint has one external endpoint whatever it talks to") {
    for (const char* function : {"nat", "basic-nat"}) {
        Driver nat{function, plain};
        open_udp(nat);
        REQUIRE(nat.send(udp({.source = client, .destination = router}, 4000, 9)) == DropReason::none);
        CHECK(view(nat.last).source_port == 1024);
        open_udp(nat, 4001);
        CHECK(view(nat.last).source_port == 1025);
    }
}

TEST_CASE("the end of ports is told, old sessions go on, and a port rests before it comes again") {
    for (const char* function : {"nat", "basic-nat"}) {
        Driver nat{function, R"({"external": "198.19.0.1", "port_first": 2000, "port_last": 2003, "udp_timeout_ms": 1000, "reuse_delay_ms": 500})"};
        for (std::uint16_t i = 0; i < 4; ++i) {
            open_udp(nat, static_cast<std::uint16_t>(4000 + i));
        }
        CHECK(nat.send(udp(out_fields(), 4004, 7)) == DropReason::port_exhausted);
        CHECK(nat.send(udp(out_fields(), 4000, 7)) == DropReason::none);
        nat.now += 1100 * ms;
        nat.advance();
        CHECK(nat.function->flows() == 0);
        CHECK(nat.send(udp(out_fields(), 4004, 7)) == DropReason::port_exhausted);
        nat.now += 600 * ms;
        CHECK(nat.send(udp(out_fields(), 4004, 7)) == DropReason::none);
    }
}

TEST_CASE("TCP: only a SYN opens, the states choose the timeout, a RST shortens it") {
    Driver nat{"nat", R"({"external": "198.19.0.1", "tcp_established_timeout_ms": 100000, "tcp_transitory_timeout_ms": 4000})"};
    for (const std::uint8_t flags : {ack, fin, syn_ack, std::uint8_t{flag::rst}, std::uint8_t{flag::syn | flag::rst}, std::uint8_t{0}}) {
        CHECK(nat.send(tcp(out_fields(), 4000, 80, flags)) == DropReason::tcp_without_session);
    }
    REQUIRE(nat.send(tcp(out_fields(), 4000, 80, syn)) == DropReason::none);
    nat.now += 4 * second + 1;
    CHECK(nat.send(tcp(in_fields(), 80, 1024, syn_ack)) == DropReason::no_pinhole);  // half open: gone after the short time
    REQUIRE(nat.send(tcp(out_fields(), 4000, 80, syn)) == DropReason::none);
    const auto port = view(nat.last).source_port;
    REQUIRE(nat.send(tcp(in_fields(), 80, port, syn_ack)) == DropReason::none);
    REQUIRE(nat.send(tcp(out_fields(), 4000, 80, ack)) == DropReason::none);
    nat.now += 90 * second;
    nat.advance();
    REQUIRE(nat.send(tcp(in_fields(), 80, port, ack)) == DropReason::none);
    REQUIRE(nat.send(tcp(in_fields(), 80, port, fin)) == DropReason::none);
    nat.now += 50 * second;  // half closed: still the long time
    REQUIRE(nat.send(tcp(out_fields(), 4000, 80, fin)) == DropReason::none);
    REQUIRE(nat.send(tcp(in_fields(), 80, port, ack)) == DropReason::none);
    nat.now += 4 * second + 1;
    CHECK(nat.send(tcp(in_fields(), 80, port, ack)) == DropReason::no_pinhole);

    REQUIRE(nat.send(tcp(out_fields(), 4001, 80, syn)) == DropReason::none);
    const auto second_port = view(nat.last).source_port;
    REQUIRE(nat.send(tcp(in_fields(), 80, second_port, syn_ack)) == DropReason::none);
    REQUIRE(nat.send(tcp(in_fields(), 80, second_port, flag::rst)) == DropReason::none);
    nat.now += 4 * second + 1;
    nat.advance();
    CHECK(nat.function->flows() == 0);
}

TEST_CASE("simultaneous open (RFC 5382 REQ-2)") {
    Driver nat{"nat", plain};
    REQUIRE(nat.send(tcp(out_fields(), 4000, 80, syn)) == DropReason::none);
    REQUIRE(nat.send(tcp(in_fields(), 80, 1024, syn)) == DropReason::none);
    REQUIRE(nat.send(tcp(out_fields(), 4000, 80, syn_ack)) == DropReason::none);
    nat.now += 300 * second;
    CHECK(nat.send(tcp(in_fields(), 80, 1024, ack)) == DropReason::none);
}

TEST_CASE("one source cannot have more half-open connections, nor sessions, than allowed") {
    Driver nat{"nat", R"({"external": "198.19.0.1", "half_open_limit": 3, "sessions_per_host": 5, "tcp_transitory_timeout_ms": 1000})"};
    for (std::uint16_t i = 0; i < 3; ++i) {
        REQUIRE(nat.send(tcp(out_fields(), static_cast<std::uint16_t>(4000 + i), 80, syn)) == DropReason::none);
    }
    CHECK(nat.send(tcp(out_fields(), 4003, 80, syn)) == DropReason::half_open_limit);
    CHECK(nat.send(tcp({.source = other_client, .destination = server}, 4003, 80, syn)) == DropReason::none);
    REQUIRE(nat.send(tcp(in_fields(), 80, 1024, syn_ack)) == DropReason::none);  // established: counts no more
    REQUIRE(nat.send(tcp(out_fields(), 4003, 80, syn)) == DropReason::none);
    REQUIRE(nat.send(udp(out_fields(), 5000, 80)) == DropReason::none);
    CHECK(nat.send(udp(out_fields(), 5001, 80)) == DropReason::host_limit);
    nat.now += 1001 * ms;
    nat.advance();
    for (std::uint16_t i = 0; i < 3; ++i) {
        CHECK(nat.send(tcp(out_fields(), static_cast<std::uint16_t>(6000 + i), 80, syn)) == DropReason::none);
    }
    CHECK(nat.send(tcp(out_fields(), 6003, 80, syn)) == DropReason::host_limit);
}

TEST_CASE("rules decide when a session is opened, the first that fits") {
    Driver nat{"nat", R"({"external": "198.19.0.1", "rules": [
        {"action": "allow", "protocol": "udp", "destination": "203.0.113.0/24", "port_first": 53, "port_last": 53},
        {"action": "deny", "protocol": "udp"}, {"action": "deny", "source": "10.0.0.2/32"}]})"};
    CHECK(nat.send(udp(out_fields(), 4000, 53)) == DropReason::none);
    CHECK(nat.send(udp(out_fields(), 4000, 54)) == DropReason::denied);
    CHECK(nat.send(udp({.source = client, .destination = router}, 4000, 53)) == DropReason::denied);
    CHECK(nat.send(tcp(out_fields(), 4000, 54, syn)) == DropReason::none);
    CHECK(nat.send(tcp({.source = other_client, .destination = server}, 4000, 54, syn)) == DropReason::denied);
}

TEST_CASE("a full table refuses new sessions and keeps the old ones") {
    Driver nat{"nat", R"({"external": "198.19.0.1", "max_sessions": 2})"};
    open_udp(nat, 1);
    open_udp(nat, 2);
    CHECK(nat.send(udp(out_fields(), 3, 7)) == DropReason::session_limit);
    CHECK(nat.send(udp(out_fields(), 1, 7)) == DropReason::none);
}

TEST_CASE("later fragments follow the first one, both ways; without it they are dropped") {
    for (const char* function : {"nat", "basic-nat"}) {
        Driver nat{function, plain};
        auto whole = udp(out_fields(), 4000, 7, Octets(1000, 9));
        const auto part = [&](std::size_t from, std::size_t to, bool more, Fields fields) {
            fields.identification = 77;
            fields.fragment = static_cast<std::uint16_t>((more ? 0x2000U : 0U) | (from / 8));
            return ipv4_frame(fields, Octets(whole.begin() + 34 + static_cast<std::ptrdiff_t>(from), whole.begin() + 34 + static_cast<std::ptrdiff_t>(to)));
        };
        CHECK(nat.send(part(400, 800, true, out_fields())) == DropReason::fragment_without_first);
        REQUIRE(nat.send(part(0, 400, true, out_fields())) == DropReason::none);
        auto joined = nat.last;
        REQUIRE(nat.send(part(400, 800, true, out_fields())) == DropReason::none);
        CHECK(view(nat.last).source == external);
        joined.insert(joined.end(), nat.last.begin() + 34, nat.last.end());
        REQUIRE(nat.send(part(800, 1008, false, out_fields())) == DropReason::none);
        joined.insert(joined.end(), nat.last.begin() + 34, nat.last.end());
        // put together again, the datagram has a right sum
        packet::store16(joined, 14 + 2, static_cast<std::uint16_t>(joined.size() - 14));
        packet::store16(joined, 14 + 6, 0);
        packet::store16(joined, 14 + 10, 0);
        packet::store16(joined, 14 + 10, packet::checksum(packet::ConstBytes{joined}.subspan(14, 20)));
        CHECK(sums_right(joined));

        whole = udp(in_fields(), 7, 1024, Octets(1000, 9));
        REQUIRE(nat.send(part(0, 400, true, in_fields())) == DropReason::none);
        REQUIRE(nat.send(part(400, 1008, false, in_fields())) == DropReason::none);
        CHECK(view(nat.last).destination == client);
        nat.now += 3 * second;
        CHECK(nat.send(part(400, 1008, false, in_fields())) == DropReason::fragment_without_first);
    }
}

TEST_CASE("fragments that hide or overwrite a header are dropped (RFC 1858)") {
    Driver nat{"nat", plain};
    auto fields = out_fields();
    fields.fragment = 0x2000;
    fields.protocol = 6;
    CHECK(nat.send(ipv4_frame(fields, Octets(8, 0))) == DropReason::tiny_fragment);
    fields.protocol = 17;
    CHECK(nat.send(ipv4_frame(fields, Octets(7, 0))) == DropReason::tiny_fragment);
    fields.protocol = 6;
    fields.fragment = 1;
    CHECK(nat.send(ipv4_frame(fields, Octets(40, 0))) == DropReason::tiny_fragment);
}

TEST_CASE("errors about living flows are translated with what they quote, others are dropped") {
    for (const char* function : {"nat", "basic-nat"}) {
        for (const auto& original : {udp(out_fields(), 4000, 7), tcp(out_fields(), 4000, 7, syn), icmp(out_fields(), 8, 4000)}) {
            Driver nat{function, plain};
            REQUIRE(nat.send(original) == DropReason::none);
            const auto sent = nat.last;
            auto error = icmp_error({.source = router, .destination = external}, 11, sent);
            REQUIRE(nat.send(error) == DropReason::none);
            CHECK(sums_right(nat.last));
            CHECK(view(nat.last).destination == client);
            CHECK(view(nat.last).source == router);
            Octets quoted(nat.last.begin() + 14 + 28, nat.last.end());
            CHECK(packet::load32(quoted, 12) == client);
            CHECK(packet::load16(quoted, original[23] == 1 ? 24 : 20) == 4000);
            CHECK(packet::checksum_valid(packet::ConstBytes{quoted}.first(20)));
            error.back() ^= 1;
            CHECK(nat.send(error) == DropReason::bad_checksum);
            CHECK(nat.send(icmp_error({.source = router, .destination = external}, 5, sent)) == DropReason::unsupported_icmp);
            CHECK(nat.send(icmp_error({.source = router, .destination = external}, 3, original)) == DropReason::no_pinhole);
        }
    }
}

TEST_CASE("an error from inside looks as if the translator had sent it") {
    Driver nat{"nat", plain};
    open_udp(nat);
    const auto arrived = udp(in_fields(), 7, 1024);
    REQUIRE(nat.send(arrived) == DropReason::none);
    REQUIRE(nat.send(icmp_error(out_fields(), 3, nat.last)) == DropReason::none);
    CHECK(sums_right(nat.last));
    CHECK(view(nat.last).source == external);
    Octets quoted(nat.last.begin() + 14 + 28, nat.last.end());
    CHECK(packet::load32(quoted, 16) == external);
    CHECK(packet::load16(quoted, 22) == 1024);
}

TEST_CASE("hairpinning: inside hosts meet by external endpoints, with external sources (RFC 4787 REQ-9)") {
    Driver nat{"nat", R"({"external": "198.19.0.1", "pinholes": [{"protocol": "udp", "port": 53, "inside": "10.0.0.2"}]})"};
    REQUIRE(nat.send(udp({.source = client, .destination = external}, 4000, 53)) == DropReason::none);
    CHECK(sums_right(nat.last));
    CHECK(view(nat.last).source == external);
    CHECK(view(nat.last).destination == other_client);
    CHECK(view(nat.last).ttl() == 63);
    const auto port = view(nat.last).source_port;
    REQUIRE(nat.send(udp({.source = other_client, .destination = external}, 53, port)) == DropReason::none);
    CHECK(sums_right(nat.last));
    CHECK(view(nat.last).destination == client);
    CHECK(view(nat.last).source_port == 53);
    Driver strict{"nat", R"({"external": "198.19.0.1", "hairpin": false})"};
    CHECK(strict.send(udp({.source = client, .destination = external}, 4000, 53)) == DropReason::hairpin_refused);
    CHECK(strict.function->flows() == 0);
}

TEST_CASE("what cannot be translated is dropped with its reason") {
    Driver nat{"nat", plain};
    const auto changed = [](Octets frame, std::size_t place, std::uint8_t value, bool mend = true) {
        frame[place] = value;
        if (mend) {
            packet::store16(frame, 24, 0);
            packet::store16(frame, 24, packet::checksum(packet::ConstBytes{frame}.subspan(14, 20)));
        }
        return frame;
    };
    const auto good = udp(out_fields(), 4000, 7);
    CHECK(nat.send(changed(good, 12, 0x86, false)) == DropReason::not_ipv4);
    CHECK(nat.send(Octets(5, 0)) == DropReason::malformed);
    CHECK(nat.send(changed(good, 14, 0x44)) == DropReason::malformed);            // header length
    CHECK(nat.send(changed(good, 14, 0x65)) == DropReason::malformed);            // version
    CHECK(nat.send(changed(good, 16, 0x40)) == DropReason::malformed);            // longer than the frame
    CHECK(nat.send(changed(good, 39, 0xff)) == DropReason::malformed);            // UDP length
    CHECK(nat.send(changed(good, 22, 63, false)) == DropReason::bad_checksum);
    CHECK(nat.send(changed(good, 22, 1)) == DropReason::ttl_expired);
    CHECK(nat.send(changed(good, 23, 47)) == DropReason::unsupported_protocol);
    CHECK(nat.send(udp({.source = client, .destination = ip("224.0.0.1")}, 1, 2)) == DropReason::martian);
    CHECK(nat.send(icmp(out_fields(), 13, 0)) == DropReason::unsupported_icmp);
    CHECK(nat.send(icmp(out_fields(), 0, 5)) == DropReason::unsupported_icmp);
    CHECK(nat.send(icmp(in_fields(), 8, 5)) == DropReason::unsupported_icmp);
    auto short_offset = tcp(out_fields(), 1, 2, syn);
    short_offset[14 + 20 + 12] = 0xf0;
    CHECK(nat.send(short_offset) == DropReason::malformed);
    CHECK(nat.function->flows() == 0);
    CHECK(nat.function->dropped(DropReason::malformed) == 6);
}

TEST_CASE("between two ports packets leave by the other one") {
    Driver nat{"nat", R"({"external": "198.19.0.1", "ports": 2})"};
    nat.port = 0;
    open_udp(nat);
    CHECK(nat.last_port == 1);
    nat.port = 1;
    REQUIRE(nat.send(udp(in_fields(), 7, 1024)) == DropReason::none);
    CHECK(nat.last_port == 0);
}

TEST_CASE("state moves: mapping, counters and remaining timeout go on exactly, and only one instance has it") {
    for (const char* function : {"nat", "basic-nat"}) {
        Driver a{function, R"({"external": "198.19.0.1", "udp_timeout_ms": 1000})"};
        Driver b{function, R"({"external": "198.19.0.2", "udp_timeout_ms": 1000})"};
        open_udp(a, 4000);
        open_udp(a, 4001);
        open_udp(a, 4000);
        const nf::FlowKey moved{client, server, 4000, 7, 17};
        const auto selection = nf::FlowSelector::listed({moved});
        a.now += 600 * ms;
        const auto state = a.function->export_state(selection, a.now);
        CHECK(a.send(udp(out_fields(), 4000, 7)) == DropReason::state_exported);
        CHECK(a.send(udp(out_fields(), 4001, 7)) == DropReason::none);
        b.now = 50 * second;  // another clock
        auto report = b.function->import_state(state, b.now);
        CHECK(report.flows == 1);
        report = b.function->import_state(state, b.now);  // once more changes nothing
        CHECK(report.flows == 1);
        CHECK(b.function->flows() == 1);
        CHECK(a.function->release_state(nf::FlowSelector::all()) == 1);
        CHECK(a.function->flows() == 1);
        const auto before = b.function->list_flows(b.now);
        REQUIRE(before.size() == 1);
        CHECK(before[0].flow == moved);
        CHECK(before[0].packets == 2);
        b.now += 399 * ms;
        REQUIRE(b.send(udp(in_fields(), 7, 1024)) == DropReason::none);  // external address of the first instance
        CHECK(view(b.last).destination_port == 4000);
        REQUIRE(b.send(udp(out_fields(), 4000, 7)) == DropReason::none);
        CHECK(view(b.last).source == external);
        CHECK(view(b.last).source_port == 1024);
        CHECK(b.function->list_flows(b.now)[0].packets == 4);
        b.now += 1001 * ms;
        CHECK(b.send(udp(in_fields(), 7, 1024)) == DropReason::no_pinhole);
        for (int i = 0; i < 70'000; ++i) {  // the port that went with the flow is not given to another one here
            if (a.send(udp({.source = other_client, .destination = server}, static_cast<std::uint16_t>(i), 7)) == DropReason::port_exhausted) {
                break;
            }
            REQUIRE(view(a.last).source_port != 1024);
            a.now += 20 * ms;
            a.advance();
        }
    }
}

TEST_CASE("a flow whose remaining time has passed on the way is not resurrected") {
    Driver a{"nat", R"({"external": "198.19.0.1", "udp_timeout_ms": 1000})"};
    Driver b{"nat", R"({"external": "198.19.0.2", "udp_timeout_ms": 1000})"};
    open_udp(a);
    a.now += 900 * ms;
    const auto state = a.function->export_state(nf::FlowSelector::all(), a.now);
    b.function->import_state(state, b.now);
    b.now += 200 * ms;
    CHECK(b.send(udp(in_fields(), 7, 1024)) == DropReason::no_pinhole);
}

TEST_CASE("a move that is given up leaves everything as it was") {
    Driver a{"nat", plain};
    open_udp(a);
    (void)a.function->export_state(nf::FlowSelector::all(), a.now);
    CHECK(a.send(udp(out_fields(), 4000, 7)) == DropReason::state_exported);
    CHECK(a.function->resume_state(nf::FlowSelector::all()) == 1);
    REQUIRE(a.send(udp(out_fields(), 4000, 7)) == DropReason::none);
    CHECK(view(a.last).source_port == 1024);
    CHECK(a.function->release_state(nf::FlowSelector::all()) == 0);  // nothing is frozen, nothing is forgotten
}

TEST_CASE("a mapping that is used otherwise is a conflict, not a change") {
    Driver a{"nat", plain};
    Driver b{"nat", plain};  // the same external address
    open_udp(a, 4000);
    open_udp(b, 5000);  // has port 1024
    const auto state = a.function->export_state(nf::FlowSelector::all(), a.now);
    const auto report = b.function->import_state(state, b.now);
    CHECK(report.flows == 0);
    CHECK(report.conflicts == 1);
    REQUIRE(b.send(udp(in_fields(), 7, 1024)) == DropReason::none);
    CHECK(view(b.last).destination_port == 5000);
}
