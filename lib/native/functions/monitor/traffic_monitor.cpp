#include "functions/monitor/traffic_monitor.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "functions/common/burst.hpp"
#include "functions/common/parameters.hpp"

namespace nfvcert::nf {
namespace {

constexpr std::uint32_t sampled = 15;  // a flow asks to be among the heaviest once in sixteen packets

std::size_t protocol_class(std::uint8_t number) {
    return number == protocol::tcp ? 0 : number == protocol::udp ? 1 : number == protocol::icmp ? 2 : 3;
}

nlohmann::json json_of(const Volume& volume) { return {{"packets", volume.packets}, {"bytes", volume.bytes}}; }

}  // namespace

MonitorConfig MonitorConfig::read(const nlohmann::json& object) {
    Parameters parameters{"monitor", object};
    MonitorConfig config;
    config.max_flows = parameters.number("max_flows", config.max_flows, 1, 8'000'000);
    config.idle_timeout_ns = parameters.time_ns("state_timeout_ms", config.idle_timeout_ns);
    config.idle_timeout_ns = parameters.time_ns("idle_timeout_ms", config.idle_timeout_ns);
    config.prefix_bits = static_cast<unsigned>(parameters.number("prefix_bits", config.prefix_bits, 1, 32));
    config.max_prefixes = parameters.number("max_prefixes", config.max_prefixes, 1, 1U << 24U);
    config.sketch_width = parameters.number("sketch_width", config.sketch_width, 16, 1U << 24U);
    config.heavy_hitters = parameters.number("heavy_hitters", config.heavy_hitters, 1, 1024);
    config.bin_ns = parameters.time_ns("bin_ms", config.bin_ns);
    config.bins = parameters.number("bins", config.bins, 1, 100'000);
    config.ports = parameters.arms();
    if (config.bin_ns == 0) {
        parameters.fail("bin_ms", "above 0");
    }
    parameters.finish();
    return config;
}

TrafficMonitor::TrafficMonitor(const MonitorConfig& config)
    : NetworkFunction{config.ports},
      config_{config},
      records_{config.max_flows, 1},
      timers_{config.max_flows},
      prefixes_{config.prefix_bits, config.max_prefixes},
      sketch_{config.sketch_width},
      heavy_{config.heavy_hitters} {
    closed_bins_.reserve(config.bins);
}

void TrafficMonitor::process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t, Emission& out) {
    count_in(burst.size());
    roll_bins(now_ns);
    in_three_passes<Work>(
        burst,
        [&](const PacketRef& packet, Work& work) {
            work = classify(packet);
            records_.prefetch(work.hash);
            sketch_.prefetch(work.hash);
        },
        [&](const Work& work) { records_.prefetch_record(work.hash); },
        [&](const PacketRef& packet, const Work& work) { settle(packet, count(packet, work, now_ns), out); });
}

TrafficMonitor::Work TrafficMonitor::classify(const PacketRef& packet) {
    const auto view = view_frame(packet);
    if (view.kind == FrameKind::faulty) {
        return {{}, 0, true};
    }
    const auto key = view.key();
    return {key, hash_of(key), false};
}

DropReason TrafficMonitor::count(const PacketRef& packet, const Work& work, std::uint64_t now_ns) {
    if (work.opaque) {
        opaque_.add(packet.length);
        open_bin_.all.add(packet.length);
        ++open_bin_.protocols[3];
        return DropReason::none;
    }
    auto number = find(work.key, work.hash);
    if (number != no_record && expired(records_[number], now_ns)) {
        ++open_bin_.ended_flows;
        ++ended_flows_;
        remove(number, ended_);
        number = no_record;
    }
    if (number != no_record && records_[number].frozen) {
        return DropReason::state_exported;
    }
    open_bin_.all.add(packet.length);
    ++open_bin_.protocols[protocol_class(work.key.protocol)];
    const auto estimate = sketch_.add(work.hash);
    if ((estimate & sampled) == 0 && heavy_.interested(estimate)) {
        heavy_.offer(work.key, estimate);
    }
    if (number == no_record && !records_.full()) {
        Record record;
        record.key = work.key;
        record.first_ns = now_ns;
        record.last_ns = now_ns;
        number = add(record, work.hash, now_ns);
        ++open_bin_.new_flows;
    }
    if (number == no_record) {
        untracked_.add(packet.length);
        prefixes_[prefixes_.record_of(work.key.source)].from.add(packet.length);
        prefixes_[prefixes_.record_of(work.key.destination)].to.add(packet.length);
        return DropReason::none;
    }
    auto& record = records_[number];
    record.volume.add(packet.length);
    record.last_ns = now_ns;
    prefixes_[record.from].from.add(packet.length);
    prefixes_[record.to].to.add(packet.length);
    return DropReason::none;
}

std::uint32_t TrafficMonitor::add(const Record& given, std::uint64_t hash, std::uint64_t now_ns) {
    const auto number = records_.add(given, {hash});
    auto& record = records_[number];
    record.used = true;
    record.from = prefixes_.record_of(given.key.source);
    record.to = prefixes_.record_of(given.key.destination);
    timers_.arm(number, record.last_ns + config_.idle_timeout_ns, now_ns);
    return number;
}

void TrafficMonitor::remove(std::uint32_t number, Volume& account) {
    auto& record = records_[number];
    timers_.disarm(number);
    records_.remove(number, {hash_of(record.key)});
    account.add(record.volume);
    record.used = false;
}

void TrafficMonitor::advance(std::uint64_t now_ns, Emission&) {
    roll_bins(now_ns);
    end_idle(
        records_, timers_, now_ns, [&](const Record&) { return config_.idle_timeout_ns; },
        [&](std::uint32_t number) {
            ++open_bin_.ended_flows;
            ++ended_flows_;
            remove(number, ended_);
        });
}

void TrafficMonitor::roll_bins(std::uint64_t now_ns) {
    if (open_bin_.end_ns == 0) {
        open_bin_.begin_ns = now_ns;
        open_bin_.end_ns = now_ns + config_.bin_ns;
    }
    for (std::size_t rolled = 0; now_ns >= open_bin_.end_ns; ++rolled) {
        if (closed_bins_.size() < config_.bins) {
            closed_bins_.push_back(open_bin_);
        } else {
            closed_bins_[next_bin_] = open_bin_;
        }
        next_bin_ = (next_bin_ + 1) % config_.bins;
        auto begin = open_bin_.end_ns;
        if (rolled >= config_.bins) {  // a pause longer than all bins together: the empty ones before it are left out
            begin += (now_ns - begin) / config_.bin_ns * config_.bin_ns;
        }
        open_bin_ = MonitorBin{.begin_ns = begin, .end_ns = begin + config_.bin_ns, .all = {}};
    }
}

std::vector<MonitorBin> TrafficMonitor::bins() const {
    auto all = closed_bins_;
    if (all.size() == config_.bins) {
        std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(next_bin_), all.end());
    }
    return all;
}

void TrafficMonitor::add_statistics(nlohmann::json& statistics) const {
    statistics["ended_flows"] = ended_flows_;
    statistics["ended"] = json_of(ended_);
    statistics["untracked"] = json_of(untracked_);
    statistics["opaque"] = json_of(opaque_);
    statistics["given_away"] = json_of(given_away_);
    statistics["taken_over"] = json_of(taken_over_);
    statistics["prefixes"] = prefixes_.records().size() - 1;
}

}  // namespace nfvcert::nf
