#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <tuple>

#include "dpdk/clock.hpp"
#include "dpdk/control.hpp"
#include "dpdk/loop.hpp"
#include "dpdk/port.hpp"

using namespace nfvcert::dpdk;
using nlohmann::json;

namespace {

std::string socket_path(const char* name) { return "/tmp/nfvcert-test-" + std::to_string(::getpid()) + "-" + name; }

class Client {
public:
    explicit Client(const std::string& path) : fd_{::socket(AF_UNIX, SOCK_STREAM, 0)} {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    void send(const std::string& text) {
        REQUIRE(::write(fd_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    }
    json read() {
        char octet = 0;
        std::string line;
        while (::read(fd_.get(), &octet, 1) == 1 && octet != '\n') {
            line += octet;
        }
        return json::parse(line);
    }

private:
    nfvcert::runtime::UniqueFd fd_;
};

}  // namespace

TEST_CASE("a port is named by kind and values") {
    const auto spec = PortSpec::parse("memif:socket=/run/a.sock,role=server,ring=4096");
    CHECK(spec.driver() == "net_memif");
    CHECK(spec.device_arguments() == "role=server,socket=/run/a.sock,socket-abstract=no,id=0,rsize=12");
    CHECK(PortSpec::parse("pci:address=0000:00:1f.0").values.at("address") == "0000:00:1f.0");
    CHECK(PortSpec::parse("ring:").descriptors() == 1024);
}

TEST_CASE("a port that makes no sense is refused with what is known") {
    CHECK_THROWS_WITH(PortSpec::parse("tap:iface=x"), doctest::Contains("unknown kind 'tap'; known are memif"));
    CHECK_THROWS_WITH(PortSpec::parse("memif:socket=/a"), doctest::Contains("'role' is missing"));
    CHECK_THROWS_WITH(PortSpec::parse("memif:socket=/a,role=slave"), doctest::Contains("role is server or client"));
    CHECK_THROWS_WITH(PortSpec::parse("af_packet:iface=x,speed=1"), doctest::Contains("'speed=1' is not known"));
    CHECK_THROWS_WITH(PortSpec::parse("ring:ring=1000"), doctest::Contains("power of two"));
    CHECK_THROWS_WITH(PortSpec::parse("ring:ring=many"), doctest::Contains("has to be a number, found 'many'"));
    CHECK_THROWS_WITH(PortSpec::parse("ring:ring=32768"), doctest::Contains("up to 16384"));
}

TEST_CASE("the counter's clock keeps to CLOCK_MONOTONIC") {
    TscClock clock;
    const auto apart = [&] {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        const auto true_ns = static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
        return static_cast<std::int64_t>(clock.now_ns()) - true_ns;
    };
    std::int64_t least = 1'000'000'000;
    for (int i = 0; i < 100; ++i) {
        clock.sync();
        least = std::min(least, std::abs(apart()));
    }
    CHECK(least < 5'000);
    const auto tsc = TscClock::tsc();
    CHECK(clock.to_ns(tsc + clock.to_tsc(1'000'000)) - clock.to_ns(tsc) == doctest::Approx(1'000'000).epsilon(0.001));
    CHECK(clock.to_ns(tsc) - clock.to_ns(tsc - clock.to_tsc(1'000'000)) == doctest::Approx(1'000'000).epsilon(0.001));
}

TEST_CASE("orders are answered, refusals say why, subscribers hear events") {
    const auto path = socket_path("control");
    Control control{path};
    control.on("double", [](const json& order) { return json{{"result", 2 * order.at("value").get<int>()}}; });
    control.on("never", [](const json&) -> json { throw Refusal{"table-full", "no entry left", {{"free", 0}}}; });
    control.start();
    Client client{path};
    client.send("{\"op\":\"double\",\"value\":21,\"id\":7}\n{\"op\":\"never\"}\n");
    CHECK(client.read() == json::parse(R"({"ok":true,"id":7,"result":42})"));
    CHECK(client.read() == json::parse(R"({"ok":false,"code":"table-full","error":"no entry left","free":0})"));
    client.send("nonsense\n{\"op\":\"what\"}\n[]\n{\"op\":\"double\"}\n");
    CHECK(client.read().at("code") == "bad-order");
    CHECK(client.read().at("error") == "there is no order 'what'");
    CHECK(client.read().at("code") == "bad-order");
    CHECK(client.read().at("code") == "bad-order");
    client.send("{\"op\":\"subscribe\"}\n");
    CHECK(client.read().at("ok") == true);
    control.publish({{"event", "below"}, {"flows", 3}});
    CHECK(client.read() == json::parse(R"({"event":"below","flows":3})"));
}

TEST_CASE("an order that takes its time keeps no other waiting") {
    const auto path = socket_path("slow");
    std::promise<void> settled;
    auto settles = settled.get_future().share();
    Control control{path};
    control.on_slow("settle", [settles](const json&) { return settles.wait(), json{{"settled", true}}; });
    control.on_slow("fail", [](const json&) -> json { throw Refusal{"ending", "the loop ends"}; });
    control.on("ping", [](const json&) { return json::object(); });
    control.start();
    Client client{path};
    client.send("{\"op\":\"settle\",\"id\":1}\n{\"op\":\"ping\",\"id\":2}\n");
    CHECK(client.read().at("id") == 2);
    for (unsigned i = 1; i < Control::most_slow; ++i) {
        client.send("{\"op\":\"settle\",\"id\":1}\n");
    }
    client.send("{\"op\":\"settle\",\"id\":3}\n");
    const auto refused = client.read();
    CHECK(refused.at("id") == 3);
    CHECK(refused.at("code") == "busy");
    {
        Client gone{path};  // before its answer comes
        gone.send("{\"op\":\"fail\"}\n");
    }
    settled.set_value();
    for (unsigned i = 0; i < Control::most_slow; ++i) {
        CHECK(client.read() == json::parse(R"({"ok":true,"id":1,"settled":true})"));
    }
    client.send("{\"op\":\"fail\",\"id\":4}\n");
    CHECK(client.read() == json::parse(R"({"ok":false,"id":4,"code":"ending","error":"the loop ends"})"));
}

TEST_CASE("a client that vanishes leaves the others served") {
    const auto path = socket_path("vanishing");
    Control control{path};
    control.on("ping", [](const json&) { return json::object(); });
    control.start();
    for (int i = 0; i < 20; ++i) {
        Client gone{path};
        gone.send("{\"op\":\"subscribe\"}\n{\"op\":");
    }
    control.publish({{"event", "tick"}});
    Client client{path};
    client.send("{\"op\":\"ping\"}\n");
    CHECK(client.read().at("ok") == true);
}

TEST_CASE("a path too long for a socket is an error") {
    CHECK_THROWS_WITH(Control{std::string(200, 'x')}, doctest::Contains("longer than"));
}

TEST_CASE("the polling thread does what other threads hand over") {
    Loop loop;
    const auto here = std::this_thread::get_id();
    CHECK(loop.inside([] { return 5; }) == 5);  // nothing polls yet
    unsigned rounds = 0;
    loop.add([&](std::uint64_t) { return ++rounds, 0U; });
    loop.arm();
    std::thread polling{[&] { loop.run(); }};
    CHECK(loop.inside([&] { return std::this_thread::get_id() != here; }));
    CHECK_THROWS_WITH(loop.inside([]() -> int { throw Refusal{"table-full", "no entry left"}; }), "no entry left");
    loop.stop();
    polling.join();
    CHECK(rounds > 0);
    CHECK(loop.busy_rounds() == 0);
}

TEST_CASE("with full bursts some rounds pass before the processor is given away, and no more than that") {
    for (const auto& [packets, stays, expected] : {std::tuple{64U, 4U, 10U}, {63U, 4U, 40U}, {64U, 1U, 40U}}) {
        Loop loop;
        loop.stay_while_full(stays);
        unsigned asked = 0;
        loop.add([&, packets = packets](std::uint64_t) {
            if (++asked == 40) {
                loop.stop();
            }
            return packets;
        });
        loop.run();
        CHECK(asked == 40);
        CHECK(loop.rounds() == expected);
        CHECK(loop.busy_rounds() == expected);
    }
}

TEST_CASE("who waits for a polling thread that is stuck is told so") {
    Loop loop;
    loop.arm();  // and never runs
    CHECK_THROWS_AS(loop.inside([] { return 1; }), Refusal);
}
