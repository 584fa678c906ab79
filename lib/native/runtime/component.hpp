#pragma once
// Frame of a network function's process: arguments, user data, management, ports, event loop.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/event_loop.hpp"
#include "runtime/management_server.hpp"
#include "runtime/packet_port.hpp"
#include "runtime/port_poller.hpp"
#include "runtime/user_data.hpp"

namespace nfvcert::runtime {

struct ComponentOptions {
    std::string user_data = "/etc/vnfc/user-data.json";
    std::uint16_t management_port = 8300;
    std::uint64_t interface_wait_ns = 30'000'000'000;
};

/// Reads [USER_DATA_FILE] [--management-port N] [--interface-wait-s N]; throws std::runtime_error on anything else.
ComponentOptions parse_options(int argc, const char* const* argv);

class Component {
public:
    Component(const ComponentOptions& options, UserData user_data);

    [[nodiscard]] const UserData& user_data() const { return user_data_; }
    [[nodiscard]] EventLoop& loop() { return loop_; }
    [[nodiscard]] ManagementServer& management() { return management_; }
    [[nodiscard]] PortPoller& poller() { return poller_; }

    /// Opens the interfaces of these connection points as soon as all are there and up, then calls `ready`. run() throws
    /// when that takes longer than the options allow.
    void open_ports(const std::vector<std::string>& cps, std::function<void()> ready);
    [[nodiscard]] PacketPort& port(const std::string& cp) { return *ports_.at(cp); }
    [[nodiscard]] bool ready() const { return ready_; }
    /// Counters of the open ports, for statistics.
    [[nodiscard]] nlohmann::json port_counters();

    void run();

private:
    void try_ports(const std::vector<std::string>& cps, const std::function<void()>& ready, std::uint64_t deadline_ns);

    ComponentOptions options_;
    UserData user_data_;
    EventLoop loop_;
    ManagementServer management_;
    PortPoller poller_;
    std::map<std::string, std::unique_ptr<PacketPort>> ports_;
    bool ready_ = false;
};

/// Runs `body`; errors go to stderr as one line "<program>: <error>". Returns the exit code.
int guarded_main(const std::string& program, const std::function<void()>& body);

}  // namespace nfvcert::runtime
