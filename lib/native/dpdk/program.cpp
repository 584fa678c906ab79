#include "dpdk/program.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>

namespace nfvcert::dpdk {
namespace {

using nlohmann::json;

constexpr unsigned default_packets = 16383;
constexpr std::uint64_t look_after_ports_ns = 50'000'000;

EnvironmentOptions environment_of(const std::string& name, const json& configuration) {
    return {
        .program = name,
        .core = configuration.value("core", -1),
        .memory_mib = configuration.value("memory_mib", 256U),
        .hugepages = configuration.value("hugepages", false),
        .pci = configuration.value("pci", std::vector<std::string>{}),
    };
}

std::string control_path(const json& configuration) {
    if (!configuration.contains("control")) {
        throw std::runtime_error("the configuration names no 'control' socket");
    }
    return configuration.at("control").get<std::string>();
}

json read_configuration(const std::string& path) {
    std::ifstream file{path};
    if (!file) {
        throw std::invalid_argument("the configuration " + path + " cannot be read");
    }
    try {
        auto found = json::parse(file);
        if (found.is_object()) {
            return found;
        }
    } catch (const json::exception& error) {
        throw std::invalid_argument("the configuration " + path + " is no JSON: " + error.what());
    }
    throw std::invalid_argument("the configuration " + path + " is no JSON object");
}

}  // namespace

Program::Program(const std::string& name, const json& configuration)
    : configuration_(configuration),
      environment_{environment_of(name, configuration)},
      pool_{make_pool("packets", configuration.value("packets", default_packets))},
      control_{control_path(configuration)} {
    for (const auto& [port, spec] : configuration.value("ports", std::map<std::string, std::string>{})) {
        ports_[port] = Port::open(port, spec, pool_);
    }
    control_.on("ports", [this](const json&) { return json{{"ports", port_counters()}}; });
    control_.on("loop", [this](const json&) {
        return json{{"rounds", loop_.rounds()},
                    {"busy_rounds", loop_.busy_rounds()},
                    {"tsc_per_second", clock_.tsc_per_second()}};
    });
}

Port& Program::port(const std::string& name) {
    const auto found = ports_.find(name);
    if (found == ports_.end()) {
        throw std::runtime_error("the configuration has no port '" + name + "'");
    }
    return *found->second;
}

json Program::port_counters() const {
    auto all = json::object();
    for (const auto& [name, port] : ports_) {
        const auto counted = port->counters();
        all[name] = {{"link", port->link_up()},          {"rx_packets", counted.rx_packets},
                     {"rx_bytes", counted.rx_bytes},     {"tx_packets", counted.tx_packets},
                     {"tx_bytes", counted.tx_bytes},     {"rx_errors", counted.rx_errors},
                     {"rx_missed", counted.rx_missed},   {"tx_dropped", counted.tx_dropped}};
    }
    return all;
}

void Program::run() {
    loop_.add([this, next_sync = std::uint64_t{0}, next_look = std::uint64_t{0}](std::uint64_t tsc) mutable {
        if (tsc >= next_look) {
            next_look = tsc + clock_.to_tsc(look_after_ports_ns);
            for (const auto& [name, port] : ports_) {
                port->maintain();
            }
            if (tsc >= next_sync) {
                clock_.sync();
                next_sync = tsc + clock_.tsc_per_second();
            }
        }
        return 0U;
    });
    loop_.arm();
    control_.start();
    auto ready = json{{"event", "ready"}, {"pid", ::getpid()}, {"ports", json::object()}};
    for (const auto& [name, port] : ports_) {
        ready["ports"][name] = port->kind();
    }
    std::cout << ready.dump() << std::endl;
    loop_.run();
    control_.stop();
    for (; !at_end_.empty(); at_end_.pop_back()) {
        at_end_.back()();
    }
}

int polling_main(const std::string& name, int argc, char** argv, const std::function<void(Program&)>& body) {
    try {
        if (argc != 3 || std::string{argv[1]} != "--config") {
            throw std::invalid_argument("usage: " + name + " --config FILE");
        }
        const auto configuration = read_configuration(argv[2]);
        if (configuration.value("die_with_parent", false)) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        }
        Program program{name, configuration};
        body(program);
        program.run();
        return 0;
    } catch (const std::invalid_argument& error) {
        std::cerr << name << ": " << error.what() << std::endl;
        return 2;
    } catch (const std::exception& error) {
        std::cerr << name << ": " << error.what() << std::endl;
        return 1;
    }
}

}  // namespace nfvcert::dpdk
