// Drives a network function from outside: one JSON request a line on stdin, one answer a line on stdout.
//
// {"op": "make", "function": "nat", "parameters": {..}}                   starts from nothing
// {"op": "process", "frames": [hex, ..], "now_ns": n, "random": n, "port": 0, "capacity": 2048}
// {"op": "advance", "now_ns": n}; {"op": "flush"}
//   -> {"forwarded": [{"frame": hex, "port": n, "tag": n}], "dropped": [{"reason": "..", "frame": hex, "tag": n}]}, tag: number
//      of the frame since "make"
// {"op": "export"|"release"|"resume", "flows": ..|"ranges": ..|"all": true, "now_ns": n}; {"op": "import", "state": base64, "now_ns": n}
// {"op": "list", "now_ns": n}; {"op": "statistics"}; {"op": "configure", "change": {..}}
// {"op": "monitor"} -> {"bins", "heavy_hitters", "prefixes"}; {"op": "flow_id", "flow": [5], "identity": ".."}

#include <string>
#include <unordered_map>

#include "functions/monitor/traffic_monitor.hpp"
#include "functions/network_function.hpp"
#include "packet/base64.hpp"
#include "tests/line_harness.hpp"
#include "vnf/orders.hpp"

namespace {

using namespace nfvcert;
using nlohmann::json;
using tests::from_hex;
using tests::to_hex;
using Buffer = std::vector<std::uint8_t>;

class Harness {
public:
    json handle(const json& request) {
        const auto op = request.at("op").get<std::string>();
        if (op == "make") {
            function_ = nf::make_function(request.at("function").get<std::string>(), request.value("parameters", json::object()));
            buffers_.clear();
            next_ = 0;
            return json::object();
        }
        const auto now = request.value("now_ns", std::uint64_t{0});
        if (op == "process") {
            return process(request, now);
        }
        if (op == "advance") {
            nf::Emission out;
            function_->advance(now, out);
            return outcome(out);
        }
        if (op == "flush") {
            nf::Emission out;
            function_->flush(out);
            return outcome(out);
        }
        if (op == "export") {
            return {{"state", packet::base64_of(function_->export_state(vnf::selector_of(request), now))}};
        }
        if (op == "import") {
            const auto report = function_->import_state(vnf::state_of(request), now);
            return {{"flows", report.flows}, {"conflicts", report.conflicts}};
        }
        if (op == "release") {
            return {{"flows", function_->release_state(vnf::selector_of(request))}};
        }
        if (op == "resume") {
            return {{"flows", function_->resume_state(vnf::selector_of(request))}};
        }
        if (op == "configure") {
            function_->configure(request.at("change"));
            return json::object();
        }
        if (op == "list") {
            auto flows = json::array();
            for (const auto& flow : function_->list_flows(now)) {
                flows.push_back(vnf::json_of(flow));
            }
            return {{"flows", flows}};
        }
        if (op == "statistics") {
            return function_->statistics();
        }
        if (op == "monitor") {
            return monitor();
        }
        if (op == "flow_id") {
            const auto& f = request.at("flow");
            return {{"id", nf::flow_id({f[0], f[1], f[2], f[3], f[4]}, nf::identity_named(request.value("identity", "five-tuple")))}};
        }
        throw std::invalid_argument("unknown op " + op);
    }

private:
    json process(const json& request, std::uint64_t now) {
        const auto capacity = request.value("capacity", std::uint16_t{2048});
        std::vector<nf::PacketRef> burst;
        for (const auto& frame : request.at("frames")) {
            auto octets = from_hex(frame.get<std::string>());
            const auto length = static_cast<std::uint16_t>(octets.size());
            octets.resize(std::max<std::size_t>(octets.size(), capacity));
            auto& buffer = buffers_[++next_] = std::move(octets);
            burst.push_back({buffer.data(), length, std::max(length, capacity), request.value("port", std::uint16_t{0}),
                             reinterpret_cast<void*>(next_)});
        }
        nf::Emission out;
        function_->process(burst, now, request.value("random", std::uint64_t{0}), out);
        return outcome(out);
    }

    json outcome(const nf::Emission& out) {
        auto answer = json{{"forwarded", json::array()}, {"dropped", json::array()}};
        for (const auto& packet : out.forwarded) {
            answer["forwarded"].push_back({{"frame", to_hex({packet.data, packet.length})}, {"port", packet.port}, {"tag", take(packet)}});
        }
        for (const auto& [packet, reason] : out.dropped) {
            answer["dropped"].push_back({{"reason", nf::name_of(reason)}, {"frame", to_hex({packet.data, packet.length})}, {"tag", take(packet)}});
        }
        return answer;
    }

    /// Number of the frame, counted from 0; its buffer is gone afterwards.
    std::uintptr_t take(const nf::PacketRef& packet) {
        const auto tag = reinterpret_cast<std::uintptr_t>(packet.handle);
        if (buffers_.erase(tag) != 1) {
            throw std::logic_error("a packet came out twice");
        }
        return tag - 1;
    }

    json monitor() {
        const auto& monitor = dynamic_cast<const nf::TrafficMonitor&>(*function_);
        auto answer = json{{"bins", json::array()}, {"heavy_hitters", json::array()}, {"prefixes", json::object()}};
        for (const auto& bin : monitor.bins()) {
            answer["bins"].push_back({{"begin_ns", bin.begin_ns}, {"end_ns", bin.end_ns}, {"packets", bin.all.packets},
                                      {"bytes", bin.all.bytes}, {"protocols", bin.protocols}, {"new_flows", bin.new_flows},
                                      {"ended_flows", bin.ended_flows}});
        }
        for (const auto& entry : monitor.heavy_hitters()) {
            answer["heavy_hitters"].push_back({{"source", entry.flow.source}, {"source_port", entry.flow.source_port}, {"packets", entry.packets}});
        }
        const auto& records = monitor.prefixes().records();
        for (std::size_t i = 0; i < records.size(); ++i) {
            const auto name = i == 0 ? std::string{"others"} : packet::Ipv4Address{records[i].network}.text();
            answer["prefixes"][name] = {{"from", records[i].from.packets}, {"to", records[i].to.packets}};
        }
        return answer;
    }

    std::unique_ptr<nf::NetworkFunction> function_;
    std::unordered_map<std::uintptr_t, Buffer> buffers_;
    std::uintptr_t next_ = 0;
};

}  // namespace

int main() {
    Harness harness;
    tests::answer_lines([&](const json& request) { return harness.handle(request); });
}
