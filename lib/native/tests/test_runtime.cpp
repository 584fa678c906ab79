// Parts of the runtime that need neither privileges nor a network.

#include <doctest/doctest.h>

#include <vector>

#include "runtime/clock.hpp"
#include "runtime/component.hpp"

using namespace nfvcert::runtime;
using nlohmann::json;

TEST_CASE("timers run in order of their time and the loop stops when told") {
    EventLoop loop;
    std::vector<int> order;
    loop.after(2 * ns_per_ms, [&] {
        order.push_back(2);
        loop.stop();
    });
    loop.after(ns_per_ms, [&] { order.push_back(1); });
    int periods = 0;
    loop.every(ns_per_ms / 2, [&] { ++periods; });
    loop.run();
    CHECK(order == std::vector{1, 2});
    CHECK(periods >= 2);
}

TEST_CASE("management answers every line, whatever it holds") {
    EventLoop loop;
    ManagementServer server{loop, 0};
    server.add("echo", [](const json& request) { return json{{"value", request.at("value")}}; });
    server.add("refuse", [](const json&) -> json { throw RequestError("not now"); });
    const auto ask = [&](const std::string& line) { return json::parse(server.answer(line)); };
    CHECK(ask(R"({"command":"echo","value":3})") == json{{"ok", true}, {"value", 3}});
    CHECK(ask(R"({"command":"refuse"})") == json{{"ok", false}, {"error", "not now"}});
    for (const auto* bad : {"", "{", "[]", "3", "{}", R"({"command":1})", R"({"command":"echo"})", "\xff\xfe",
                            R"({"command":"no such"})"}) {
        CHECK(ask(bad)["ok"] == false);
        CHECK(ask(bad)["error"].is_string());
    }
}

TEST_CASE("user data is read with the errors that name the place") {
    const auto data = parse_user_data(json::parse(R"({
        "vnfcId": "a", "ports": [{"cp": "internal", "ifname": "eth0", "mac": "02:00:00:00:00:01", "ip": "10.80.0.4",
        "prefix": 16}], "config": {"user_idle_s": "1.5", "bad": "x", "negative": -1}})"));
    CHECK(data.port("internal").ip->text() == "10.80.0.4");
    CHECK(data.port("internal").prefix == 16);
    CHECK(data.number("user_idle_s", 2) == 1.5);
    CHECK(data.number("absent", 2) == 2);
    CHECK_THROWS((void)data.number("bad", 2));
    CHECK_THROWS((void)data.number("negative", 2));
    CHECK_THROWS_WITH((void)data.port("external"),
                      "user data: no port for connection point 'external', there are: internal");
    CHECK_THROWS((void)parse_user_data(json::object()));
    CHECK_THROWS((void)parse_user_data(json{{"ports", {{{"cp", "x"}, {"ip", "nowhere"}}}}}));
    CHECK_THROWS((void)read_user_data("/nonexistent"));
}

TEST_CASE("arguments") {
    const std::vector<const char*> good{"lb", "data.json", "--management-port", "9000", "--interface-wait-s", "1"};
    const auto options = parse_options(static_cast<int>(good.size()), good.data());
    CHECK(options.user_data == "data.json");
    CHECK(options.management_port == 9000);
    CHECK(options.interface_wait_ns == ns_per_s);
    for (const std::vector<const char*>& bad : {std::vector<const char*>{"lb", "--nonsense", "1"},
                                                {"lb", "--management-port"},
                                                {"lb", "--management-port", "70000"}}) {
        CHECK_THROWS((void)parse_options(static_cast<int>(bad.size()), bad.data()));
    }
}

TEST_CASE("waiting for interfaces ends with a message that names them") {
    ComponentOptions options;
    options.management_port = 0;
    options.interface_wait_ns = 200 * ns_per_ms;  // longer than a busy machine keeps the first look waiting
    Component component{options, parse_user_data(json{{"ports", {{{"cp", "access"}, {"ifname", "nosuch0"}}}}})};
    component.open_ports({"access"}, [] { FAIL("there is no such interface"); });
    CHECK_FALSE(component.ready());
    CHECK_THROWS_WITH(component.run(), "gave up waiting for interfaces: access (nosuch0, not there)");
}
