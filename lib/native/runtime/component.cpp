#include "runtime/component.hpp"

#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <string_view>

#include "runtime/clock.hpp"

namespace nfvcert::runtime {

namespace {

constexpr std::uint64_t interface_poll_ns = 20 * ns_per_ms;

template <typename Number>
Number parse_number(std::string_view option, std::string_view text) {
    Number value{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size()) {
        throw std::runtime_error(std::string{option} + ": not a number: " + std::string{text});
    }
    return value;
}

}  // namespace

ComponentOptions parse_options(int argc, const char* const* argv) {
    ComponentOptions options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument{argv[i]};
        if (!argument.starts_with("--")) {
            options.user_data = argument;
            continue;
        }
        if (i + 1 == argc) {
            throw std::runtime_error(std::string{argument} + ": value missing");
        }
        const std::string_view value{argv[++i]};
        if (argument == "--management-port") {
            options.management_port = parse_number<std::uint16_t>(argument, value);
        } else if (argument == "--interface-wait-s") {
            options.interface_wait_ns = parse_number<std::uint32_t>(argument, value) * ns_per_s;
        } else {
            throw std::runtime_error("unknown option " + std::string{argument} +
                                     "; usage: [USER_DATA_FILE] [--management-port N] [--interface-wait-s N]");
        }
    }
    return options;
}

Component::Component(const ComponentOptions& options, UserData user_data)
    : options_{options},
      user_data_{std::move(user_data)},
      management_{loop_, options.management_port},
      poller_{loop_, PortPoller::Policy{}} {}

void Component::open_ports(const std::vector<std::string>& cps, std::function<void()> ready) {
    for (const auto& cp : cps) {
        (void)user_data_.port(cp);  // an unknown one is an error now, not later
    }
    try_ports(cps, ready, monotonic_ns() + options_.interface_wait_ns);
}

void Component::try_ports(const std::vector<std::string>& cps, const std::function<void()>& ready,
                          std::uint64_t deadline_ns) {
    std::map<std::string, Interface> found;
    std::string missing;
    for (const auto& cp : cps) {
        const auto& description = user_data_.port(cp);
        const auto interface = find_interface(description.mac, description.ifname);
        if (interface && interface->up) {
            found[cp] = *interface;
            continue;
        }
        missing += (missing.empty() ? "" : ", ") + cp + " (" + description.ifname +
                   (description.mac ? ", " + description.mac->text() : "") + (interface ? ", is down)" : ", not there)");
    }
    if (missing.empty()) {
        for (const auto& [cp, interface] : found) {
            ports_[cp] = std::make_unique<PacketPort>(interface);
        }
        ready_ = true;
        ready();
        return;
    }
    if (monotonic_ns() >= deadline_ns) {
        throw std::runtime_error("gave up waiting for interfaces: " + missing);
    }
    loop_.after(interface_poll_ns, [=, this] { try_ports(cps, ready, deadline_ns); });
}

nlohmann::json Component::port_counters() {
    auto all = nlohmann::json::object();
    for (const auto& [cp, port] : ports_) {
        const auto counters = port->counters();
        all[cp] = {{"received", counters.received},         {"sent", counters.sent},
                   {"receive_overruns", counters.receive_overruns}, {"oversized", counters.oversized},
                   {"send_retries", counters.send_retries}, {"send_drops", counters.send_drops}};
    }
    return all;
}

void Component::run() { loop_.run(); }

int guarded_main(const std::string& program, const std::function<void()>& body) {
    try {
        body();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program.c_str(), error.what());
        return 1;
    }
}

}  // namespace nfvcert::runtime
