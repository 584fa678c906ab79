// Orders of the control socket. What takes long is done outside of the polling thread, or a slice at a time between two bursts.

#include "packet/base64.hpp"
#include "vnf/host.hpp"
#include "vnf/orders.hpp"

namespace nfvcert::vnf {
namespace {

using dpdk::Refusal;
using nlohmann::json;

constexpr std::size_t slots_at_once = 2048;  // some 50 us for the polling thread

/// What is wrong with an order is told under a word of its own.
template <class Action>
auto refusing(const char* code, Action&& action) {
    try {
        return action();
    } catch (const std::invalid_argument& error) {
        throw Refusal{code, error.what()};
    }
}

}  // namespace

template <class Action>
void Host::in_slices(Action&& action) {
    for (std::size_t begin = 0; begin < function_->slots(); begin += slots_at_once) {
        program_.loop().inside([&] { action(nf::SlotRange{begin, begin + slots_at_once}); });
    }
}

void Host::add_orders() {
    auto& control = program_.control();
    control.on("statistics", [this](const json&) {
        auto all = program_.loop().inside([&] { return function_->statistics(); });
        all["function"] = function_->name();
        all["instance"] = instance_;
        all["ports"] = program_.port_counters();
        all["t_ns"] = program_.clock().now_ns();
        if (multi_segment_ != 0) {
            all["dropped"]["multi_segment"] = multi_segment_;
        }
        return all;
    });
    control.on("ports", [this](const json&) { return json{{"ports", program_.port_counters()}}; });
    control.on("flows", [this](const json&) { return dump_flows(); });
    control.on("dump_flows", [this](const json&) { return dump_flows(); });
    control.on("export_flows", [this](const json& order) { return export_flows(order); });
    control.on("import_flows", [this](const json& order) { return import_flows(order); });
    control.on("release_flows", [this](const json& order) {
        const auto selector = refusing("bad-order", [&] { return selector_of(order); });
        std::size_t flows = 0;
        in_slices([&](nf::SlotRange slots) { flows += function_->release_slice(selector, slots); });
        return json{{"flows", flows}, {"t_ns", program_.clock().now_ns()}};
    });
    control.on("resume_flows", [this](const json& order) {
        const auto selector = refusing("bad-order", [&] { return selector_of(order); });
        std::size_t flows = 0;
        in_slices([&](nf::SlotRange slots) { flows += function_->resume_slice(selector, slots); });
        return json{{"flows", flows}, {"t_ns", program_.clock().now_ns()}};
    });
    control.on("configure", [this](const json& order) {
        const auto change = order.value("change", json::object());
        refusing("bad-parameters", [&] { return program_.loop().inside([&] { function_->configure(change); }); });
        return json{{"t_ns", program_.clock().now_ns()}};
    });
    control.on("terminate", [this](const json&) {
        program_.loop().stop();  // the answer is sent before the control thread is asked to end
        return json{{"t_ns", program_.clock().now_ns()}};
    });
}

json Host::dump_flows() {
    std::vector<nf::FlowCounters> found;
    found.reserve(function_->slots());
    in_slices([&](nf::SlotRange slots) { function_->list_slice(slots, program_.clock().now_ns(), found); });
    auto flows = json::array();
    for (const auto& flow : found) {
        flows.push_back(json_of(flow));
    }
    return {{"flows", std::move(flows)}, {"t_ns", program_.clock().now_ns()}};
}

json Host::export_flows(const json& order) {
    const auto selector = refusing("bad-order", [&] { return selector_of(order); });
    if (function_->slots() == 0) {
        throw Refusal{"no-state", std::string{function_->name()} + " holds no state of flows"};
    }
    const auto freeze = policy_->freezes_exported_flows();
    std::vector<std::uint8_t> state;
    std::size_t flows = 0;
    program_.loop().inside([&] { drain(); });
    in_slices([&](nf::SlotRange slots) {
        nf::StateWriter writer{function_->state_code()};
        const auto written = function_->export_slice(selector, slots, program_.clock().now_ns(), freeze, writer);
        flows += written;
        if (written > 0) {
            const auto block = writer.finish();
            state.insert(state.end(), block.begin(), block.end());
        }
        if (policy_->forgets_when_sent()) {
            function_->release_slice(selector, slots);
        }
    });
    return {{"state", packet::base64_of(state)}, {"flows", flows}, {"t_ns", program_.clock().now_ns()}};
}

json Host::import_flows(const json& order) {
    const auto octets = refusing("bad-state", [&] { return state_of(order); });
    auto blocks = refusing("bad-state", [&] { return nf::read_blocks(octets, function_->state_code()); });
    nf::ImportReport report;
    for (auto& block : blocks) {
        refusing("bad-state", [&] {
            return program_.loop().inside([&] {
                for (std::uint32_t i = 0; i < block.records; ++i) {
                    ++(function_->import_record(block.reader, program_.clock().now_ns()) ? report.flows : report.conflicts);
                }
                block.reader.expect_end();
            });
        });
    }
    return {{"flows", report.flows}, {"conflicts", report.conflicts}, {"t_ns", program_.clock().now_ns()}};
}

}  // namespace nfvcert::vnf
