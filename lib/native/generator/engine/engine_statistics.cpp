#include <algorithm>
#include <cmath>

#include "generator/engine/engine.hpp"

namespace nfvcert::engine {
namespace {

constexpr const char* version = "1.0";
constexpr std::uint64_t second_ns = 1'000'000'000;

json count_of(const std::array<PacketCount, most_ports>& counted, std::size_t ports) {
    auto found = json::object();
    for (std::size_t port = 0; port < ports; ++port) {
        found[std::to_string(port)] = {{"packets", counted[port].packets}, {"bytes", counted[port].octets}};
    }
    return found;
}

/// {"10": n, "20": n, ...}: microseconds by their first digit, as TRex tells them.
json decades_of(const Histogram& histogram) {
    std::map<std::uint64_t, std::uint64_t> decades;
    for (const auto& [ns, count] : histogram.used()) {
        auto us = ns / 1000;
        std::uint64_t unit = 1;
        while (us >= 10) {
            us /= 10;
            unit *= 10;
        }
        decades[us * unit] += count;
    }
    auto found = json::object();
    for (const auto& [us, count] : decades) {
        found[std::to_string(us)] = count;
    }
    return found;
}

json latency_of(const Latency& latency) {
    constexpr double us = 1e-3;
    const auto some = latency.count != 0;
    return {{"histogram", decades_of(latency.histogram)},
            {"count", latency.count},
            {"min", some ? static_cast<double>(latency.least_ns) * us : 0.0},
            {"max", static_cast<double>(latency.greatest_ns) * us},
            {"last_max", static_cast<double>(latency.recent_greatest_ns) * us},
            {"average", some ? static_cast<double>(latency.sum_ns) / static_cast<double>(latency.count) * us : 0.0},
            {"jitter", latency.jitter_ns * us},
            {"dropped", latency.dropped},
            {"out_of_order", latency.out_of_order},
            {"duplicate", latency.duplicate},
            {"seq_too_high", latency.too_high},
            {"seq_too_low", latency.too_low},
            {"hdr", hdr_base64_us(latency.histogram)}};
}

/// A group's numbers, copied between two rounds.
struct Snapshot {
    std::uint32_t number;
    GroupKind kind;
    std::array<PacketCount, most_ports> sent;
    std::array<PacketCount, most_ports> received;
    std::unique_ptr<Latency> latency;
};

}  // namespace

void Engine::offer_statistics() {
    auto& control = program_.control();
    control.on("info", [this](const json&) { return info(); });
    control.on("statistics", [this](const json&) { return statistics(); });
    control.on("forget_group", [this](const json& order) { return forget_group(order); });
}

json Engine::info() {
    auto ports = json::array();
    for (const auto& port : ports_) {
        ports.push_back({{"index", port.index},
                         {"name", port.port->name()},
                         {"kind", port.port->kind()},
                         {"mac", port_mac(port.index).text()},
                         {"link_up", port.port->link_up()},
                         {"speed_gbps", port.speed_gbps > 0 ? json(port.speed_gbps) : json()}});
    }
    return {{"version", version},
            {"ports", std::move(ports)},
            {"longest_packet", longest_packet},
            {"capability_pps", capability_pps_},
            {"tsc_per_second", clock_.tsc_per_second()},
            {"t_ns", clock_.now_ns()}};
}

void Engine::sample() {
    Sample now;
    now.tsc = dpdk::TscClock::tsc();
    now.t_ns = clock_.to_ns(now.tsc);
    now.busy_tsc = busy_tsc_.load(std::memory_order_relaxed);
    for (const auto& port : ports_) {
        now.ports[port.index] = port.port->counters();
    }
    const std::lock_guard lock{sampling_};
    samples_.push_back(now);
    while (samples_.size() > 2 && now.t_ns - samples_[1].t_ns >= second_ns) {
        samples_.pop_front();
    }
}

json Engine::statistics() {
    sample();
    Sample old;
    Sample now;
    {
        const std::lock_guard lock{sampling_};
        old = samples_.front();
        now = samples_.back();
    }
    const auto seconds = std::max(1e-9, static_cast<double>(now.t_ns - old.t_ns) * 1e-9);
    const auto rate = [seconds](std::uint64_t after, std::uint64_t before) { return static_cast<double>(after - before) / seconds; };
    auto ports = json::object();
    for (const auto& port : ports_) {
        const auto& counted = now.ports[port.index];
        const auto& before = old.ports[port.index];
        ports[std::to_string(port.index)] = {
            {"opackets", counted.tx_packets},
            {"ipackets", counted.rx_packets},
            {"obytes", counted.tx_bytes},
            {"ibytes", counted.rx_bytes},
            {"oerrors", counted.tx_dropped},
            {"ierrors", counted.rx_errors + counted.rx_missed},
            {"tx_pps", rate(counted.tx_packets, before.tx_packets)},
            {"rx_pps", rate(counted.rx_packets, before.rx_packets)},
            {"tx_bps", 8 * rate(counted.tx_bytes, before.tx_bytes)},
            {"rx_bps", 8 * rate(counted.rx_bytes, before.rx_bytes)},
            {"queue_full", port.refused},
            {"no_buffers", port.no_buffers},
            {"link_up", port.port->link_up()},
        };
    }
    const auto cycles = static_cast<double>(now.tsc - old.tsc);
    const auto busy = cycles > 0 ? 100.0 * static_cast<double>(now.busy_tsc - old.busy_tsc) / cycles : 0.0;
    auto answer = json{{"t_ns", now.t_ns}, {"cpu", std::min(100.0, busy)}, {"ports", std::move(ports)}, {"groups", group_statistics()}};
    answer["old_flow"] = groups_.old_packets();
    answer["bad_hdr"] = groups_.bad_trailers();
    return answer;
}

json Engine::group_statistics() {
    const std::lock_guard lock{orders_};
    auto groups = json::object();
    for (const auto& [number, group] : groups_.all()) {  // changed under orders_ alone
        Snapshot copy{};
        if (group->latency) {
            copy.latency = std::make_unique<Latency>();
        }
        program_.loop().inside([&] {  // one group at a time: the polling thread is never kept for long
            copy.sent = group->sent;
            copy.received = group->received;
            if (group->latency) {
                *copy.latency = *group->latency;
                group->latency->recent_greatest_ns = 0;
            }
        });
        json told{{"kind", group->kind == GroupKind::latency ? "latency" : "stats"},
                  {"tx", count_of(copy.sent, ports_.size())},
                  {"rx", count_of(copy.received, ports_.size())}};
        if (copy.latency) {
            told["latency"] = latency_of(*copy.latency);
        }
        groups[std::to_string(number)] = std::move(told);
    }
    return groups;
}

json Engine::forget_group(const json& order) {
    const Fields fields{order, "forget_group", {"op", "id", "group"}};
    const auto number = static_cast<std::uint32_t>(fields.whole("group", 0, most_groups - 1));
    const std::lock_guard lock{orders_};
    const auto* known = groups_.find(number);
    if (known == nullptr) {
        return {{"t_ns", clock_.now_ns()}};
    }
    // streams that are loaded go on with the group, its counters begin anew
    auto fresh = std::make_unique<Latency>();
    std::unique_ptr<Group> unused;
    return inside([&](std::uint64_t, json&) {
        auto* group = groups_.find(number);
        group->sent = {};
        group->received = {};
        if (group->latency) {
            ++group->epoch;  // what is on its way is an old group's
            fresh->expected = group->next_sequence;
            group->latency.swap(fresh);
        }
        for (const auto& port : ports_) {
            for (const auto& [name, profile] : port.profiles) {
                if (profile->uses(*group)) {
                    return;
                }
            }
        }
        unused = groups_.remove(number);
    });
}

}  // namespace nfvcert::engine
