// Orders about single packets: capturing those that pass, sending those that a user composed, answering those that ask.

#include <algorithm>

#include "generator/engine/engine.hpp"
#include "generator/engine/stream_plan.hpp"
#include "generator/engine/wire.hpp"
#include "packet/base64.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::size_t most_captures = 16;
constexpr std::int64_t most_fetched = 10'000;
constexpr std::size_t slice = 16;                     // packets copied between two rounds
constexpr std::size_t most_pushed_octets = 8U << 20U;
constexpr double longest_gap_us = 1e6;
constexpr std::int64_t most_vlan = 4095;

json ports_of(const std::bitset<most_ports>& chosen) {
    auto list = json::array();
    for (std::size_t port = 0; port < chosen.size(); ++port) {
        if (chosen.test(port)) {
            list.push_back(port);
        }
    }
    return list;
}

}  // namespace

void Engine::offer_capture_orders() {
    auto& control = program_.control();
    control.on("capture_start", [this](const json& order) { return capture_start(order); });
    control.on("capture_stop", [this](const json& order) { return capture_stop(order, false); });
    control.on("capture_remove", [this](const json& order) { return capture_stop(order, true); });
    control.on("capture_fetch", [this](const json& order) { return capture_fetch(order); });
    control.on("capture_status", [this](const json&) { return capture_status(); });
    control.on("push", [this](const json& order) { return push(order); });
    control.on("host", [this](const json& order) { return host(order); });
}

json Engine::capture_start(const json& order) {
    const Fields fields{order, "capture_start", {"op", "id", "tx", "rx", "limit", "mode", "filter", "snaplen"}};
    const auto wish = read_capture_wish(fields, static_cast<unsigned>(ports_.size()));
    const std::lock_guard lock{captures_mutex_};
    if (captures_.size() == most_captures) {
        throw Refusal{"too-many", "there are " + std::to_string(most_captures) + " captures; capture_remove gives up one"};
    }
    auto capture = std::make_unique<Capture>(wish);
    const auto number = ++captures_made_;
    auto answer = inside([&](std::uint64_t, json&) {
        for (auto& port : ports_) {
            port.tap->attach(*capture);
            port.port->set_tap(port.tap->used() ? port.tap.get() : nullptr);
        }
    });
    captures_.emplace(number, KeptCapture{std::move(capture), answer["t_ns"].get<std::uint64_t>(), true});
    answer["capture"] = number;
    return answer;
}

Engine::KeptCapture& Engine::capture_of(const json& order, const char* op) {
    const Fields fields{order, op, {"op", "id", "capture", "most"}};
    const auto found = captures_.find(fields.natural("capture"));
    if (found == captures_.end()) {
        fields.refuse("there is no capture " + std::to_string(fields.natural("capture")));
    }
    return found->second;
}

json Engine::capture_stop(const json& order, bool remove) {
    const std::lock_guard lock{captures_mutex_};
    auto& kept = capture_of(order, remove ? "capture_remove" : "capture_stop");
    auto answer = inside([&](std::uint64_t, json& told) {
        for (auto& port : ports_) {
            port.tap->detach(*kept.capture);
            port.port->set_tap(port.tap->used() ? port.tap.get() : nullptr);
        }
        told["packets"] = kept.capture->size();
    });
    kept.active = false;
    if (remove) {
        captures_.erase(order["capture"].get<std::uint64_t>());
    }
    return answer;
}

json Engine::capture_fetch(const json& order) {
    const std::lock_guard lock{captures_mutex_};
    auto& kept = capture_of(order, "capture_fetch");
    auto most = static_cast<std::size_t>(Fields{order, "capture_fetch"}.whole("most", 0, most_fetched));
    std::vector<CapturedPacket> found;
    std::size_t pending = 0;
    for (auto before = ~std::size_t{0}; before != found.size();) {
        before = found.size();
        found.reserve(before + slice);
        pending = program_.loop().inside([&] {
            kept.capture->take(found, std::min(slice, most));
            return kept.capture->size();
        });
        most -= found.size() - before;
    }
    auto packets = json::array();
    for (const auto& packet : found) {
        packets.push_back({{"binary", packet::base64_of({packet.data.data(), packet.octets})},
                           {"t_ns", packet.t_ns},
                           {"index", packet.index},
                           {"port", packet.port},
                           {"origin", packet.sent ? "TX" : "RX"},
                           {"wire_octets", packet.wire_octets}});
    }
    return {{"packets", std::move(packets)}, {"pending", pending}, {"start_ns", kept.start_ns}, {"t_ns", clock_.now_ns()}};
}

json Engine::capture_status() {
    const std::lock_guard lock{captures_mutex_};
    auto list = json::array();
    for (const auto& [number, kept] : captures_) {
        const auto& wish = kept.capture->wish();
        json told{{"capture", number},       {"active", kept.active},
                  {"limit", wish.limit},     {"mode", wish.cyclic ? "cyclic" : "fixed"},
                  {"tx", ports_of(wish.tx)}, {"rx", ports_of(wish.rx)},
                  {"filter", wish.filter},   {"start_ns", kept.start_ns}};
        program_.loop().inside([&, &capture = *kept.capture] {
            told["matched"] = capture.matched();
            told["packets"] = capture.size();
            told["octets"] = capture.kept_octets();
        });
        list.push_back(std::move(told));
    }
    return {{"captures", std::move(list)}, {"t_ns", clock_.now_ns()}};
}

json Engine::push(const json& order) {
    const Fields fields{order, "push", {"op", "id", "port", "packets", "gap_us"}};
    auto& port = port_of(fields, "port");
    const auto& packets = fields.at("packets");
    if (!packets.is_array() || packets.empty()) {
        fields.refuse("'packets' has to be a list of packets in base64");
    }
    auto pushed = std::make_shared<PushedPackets>();
    pushed->gap_ns = static_cast<std::uint64_t>(fields.real_or("gap_us", 0, longest_gap_us, 0) * 1e3);
    for (std::size_t i = 0; i < packets.size(); ++i) {
        const auto where = "packet " + std::to_string(i);
        const auto octets = packets[i].is_string() ? from_base64(packets[i].get<std::string>(), "push: " + where)
                                                   : std::vector<std::uint8_t>{};
        if (octets.size() < ethernet_octets || octets.size() > longest_frame - check_sequence_octets) {
            fields.refuse(where + " has to have " + std::to_string(ethernet_octets) + " to " +
                          std::to_string(longest_frame - check_sequence_octets) + " octets, found " + std::to_string(octets.size()));
        }
        pushed->lengths.push_back(static_cast<std::uint16_t>(octets.size()));
        pushed->octets.insert(pushed->octets.end(), octets.begin(), octets.end());
        if (pushed->octets.size() > most_pushed_octets) {
            fields.refuse("the packets have more than " + std::to_string(most_pushed_octets) + " octets");
        }
    }
    auto answer = inside([&](std::uint64_t, json&) { port.pushed.add(pushed); });
    answer["packets"] = pushed->lengths.size();
    // kept until they are sent, so that it is not the polling thread that gives their memory back
    const std::lock_guard lock{captures_mutex_};
    std::erase_if(pushed_, [](const auto& other) { return other.use_count() == 1; });
    pushed_.push_back(std::move(pushed));
    return answer;
}

json Engine::host(const json& order) {
    const Fields fields{order, "host", {"op", "id", "port", "address", "vlan"}};
    auto& port = port_of(fields, "port");
    std::optional<Host> wanted;
    if (fields.has("address")) {
        wanted = Host{port_mac(port.index), {ipv4_of(fields.text("address"), "host: 'address'")}, {}};
        const auto vlans = fields.wholes("vlan", "VLAN numbers", 0, most_vlan);
        if (vlans.size() > Host::most_tags) {
            fields.refuse("'vlan' has to be a list of at most " + std::to_string(Host::most_tags) + " VLAN numbers");
        }
        wanted->vlans.assign(vlans.begin(), vlans.end());
    }
    return inside([&](std::uint64_t, json&) { port.host = std::move(wanted); });
}

}  // namespace nfvcert::engine
