#include "observer/ports.hpp"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

namespace nfvcert::observer {

namespace {

constexpr useconds_t retire_us = 25'000;  // more than the kernel takes to hand over a block that is not full

nlohmann::json counter_json(const Counter& counter) {
    return {{"packets", counter.packets}, {"bytes", counter.bytes}, {"last_ns", counter.last}};
}

}  // namespace

void Ports::add(const std::string& ifname, const std::string& port, const std::string& mac) {
    const auto known = ports_.find(port);
    if (known != ports_.end() && known->second.tap) {
        if (known->second.tap->interface_exists()) {
            throw std::invalid_argument("port " + port + " is observed already");
        }
        let_go(known->second);
    }
    const auto own = packet::MacAddress::parse(mac);
    if (!mac.empty() && !own) {
        throw std::invalid_argument("not a MAC address: " + mac);
    }
    auto tap = std::make_unique<Tap>(ifname, own);
    ports_[port].tap = std::move(tap);
}

void Ports::let_go(Port& port) {
    usleep(retire_us);
    port.tap->drain(port.records, port.counters);
    port.drops += port.tap->dropped();
    port.tap.reset();
}

void Ports::remove(const std::string& port) {
    const auto found = ports_.find(port);
    if (found != ports_.end() && found->second.tap) {
        let_go(found->second);
    }
}

void Ports::drain() {
    for (auto& [name, port] : ports_) {
        if (port.tap) {
            port.tap->drain(port.records, port.counters);
        }
    }
}

void Ports::drain_to_now() {
    usleep(retire_us);
    drain();
    for (auto& [name, port] : ports_) {
        if (port.tap) {
            port.drops += port.tap->dropped();
        }
    }
}

nlohmann::json Ports::dump(const std::string& path, bool clear) {
    drain_to_now();
    std::ofstream out(path);
    out << "port,direction,proto,src,sport,dst,dport,dscp,packets,bytes,first_ns,last_ns,flow_id\n";
    std::uint64_t rows = 0;
    std::uint64_t drops = 0;
    for (auto& [name, port] : ports_) {
        drops += port.drops;
        for (const auto& [key, record] : port.records) {
            ++rows;
            out << name << ',' << (key.direction == Direction::in ? "in" : "out") << ',' << int{key.protocol} << ','
                << key.source.address.text() << ',' << key.source.port << ',' << key.destination.address.text() << ','
                << key.destination.port << ',' << int{key.dscp} << ',' << record.packets << ',' << record.bytes << ','
                << record.first << ',' << record.last << ',' << (key.flow < 0 ? "" : std::to_string(key.flow))
                << '\n';
        }
        if (clear) {
            port.records.clear();
            port.counters = {};
            port.drops = 0;
        }
    }
    out.flush();
    if (!out.good()) {
        throw std::runtime_error("cannot write " + path);
    }
    if (clear) {
        std::erase_if(ports_, [](const auto& item) { return !item.second.tap; });
    }
    return {{"ok", true}, {"rows", rows}, {"ring_drops", drops}};
}

nlohmann::json Ports::counters() {
    drain_to_now();
    auto all = nlohmann::json::object();
    for (const auto& [name, port] : ports_) {
        all[name] = {{"in", counter_json(port.counters[0])},
                     {"out", counter_json(port.counters[1])},
                     {"ring_drops", port.drops}};
    }
    return {{"ok", true}, {"ports", all}};
}

}  // namespace nfvcert::observer
