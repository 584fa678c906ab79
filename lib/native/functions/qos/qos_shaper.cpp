#include "functions/qos/qos_shaper.hpp"

#include <nlohmann/json.hpp>

#include "functions/common/parameters.hpp"

namespace nfvcert::nf {
namespace {

constexpr std::uint64_t most_rate = 1'000'000'000'000;
constexpr unsigned average_weight_bits = 4;
constexpr std::uint64_t average_unit = 65536;
constexpr std::uint64_t longest_frame = 2048;

ClassConfig read_class(Parameters parameters) {
    ClassConfig config;
    config.name = parameters.text("name", "");
    if (config.name.empty()) {
        parameters.fail("name", "a name");
    }
    config.rate_bps = parameters.number("rate_bps", 0, 1, most_rate);
    if (config.rate_bps == 0) {
        parameters.fail("rate_bps", "a rate in bit/s");
    }
    config.burst_bytes = parameters.number("burst_bytes", config.burst_bytes, longest_frame, TokenBucket::most_burst_bytes);
    config.queue_packets = parameters.number("queue_packets", config.queue_packets, 1, 1U << 20U);
    config.red_min = parameters.number("red_min", 0, 0, config.queue_packets);
    config.red_max = parameters.number("red_max", 0, 0, config.queue_packets);
    config.red_probability = parameters.fraction("red_probability", config.red_probability);
    if (config.red_max != 0 && config.red_max <= config.red_min) {
        parameters.fail("red_max", "0 or above red_min");
    }
    for (const auto value : parameters.numbers("dscp", 63)) {
        config.dscp.push_back(static_cast<std::uint8_t>(value));
    }
    parameters.finish();
    return config;
}

}  // namespace

ShaperConfig ShaperConfig::read(const nlohmann::json& object) {
    Parameters parameters{"qos", object};
    ShaperConfig config;
    for (auto& one : parameters.objects("classes")) {
        config.classes.push_back(read_class(std::move(one)));
    }
    if (config.classes.size() > 64) {
        parameters.fail("classes", "at most 64 classes");
    }
    if (config.classes.empty()) {
        config.classes.push_back({.name = "all", .dscp = {}, .rate_bps = 10'000'000'000, .burst_bytes = 1'000'000, .queue_packets = 1024});
    }
    config.link_rate_bps = parameters.number("link_rate_bps", 0, 0, most_rate);
    config.link_burst_bytes = parameters.number("link_burst_bytes", config.link_burst_bytes, longest_frame, TokenBucket::most_burst_bytes);
    config.overhead_bytes = parameters.number("overhead_bytes", 0, 0, 64);
    config.ports = parameters.arms();
    parameters.finish();
    return config;
}

QosShaper::Class::Class(const ClassConfig& given)
    : config{given}, bucket{given.rate_bps, given.burst_bytes}, queue(given.queue_packets) {}

QosShaper::QosShaper(const ShaperConfig& config)
    : NetworkFunction{config.ports}, config_{config}, default_class_{config.classes.size() - 1} {
    std::array<bool, 64> named{};
    for (std::size_t i = 0; i < config_.classes.size(); ++i) {
        const auto& one = config_.classes[i];
        classes_.emplace_back(one);
        if (one.dscp.empty()) {
            default_class_ = i;
        }
        for (const auto value : one.dscp) {
            if (named[value]) {
                throw ParameterError("qos: DSCP " + std::to_string(value) + " belongs to two classes");
            }
            named[value] = true;
            class_of_dscp_[value] = static_cast<std::uint8_t>(i);
        }
    }
    for (std::size_t value = 0; value < named.size(); ++value) {
        if (!named[value]) {
            class_of_dscp_[value] = static_cast<std::uint8_t>(default_class_);
        }
    }
    if (config_.link_rate_bps != 0) {
        link_.emplace(config_.link_rate_bps, config_.link_burst_bytes);
    }
}

std::size_t QosShaper::class_of(const PacketRef& packet) const {
    constexpr std::size_t least = packet::ethernet_header_length + 20;
    const bool ipv4 = packet.length >= least && read16(packet.data + 12) == packet::ethertype_ipv4 && packet.data[14] >> 4 == 4;
    return ipv4 ? class_of_dscp_[packet.data[15] >> 2] : default_class_;
}

bool QosShaper::may_go(const Class& chosen, std::uint64_t bytes) const {
    return chosen.bucket.covers(bytes) && (!link_ || link_->covers(bytes));
}

void QosShaper::go(Class& chosen, const PacketRef& packet, Emission& out) {
    const auto bytes = packet.length + config_.overhead_bytes;
    chosen.bucket.take(bytes);
    if (link_) {
        link_->take(bytes);
    }
    ++chosen.passed;
    chosen.passed_bytes += packet.length;
    forward(packet, out);
}

bool QosShaper::drops_early(const Class& chosen, std::uint64_t dice) {
    const auto& config = chosen.config;
    if (config.red_max == 0) {
        return false;
    }
    const auto least = config.red_min * average_unit;
    const auto most = config.red_max * average_unit;
    if (chosen.average < least) {
        return false;
    }
    if (chosen.average >= most) {
        return true;
    }
    const auto share = static_cast<double>(chosen.average - least) / static_cast<double>(most - least);
    constexpr double range = 1ULL << 53U;
    return static_cast<double>(dice >> 11U) / range < share * config.red_probability;
}

void QosShaper::accept(Class& chosen, const PacketRef& packet, std::uint64_t dice, Emission& out) {
    const auto bytes = packet.length + config_.overhead_bytes;
    if (chosen.config.red_max != 0) {
        chosen.average += (chosen.count * average_unit >> average_weight_bits) - (chosen.average >> average_weight_bits);
    }
    // on a limited link whoever is served before this class goes first
    if (chosen.count == 0 && (!link_ || queued_ == 0) && may_go(chosen, bytes)) {
        go(chosen, packet, out);
        return;
    }
    auto reason = DropReason::none;
    if (drops_early(chosen, dice)) {
        reason = DropReason::early_drop;
    } else if (chosen.count == chosen.queue.size() || !chosen.bucket.fits(bytes) || (link_ && !link_->fits(bytes))) {
        reason = DropReason::queue_full;
    }
    if (reason != DropReason::none) {
        ++chosen.dropped;
        drop(packet, reason, out);
        return;
    }
    chosen.queue[(chosen.head + chosen.count) % chosen.queue.size()] = packet;
    ++chosen.count;
    ++queued_;
}

void QosShaper::process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) {
    count_in(burst.size());
    advance(now_ns, out);
    for (const auto& packet : burst) {
        random = packet::mix64(random + 0x9e3779b97f4a7c15ULL);
        accept(classes_[class_of(packet)], packet, random, out);
    }
    serve(out);
}

void QosShaper::advance(std::uint64_t now_ns, Emission& out) {
    for (auto& one : classes_) {
        one.bucket.refill(now_ns);
    }
    if (link_) {
        link_->refill(now_ns);
    }
    serve(out);
}

void QosShaper::serve(Emission& out) {
    for (auto& one : classes_) {
        if (queued_ == 0) {
            return;
        }
        while (one.count > 0 && may_go(one, one.queue[one.head].length + config_.overhead_bytes)) {
            go(one, one.queue[one.head], out);
            one.head = (one.head + 1) % one.queue.size();
            --one.count;
            --queued_;
        }
    }
}

void QosShaper::flush(Emission& out) {
    for (auto& one : classes_) {
        for (; one.count > 0; --one.count, --queued_) {
            forward(one.queue[one.head], out);
            one.head = (one.head + 1) % one.queue.size();
        }
    }
}

void QosShaper::add_statistics(nlohmann::json& statistics) const {
    statistics["queued"] = queued_;
    for (const auto& one : classes_) {
        statistics["classes"][one.config.name] = {{"passed", one.passed},
                                                  {"passed_bytes", one.passed_bytes},
                                                  {"dropped", one.dropped},
                                                  {"queued", one.count}};
    }
}

}  // namespace nfvcert::nf
