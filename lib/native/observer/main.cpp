// nfvcert-observer: per-flow counts on virtual ports, under the orders of JSON lines on standard input.

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <iostream>
#include <string>

#include "observer/ports.hpp"

namespace {

using nfvcert::observer::Ports;

constexpr int look_every_ms = 10;

nlohmann::json obey(Ports& ports, const nlohmann::json& order) {
    const auto op = order.value("op", "");
    if (op == "add") {
        ports.add(order.at("ifname"), order.at("port"), order.value("mac", ""));
    } else if (op == "remove") {
        ports.remove(order.at("port"));
    } else if (op == "dump") {
        return ports.dump(order.at("path"), order.value("clear", false));
    } else if (op == "counters") {
        return ports.counters();
    } else if (op != "ping") {
        return {{"ok", false}, {"error", "unknown order '" + op + "'"}};
    }
    return {{"ok", true}};
}

void take_orders(Ports& ports, std::string& pending) {
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
        const auto line = pending.substr(0, end);
        pending.erase(0, end + 1);
        nlohmann::json answer;
        try {
            answer = obey(ports, nlohmann::json::parse(line));
        } catch (const std::exception& error) {
            answer = {{"ok", false}, {"error", error.what()}};
        }
        std::cout << answer.dump() << '\n';
        std::cout.flush();
    }
}

}  // namespace

int main() {
    setpriority(PRIO_PROCESS, 0, -10);  // a ring that nobody reads overflows; without the right to ask, drops tell
    Ports ports;
    std::string pending;
    while (true) {
        pollfd orders{STDIN_FILENO, POLLIN, 0};
        poll(&orders, 1, look_every_ms);  // the rings hold far more; waking for each block would cost more than the counting
        ports.drain();
        if (orders.revents != 0) {
            std::array<char, 65536> buffer{};
            const auto count = read(STDIN_FILENO, buffer.data(), buffer.size());
            if (count <= 0) {
                return 0;
            }
            pending.append(buffer.data(), static_cast<std::size_t>(count));
            take_orders(ports, pending);
        }
    }
}
