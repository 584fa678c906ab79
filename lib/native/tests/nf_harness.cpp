// Drives the NAT44 from outside: one JSON request a line on stdin, one answer a line on stdout.
//
// {"op": "configure", "external": "198.19.0.5", "allocator": "sequential"|"block", "port_first", "port_last",
//  "block_size", "dscp", "max_sessions", "udp_timeout_ns", ...}        starts from nothing
// {"op": "outbound", "packet": hex of the IPv4 packet, "mac": "..", "now_ns": n}
// {"op": "inbound", "packet": hex, "now_ns": n}
//   -> {"action": "forward", "packet": hex, "destination": "..", "mac": ".."} or {"action": "drop", "reason": ".."}
// {"op": "expire", "now_ns": n}; {"op": "export", "format": 1, "now_ns": n}; {"op": "import", "state": {..}, "now_ns": n}
// {"op": "stats", "now_ns": n}

#include <string>

#include "functions/nat44.hpp"
#include "functions/state_codec.hpp"
#include "tests/line_harness.hpp"

namespace {

using namespace nfvcert;
using nlohmann::json;
using tests::from_hex;
using tests::to_hex;

class Harness {
public:
    json handle(const json& request) {
        const auto op = request.at("op").get<std::string>();
        if (op == "configure") {
            configure(request);
            return {{"ok", true}};
        }
        const auto now = request.at("now_ns").get<std::uint64_t>();
        if (op == "outbound" || op == "inbound") {
            return translate(op == "outbound", request, now);
        }
        if (op == "expire") {
            nat_->expire(now);
            return {{"ok", true}};
        }
        if (op == "export") {
            return {{"state", codec_.encode(nat_->snapshot(now), request.at("format").get<int>())}};
        }
        if (op == "import") {
            return adopt(request, now);
        }
        if (op == "stats") {
            return {{"sessions", nat_->sessions()},
                    {"users", nat_->users()},
                    {"active_sessions", nat_->active_sessions(now, 1'000'000'000)},
                    {"last_packet_ns", nat_->last_packet_ns()}};
        }
        throw std::invalid_argument("unknown op " + op);
    }

private:
    void configure(const json& request) {
        functions::NatConfig config;
        config.external_address = packet::Ipv4Address::parse(request.at("external").get<std::string>()).value();
        config.max_sessions = request.value("max_sessions", config.max_sessions);
        if (request.contains("dscp") && !request["dscp"].is_null()) {
            config.dscp = request["dscp"].get<std::uint8_t>();
        }
        auto& timeouts = config.timeouts;
        timeouts.udp_ns = request.value("udp_timeout_ns", timeouts.udp_ns);
        timeouts.tcp_established_ns = request.value("tcp_established_timeout_ns", timeouts.tcp_established_ns);
        timeouts.tcp_transitory_ns = request.value("tcp_transitory_timeout_ns", timeouts.tcp_transitory_ns);
        timeouts.icmp_ns = request.value("icmp_timeout_ns", timeouts.icmp_ns);
        const functions::PortRange range{request.value("port_first", std::uint16_t{1024}),
                                         request.value("port_last", std::uint16_t{65535})};
        std::unique_ptr<functions::PortAllocator> ports;
        if (request.value("allocator", "sequential") == "block") {
            ports = std::make_unique<functions::BlockPorts>(range, request.value("block_size", 16U));
        } else {
            ports = std::make_unique<functions::SequentialPorts>(range);
        }
        nat_ = std::make_unique<functions::Nat44>(config, std::move(ports));
    }

    json translate(bool out, const json& request, std::uint64_t now) {
        auto octets = from_hex(request.at("packet").get<std::string>());
        const auto mac = packet::MacAddress::parse(request.value("mac", "02:00:00:00:00:01")).value();
        const auto verdict = out ? nat_->outbound(octets, mac, now) : nat_->inbound(octets, now);
        if (!verdict.forwards()) {
            return {{"action", "drop"}, {"reason", functions::name_of(verdict.drop)}};
        }
        return {{"action", "forward"},
                {"packet", to_hex(packet::ConstBytes{octets}.first(verdict.length))},
                {"destination", verdict.destination.text()},
                {"mac", verdict.inside_mac.text()}};
    }

    json adopt(const json& request, std::uint64_t now) {
        const auto report = nat_->adopt(codec_.decode(request.at("state")), now);
        auto addresses = json::array();
        for (const auto address : report.addresses) {
            addresses.push_back(address.text());
        }
        return {{"sessions", report.sessions}, {"conflicts", report.conflicts}, {"addresses", addresses}};
    }

    std::unique_ptr<functions::Nat44> nat_;
    functions::StateCodec codec_{{1, 2}, {1, 2}, 2};
};

}  // namespace

int main() {
    Harness harness;
    tests::answer_lines([&](const json& request) { return harness.handle(request); });
}
