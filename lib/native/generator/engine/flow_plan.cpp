#include "generator/engine/flow_plan.hpp"

#include <cmath>
#include <limits>

#include "generator/engine/pacer.hpp"
#include "generator/engine/wire.hpp"

namespace nfvcert::engine {
namespace {

constexpr double longest_s = 1e7;
constexpr double most_new_per_second = 2e6;
constexpr std::int64_t most_flows_limit = 1 << 26;
constexpr double lifetime_tolerance = 0.01;  // living flows = new flows a second x mean lifetime (Little)

AddressSpace read_addresses(const json& object) {
    const Fields fields{object, "addresses",
                        {"source", "sources", "destination", "destinations", "source_port", "source_ports",
                         "destination_port", "destination_ports", "source_mac", "destination_mac"}};
    AddressSpace space;
    const auto count = [&](const char* key, std::uint64_t first, std::uint64_t end, std::uint32_t otherwise) {
        return static_cast<std::uint32_t>(fields.whole_or(key, 1, static_cast<std::int64_t>(end - first), otherwise));
    };
    constexpr std::uint64_t addresses_end = std::uint64_t{1} << 32;
    constexpr std::uint64_t ports_end = 65536;
    const auto where = fields.where();
    space.source = fields.has("source") ? ipv4_of(fields.text("source"), where) : space.source;
    space.destination = fields.has("destination") ? ipv4_of(fields.text("destination"), where) : space.destination;
    space.sources = count("sources", space.source, addresses_end, space.sources);
    space.destinations = count("destinations", space.destination, addresses_end, space.destinations);
    space.source_port = static_cast<std::uint16_t>(fields.whole_or("source_port", 0, 65535, space.source_port));
    space.destination_port = static_cast<std::uint16_t>(fields.whole_or("destination_port", 0, 65535, space.destination_port));
    space.source_ports = count("source_ports", space.source_port, ports_end,
                               static_cast<std::uint32_t>(ports_end - space.source_port));
    space.destination_ports = count("destination_ports", space.destination_port, ports_end, 1);
    space.source_mac = fields.has("source_mac") ? mac_of(fields.text("source_mac"), where) : space.source_mac;
    space.destination_mac = fields.has("destination_mac") ? mac_of(fields.text("destination_mac"), where) : space.destination_mac;
    if (std::log2(space.sources) + std::log2(space.destinations) + std::log2(space.source_ports) +
            std::log2(space.destination_ports) > 62) {
        fields.refuse("more than 2^62 five-tuples");
    }
    return space;
}

std::vector<FrameShare> read_frames(const Fields& order) {
    constexpr auto least = static_cast<std::int64_t>(shortest_frame);
    constexpr auto most = static_cast<std::int64_t>(longest_frame);
    if (!order.has("sizes")) {
        return {{static_cast<std::uint16_t>(order.whole("frame", least, most)), 1}};
    }
    const auto& sizes = order.at("sizes");
    if (!sizes.is_array() || sizes.empty() || sizes.size() > 16) {
        order.refuse("'sizes' has to be a list of 1 to 16 objects {frame, weight}");
    }
    std::vector<FrameShare> frames;
    for (const auto& size : sizes) {
        const Fields fields{size, order.where() + ": sizes", {"frame", "weight"}};
        frames.push_back({static_cast<std::uint16_t>(fields.whole("frame", least, most)),
                          static_cast<std::uint32_t>(fields.whole_or("weight", 1, 1000, 1))});
    }
    return frames;
}

std::shared_ptr<const LifetimeModel> read_lifetime(const Fields& order, double concurrent, double new_per_second) {
    if (new_per_second == 0) {
        if (order.has("lifetime")) {
            order.refuse("'lifetime' without new flows: the population would die out; give 'new_per_second', or leave 'lifetime' out "
                         "for flows that do not end");
        }
        return nullptr;
    }
    const Fields fields{order.at("lifetime"), order.where() + ": lifetime", {"model", "mean_s", "cap_s"}};
    const auto steady = concurrent / new_per_second;
    const auto mean = fields.real_or("mean_s", 1e-3, longest_s, steady);
    if (concurrent > 0 && std::abs(mean - steady) > lifetime_tolerance * steady) {
        fields.refuse("a mean of " + std::to_string(mean) + " s does not keep " + std::to_string(concurrent) + " flows with " +
                      std::to_string(new_per_second) + " new ones a second; that takes " + std::to_string(steady) + " s");
    }
    const auto model = fields.text("model");
    if (model != "agh-2015" && fields.has("cap_s")) {
        fields.refuse("'cap_s' is for agh-2015 alone");
    }
    if (model == "exponential") {
        return exponential_lifetime(mean);
    }
    if (model == "fixed") {
        return fixed_lifetime(mean);
    }
    if (model == "agh-2015") {
        try {
            return agh2015_lifetime(mean, fields.real_or("cap_s", 1e-3, longest_s, 300));
        } catch (const std::invalid_argument& error) {
            fields.refuse(error.what());
        }
    }
    fields.refuse("model '" + model + "' is not known; known are exponential, agh-2015, fixed");
}

Pauses read_pauses(const Fields& order, std::uint32_t concurrent) {
    if (!order.has("pauses")) {
        return {};
    }
    const Fields fields{order.at("pauses"), order.where() + ": pauses", {"flows", "silences_ms", "mean_active_ms"}};
    Pauses pauses;
    pauses.flows = static_cast<std::uint32_t>(fields.whole("flows", 0, concurrent));
    pauses.mean_active_ms = fields.real("mean_active_ms", 1, 1e9);
    const auto& silences = fields.at("silences_ms");
    if (!silences.is_array() || silences.empty()) {
        fields.refuse("'silences_ms' has to be a list of numbers");
    }
    for (const auto& silence : silences) {
        const json one{{"silences_ms", silence}};
        pauses.silences_ms.push_back(static_cast<std::uint32_t>(
            Fields{one, fields.where(), {"silences_ms"}}.whole("silences_ms", 1, 3'600'000)));
    }
    return pauses;
}

std::vector<ExtraArrivals> read_extra(const Fields& order) {
    std::vector<ExtraArrivals> extra;
    if (!order.has("bursts_of_new")) {
        return extra;
    }
    const auto& list = order.at("bursts_of_new");
    if (!list.is_array()) {
        order.refuse("'bursts_of_new' has to be a list of objects {after_s, duration_s, per_second}");
    }
    for (const auto& one : list) {
        const Fields fields{one, order.where() + ": bursts_of_new", {"after_s", "duration_s", "per_second"}};
        extra.push_back({static_cast<std::uint64_t>(fields.real("after_s", 0, longest_s) * 1e9),
                         static_cast<std::uint64_t>(fields.real("duration_s", 1e-3, longest_s) * 1e9),
                         fields.real("per_second", 1, most_new_per_second)});
    }
    return extra;
}

}  // namespace

double FlowPlan::mean_frame() const {
    double octets = 0;
    double weights = 0;
    for (const auto& share : frames) {
        octets += static_cast<double>(share.frame) * share.weight;
        weights += share.weight;
    }
    return octets / weights;
}

FlowPlan read_flow_plan(const json& order, unsigned ports, double capability_pps) {
    const Fields fields{order, "flow_prepare",
                        {"op", "id", "tx_port", "rx_port", "frame", "sizes", "pps", "concurrent", "new_per_second", "lifetime",
                         "seed", "addresses", "checksum", "interval_ms", "flows_file", "pauses", "bursts_of_new",
                         "duration_s", "most_flows", "most_outstanding", "endless"}};
    FlowPlan plan{};
    plan.tx_port = static_cast<unsigned>(fields.whole("tx_port", 0, ports - 1));
    plan.rx_port = static_cast<unsigned>(fields.whole("rx_port", 0, ports - 1));
    plan.frames = read_frames(fields);
    if (!(fields.at("pps").is_string() && fields.text("pps") == "max")) {
        plan.packets_per_second = fields.real("pps", 1e-3, std::numeric_limits<double>::max());
        if (*plan.packets_per_second > capability_pps) {
            throw Refusal{"rate-above-capability",
                          "flow_prepare: " + std::to_string(*plan.packets_per_second) + " packets a second are above what this "
                          "engine may be asked for; ask for \"max\" to send as many as possible",
                          {{"capability_pps", capability_pps}}};
        }
    }
    plan.most_outstanding = static_cast<std::uint32_t>(fields.whole_or("most_outstanding", Pacer::largest_burst, 1 << 20, 0));
    if (plan.most_outstanding != 0 && plan.packets_per_second) {
        fields.refuse("'most_outstanding' goes with pps \"max\" alone: a rate is kept whatever comes back");
    }
    plan.addresses = read_addresses(fields.has("addresses") ? fields.at("addresses") : json::object());
    plan.most_flows = static_cast<std::uint32_t>(fields.whole_or("most_flows", 1, most_flows_limit, 1 << 23));
    plan.concurrent = static_cast<std::uint32_t>(fields.whole("concurrent", 1, plan.most_flows));
    if (plan.concurrent > plan.addresses.size()) {
        fields.refuse("'concurrent' is above the " + std::to_string(plan.addresses.size()) + " five-tuples of 'addresses'");
    }
    plan.endless = static_cast<std::uint32_t>(fields.whole_or("endless", 0, plan.concurrent, 0));
    plan.new_per_second = fields.real_or("new_per_second", 0, most_new_per_second, 0);
    plan.lifetime = read_lifetime(fields, plan.concurrent, plan.new_per_second);
    plan.seed = fields.has("seed") ? fields.natural("seed") : 1;
    plan.checksum = fields.flag_or("checksum", true);
    plan.interval_ms = static_cast<std::uint32_t>(fields.whole_or("interval_ms", 10, 60'000, 100));
    plan.flows_file = fields.text_or("flows_file", "");
    plan.pauses = read_pauses(fields, plan.concurrent);
    plan.extra = read_extra(fields);
    if (!plan.extra.empty() && !plan.lifetime) {
        fields.refuse("'bursts_of_new' without 'new_per_second' and 'lifetime': their flows would never end");
    }
    if (fields.has("duration_s")) {
        plan.duration_s = fields.real("duration_s", 1e-3, longest_s);
    }
    return plan;
}

}  // namespace nfvcert::engine
