#include "vnf/light/function_host.hpp"

#include "packet/base64.hpp"
#include "packet/ethernet.hpp"
#include "runtime/clock.hpp"
#include "vnf/orders.hpp"

namespace nfvcert::vnf {

using nlohmann::json;
using packet::Ipv4Address;
using runtime::monotonic_ns;

namespace {

constexpr std::size_t buffers = 4096;
constexpr std::size_t most_collected = 64;
constexpr std::uint64_t timer_period_ns = runtime::ns_per_ms;
constexpr std::uint64_t question_period_ns = 100 * runtime::ns_per_ms;

Ipv4Address address_of(const json& value, const std::string& key) {
    const auto address = value.is_string() ? packet::Ipv4Address::parse(value.get<std::string>()) : std::nullopt;
    if (!address) {
        throw std::runtime_error("user data: config '" + key + "' holds no IPv4 address: " + value.dump());
    }
    return *address;
}

std::unique_ptr<nf::NetworkFunction> function_of(const json& config, std::size_t ports) {
    auto parameters = config.value("parameters", json::object());
    parameters["ports"] = ports;
    return nf::make_function(config.value("function", ""), parameters);
}

std::vector<std::string> data_ports(const json& config) {
    const auto ports = config.value("data_ports", std::vector<std::string>{});
    if (ports.empty() || ports.size() > 2) {
        throw std::runtime_error("user data: config 'data_ports' names one or two connection points");
    }
    return ports;
}

}  // namespace

FunctionHost::FunctionHost(runtime::Component& component)
    : component_{component},
      function_{function_of(component.user_data().config, data_ports(component.user_data().config).size())},
      buffers_(buffers * buffer_size) {
    for (const auto& cp : data_ports(component_.user_data().config)) {
        legs_.push_back(make_leg(cp));
    }
    for (std::size_t i = 0; i < buffers; ++i) {
        free_.push_back(buffers_.data() + i * buffer_size);
    }
}

FunctionHost::Leg FunctionHost::make_leg(const std::string& cp) const {
    const auto& data = component_.user_data();
    const auto& described = data.port(cp);
    if (!described.ip) {
        throw std::runtime_error("user data: port '" + cp + "' has no ip");
    }
    Leg leg;
    leg.cp = cp;
    leg.own = *described.ip;
    leg.on_link = {*described.ip, described.prefix};
    leg.answered.insert(leg.own);
    const auto gateways = data.config.value("gateways", json::object());
    if (gateways.contains(cp)) {
        leg.gateway = address_of(gateways[cp], "gateways");
    }
    const auto answered = data.config.value("answer_for", json::object());
    for (const auto& address : answered.value(cp, json::array())) {
        leg.answered.insert(address_of(address, "answer_for"));
    }
    return leg;
}

void FunctionHost::open() {
    add_commands();
    std::vector<std::string> cps;
    for (const auto& leg : legs_) {
        cps.push_back(leg.cp);
    }
    component_.open_ports(cps, [this] { start(); });
}

void FunctionHost::start() {
    for (std::size_t i = 0; i < legs_.size(); ++i) {
        legs_[i].port = &component_.port(legs_[i].cp);
        component_.poller().add(*legs_[i].port, [this, i](Bytes frame) { receive(i, frame); });
        for (const auto address : legs_[i].answered) {
            legs_[i].port->send(packet::arp_announcement(legs_[i].port->mac(), address));
        }
    }
    component_.poller().set_extra_work([this] {
        process();
        return false;
    });
    component_.loop().every(timer_period_ns, [this] {
        function_->advance(monotonic_ns(), emission_);
        emit();
    });
    component_.loop().every(question_period_ns, [this] {
        for (auto& leg : legs_) {
            for (const auto address : leg.neighbours.due(monotonic_ns())) {
                ask(leg, address);
            }
        }
    });
}

void FunctionHost::receive(std::size_t leg, Bytes frame) {
    const auto ethernet = packet::parse_ethernet(frame);
    if (ethernet && ethernet->ethertype == packet::ethertype_arp) {
        receive_arp(legs_[leg], frame);
        return;
    }
    if (free_.empty()) {
        ++no_buffer_drops_;
        return;
    }
    auto* const buffer = free_.back();
    free_.pop_back();
    std::copy(frame.begin(), frame.end(), buffer);
    collected_.push_back({buffer, static_cast<std::uint16_t>(frame.size()), static_cast<std::uint16_t>(buffer_size),
                          static_cast<std::uint16_t>(leg), buffer});
    if (collected_.size() == most_collected) {
        process();
    }
}

void FunctionHost::process() {
    if (collected_.empty()) {
        return;
    }
    random_ += 0x9e3779b97f4a7c15ULL;
    function_->process(collected_, monotonic_ns(), packet::mix64(random_), emission_);
    collected_.clear();
    emit();
}

void FunctionHost::emit() {
    for (const auto& packet : emission_.forwarded) {
        send(legs_[packet.port], {packet.data, packet.length});
        free_.push_back(static_cast<std::uint8_t*>(packet.handle));
    }
    for (const auto& [packet, reason] : emission_.dropped) {
        free_.push_back(static_cast<std::uint8_t*>(packet.handle));
    }
    emission_.clear();
}

void FunctionHost::send(Leg& leg, Bytes frame) {
    constexpr std::size_t destination_end = packet::ethernet_header_length + 20;
    if (frame.size() < destination_end || packet::load16(frame, 12) != packet::ethertype_ipv4) {
        ++no_route_drops_;  // a hop carries IPv4 only, whatever its function lets pass
        return;
    }
    const auto destination = Ipv4Address::load(frame, destination_end - 4);
    const auto hop = leg.on_link.contains(destination) ? std::optional{destination} : leg.gateway;
    if (!hop) {
        ++no_route_drops_;
        return;
    }
    const auto answer = leg.neighbours.resolve(*hop, monotonic_ns());
    if (answer.ask) {
        ask(leg, *hop);
    }
    if (!answer.mac) {
        leg.neighbours.wait(*hop, {frame.begin(), frame.end()});
        return;
    }
    packet::readdress(frame, *answer.mac, leg.port->mac());
    leg.port->send(frame);
}

void FunctionHost::ask(Leg& leg, Ipv4Address address) {
    leg.port->send(packet::arp_request(leg.port->mac(), leg.own, address));
}

void FunctionHost::receive_arp(Leg& leg, Bytes frame) {
    const auto arp = packet::parse_arp(frame.subspan(packet::ethernet_header_length));
    if (!arp || arp->sender_mac == leg.port->mac()) {
        return;
    }
    const bool ours = leg.answered.contains(arp->target_ip);
    if (!arp->sender_ip.is_zero() && !arp->sender_mac.is_group()) {
        for (auto& waiting : leg.neighbours.learn(arp->sender_ip, arp->sender_mac, ours, monotonic_ns())) {
            packet::readdress(waiting, arp->sender_mac, leg.port->mac());
            leg.port->send(waiting);
        }
    }
    if (ours && arp->operation == packet::ArpOperation::request) {
        leg.port->send(packet::arp_reply(*arp, leg.port->mac()));
    }
}

void FunctionHost::add_commands() {
    auto& management = component_.management();
    const auto add = [&](const char* name, auto command) {
        management.add(name, [command](const json& request) -> json {
            try {
                return command(request);
            } catch (const std::invalid_argument& error) {
                throw runtime::RequestError(error.what());
            }
        });
    };
    add("statistics", [this](const json&) -> json {
        auto all = function_->statistics();
        all["function"] = function_->name();
        all["ready"] = component_.ready();
        all["ports"] = component_.port_counters();
        all["no_buffer_drops"] = no_buffer_drops_;
        all["no_route_drops"] = no_route_drops_;
        return all;
    });
    add("dump", [this](const json&) -> json {
        auto flows = json::array();
        for (const auto& flow : function_->list_flows(monotonic_ns())) {
            flows.push_back(json_of(flow));
        }
        return {{"flows", flows}};
    });
    add("export", [this](const json& request) -> json {
        return {{"state", packet::base64_of(function_->export_state(selector_of(request), monotonic_ns()))}};
    });
    add("import", [this](const json& request) -> json {
        const auto report = function_->import_state(state_of(request), monotonic_ns());
        return {{"flows", report.flows}, {"conflicts", report.conflicts}};
    });
    add("release", [this](const json& request) -> json { return {{"flows", function_->release_state(selector_of(request))}}; });
    add("resume", [this](const json& request) -> json { return {{"flows", function_->resume_state(selector_of(request))}}; });
    add("configure", [this](const json& request) -> json {
        function_->configure(request.value("change", json::object()));
        return json::object();
    });
}

int run_function(int argc, const char* const* argv) {
    return runtime::guarded_main("nfvcert-function", [&] {
        const auto options = runtime::parse_options(argc, argv);
        runtime::Component component{options, runtime::read_user_data(options.user_data)};
        FunctionHost host{component};
        host.open();
        component.run();
    });
}

}  // namespace nfvcert::vnf
