#include "generator/engine/stream_plan.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "generator/engine/wire.hpp"
#include "packet/base64.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::size_t most_streams = 20'000;
constexpr double longest_gap_us = 1e13;
constexpr std::int64_t most_packets = std::int64_t{1} << 53;
constexpr std::size_t latency_trailer_octets = 16;

void read_mode(const Fields& stream, StreamPlan& plan) {
    const Fields mode{stream.at("mode"), stream.where() + ": mode", {"type", "total_pkts", "pkts_per_burst", "ibg_us", "count"}};
    const auto type = mode.text("type");
    plan.bursts = 1;
    if (type == "continuous") {
        plan.burst_packets = StreamPlan::endless;
    } else if (type == "single_burst") {
        plan.burst_packets = static_cast<std::uint64_t>(mode.whole("total_pkts", 1, most_packets));
    } else if (type == "multi_burst") {
        plan.burst_packets = static_cast<std::uint64_t>(mode.whole("pkts_per_burst", 1, most_packets));
        plan.bursts = static_cast<std::uint64_t>(mode.whole("count", 1, most_packets));
        plan.gap_between_ns = 1e3 * mode.real_or("ibg_us", 0, longest_gap_us, 0);
    } else {
        mode.refuse("type '" + type + "' is not known; known are continuous, single_burst, multi_burst");
    }
}

void read_group(const Fields& stream, StreamPlan& plan) {
    if (!stream.has("flow_stats")) {
        return;
    }
    const Fields stats{stream.at("flow_stats"), stream.where() + ": flow_stats", {"kind", "group"}};
    const auto kind = stats.text("kind");
    if (kind == "none") {
        return;
    }
    if (kind != "stats" && kind != "latency") {
        stats.refuse("kind '" + kind + "' is not known; known are none, stats, latency");
    }
    plan.group_kind = kind == "stats" ? GroupKind::statistics : GroupKind::latency;
    plan.group = static_cast<std::uint32_t>(stats.whole("group", 0, most_groups - 1));
    if (plan.group_kind == GroupKind::latency && plan.program.shortest() < headers_octets + latency_trailer_octets) {
        stats.refuse("a latency stream needs packets of " + std::to_string(headers_octets + latency_trailer_octets) +
                     " octets or more for its trailer, found " + std::to_string(plan.program.shortest()));
    }
}

StreamPlan read_stream(const json& object, const std::string& where) {
    const Fields stream{object, where,
                        {"id", "self_start", "start_paused", "isg_us", "next", "action_count", "mode", "pps", "packet", "dummy",
                         "seed", "vm", "flow_stats"}};
    StreamPlan plan{};
    plan.id = stream.whole("id", 0, most_packets);
    plan.self_start = stream.flag_or("self_start", true);
    plan.start_paused = stream.flag_or("start_paused", false);
    plan.dummy = stream.flag_or("dummy", false);
    plan.gap_before_ns = 1e3 * stream.real_or("isg_us", 0, longest_gap_us, 0);
    if (stream.has("next")) {
        plan.next = stream.whole("next", 0, most_packets);
    }
    plan.action_count = static_cast<std::uint32_t>(stream.whole_or("action_count", 0, 0xffffffff, 0));
    read_mode(stream, plan);
    if (plan.continuous() && plan.next) {
        stream.refuse("a continuous stream never ends, so no stream can follow it");
    }
    plan.packets_per_second = stream.real("pps", 1e-6, 1e9);
    plan.packet = from_base64(stream.text("packet"), where);
    if (plan.packet.size() < ethernet_octets || plan.packet.size() > longest_packet) {
        stream.refuse("a packet has " + std::to_string(ethernet_octets) + " to " + std::to_string(longest_packet) + " octets, found " +
                      std::to_string(plan.packet.size()));
    }
    json instructions = json::array();
    if (stream.has("vm")) {
        const Fields vm{stream.at("vm"), where + ": vm"};
        instructions = vm.has("instructions") ? vm.at("instructions") : instructions;
    }
    const auto seed = stream.has("seed") ? static_cast<std::uint32_t>(stream.whole("seed", -most_packets, most_packets))
                                         : static_cast<std::uint32_t>(plan.id + 1);
    plan.program = FieldProgram{instructions, plan.packet, seed, where};
    read_group(stream, plan);
    return plan;
}

}  // namespace

std::vector<StreamPlan> read_streams(const json& streams) {
    if (!streams.is_array() || streams.empty() || streams.size() > most_streams) {
        refuse("load", "'streams' has to be a list of 1 to " + std::to_string(most_streams) + " streams");
    }
    std::vector<StreamPlan> plans;
    std::set<std::int64_t> identities;
    std::map<std::uint32_t, GroupKind> groups;
    for (const auto& stream : streams) {
        const auto id = stream.is_object() && stream.contains("id") ? stream.at("id").dump() : std::to_string(plans.size());
        plans.push_back(read_stream(stream, "stream " + id));
        const auto& plan = plans.back();
        if (!identities.insert(plan.id).second) {
            refuse("stream " + id, "there are two of this number");
        }
        if (plan.group_kind != GroupKind::none) {
            const auto [known, fresh] = groups.emplace(plan.group, plan.group_kind);
            if (!fresh && (known->second != plan.group_kind || plan.group_kind == GroupKind::latency)) {
                refuse("stream " + id, "group " + std::to_string(plan.group) +
                                           " is another stream's; only streams of flow statistics can share one");
            }
        }
    }
    for (const auto& plan : plans) {
        if (plan.next && !identities.contains(*plan.next)) {
            refuse("stream " + std::to_string(plan.id), "there is no stream " + std::to_string(*plan.next) + " to follow it");
        }
    }
    if (std::none_of(plans.begin(), plans.end(), [](const auto& plan) { return plan.self_start; })) {
        refuse("load", "no stream starts by itself");
    }
    return plans;
}

double peak_rate(const std::vector<const StreamPlan*>& streams) {
    std::map<std::int64_t, const StreamPlan*> by_id;
    for (const auto* stream : streams) {
        by_id[stream->id] = stream;
    }
    double sum = 0;
    for (const auto* stream : streams) {
        if (!stream->self_start) {
            continue;
        }
        double fastest = 0;
        std::set<std::int64_t> seen;
        for (const auto* member = stream; member != nullptr && seen.insert(member->id).second;
             member = member->next ? by_id[*member->next] : nullptr) {
            fastest = std::max(fastest, member->dummy ? 0 : member->packets_per_second);
        }
        sum += fastest;
    }
    return sum;
}

std::vector<std::uint8_t> from_base64(const std::string& text, const std::string& where) {
    auto octets = packet::octets_of_base64(text);
    if (!octets) {
        refuse(where, "'packet' is no base64");
    }
    return std::move(*octets);
}

}  // namespace nfvcert::engine
