#include "functions/nat/basic_nat.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "functions/nat/icmp_error.hpp"

namespace nfvcert::nf {
namespace {

constexpr std::size_t most_at_once = 64;
constexpr unsigned timers_per_call = 256;
constexpr std::uint64_t frozen_recheck_ns = 1'000'000'000;

void make_faulty(FrameView& view, DropReason reason) {
    view.kind = FrameKind::faulty;
    view.fault = reason;
}

}  // namespace

BasicNat::BasicNat(const BasicNatConfig& config)
    : NetworkFunction{config.ports},
      config_{config},
      ports_{config.pool},
      index_{config.max_sessions * 2},
      records_(config.max_sessions),
      free_(config.max_sessions),
      fragments_{config.fragments},
      timers_{config.max_sessions} {
    for (std::size_t i = 0; i < free_.size(); ++i) {
        free_[i] = static_cast<std::uint32_t>(free_.size() - 1 - i);
    }
}

bool BasicNat::is_external(std::uint32_t address) const {
    return ports_.owns(address) || std::ranges::find(adopted_, address) != adopted_.end();
}

std::uint64_t BasicNat::timeout_of(std::uint8_t protocol) const {
    // without connection tracking every TCP mapping has to be kept as long as an established one
    return protocol == protocol::udp    ? config_.timeouts.udp_ns
           : protocol == protocol::icmp ? config_.timeouts.icmp_ns
                                        : config_.timeouts.tcp_established_ns;
}

std::uint64_t BasicNat::hash_of(bool out, std::uint8_t protocol, std::uint32_t address, std::uint16_t port) {
    return hash_words(address, (static_cast<std::uint64_t>(port) << 16) | (static_cast<std::uint64_t>(protocol) << 1) |
                                   (out ? 1U : 0U));
}

std::uint32_t BasicNat::find(bool out, std::uint8_t protocol, std::uint32_t address, std::uint16_t port, std::uint64_t hash) const {
    return index_.find(hash, [&](std::uint32_t number) {
        const auto& record = records_[number];
        return record.protocol == protocol && (out ? record.inside == address && record.inside_port == port
                                                   : record.external == address && record.external_port == port);
    });
}

std::uint32_t BasicNat::find_live(bool out, std::uint8_t protocol, std::uint32_t address, std::uint16_t port, std::uint64_t hash,
                                  std::uint64_t now_ns) {
    const auto record = find(out, protocol, address, port, hash);
    if (record != no_record && expired(records_[record], now_ns)) {
        close(record, now_ns, false);
        return no_record;
    }
    return record;
}

void BasicNat::process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t, Emission& out) {
    count_in(burst.size());
    std::array<Work, most_at_once> works;  // NOLINT: filled below
    while (!burst.empty()) {
        const auto part = burst.first(std::min(burst.size(), most_at_once));
        burst = burst.subspan(part.size());
        for (std::size_t i = 0; i < part.size(); ++i) {
            classify(part[i], works[i]);
            index_.prefetch(works[i].hash);
        }
        for (std::size_t i = 0; i < part.size(); ++i) {
            if (const auto record = index_.candidate(works[i].hash); record != no_record) {
                __builtin_prefetch(&records_[record], 1);
            }
        }
        for (std::size_t i = 0; i < part.size(); ++i) {
            const auto reason = carry(part[i], works[i], now_ns);
            if (reason == DropReason::none) {
                forward(part[i], out);
            } else {
                drop(part[i], reason, out);
            }
        }
    }
}

void BasicNat::classify(const PacketRef& packet, Work& work) const {
    auto& view = work.view;
    view = view_frame(packet);
    work.hash = 0;
    if (view.kind == FrameKind::faulty) {
        return;
    }
    work.out = config_.is_inside(view.source);
    const bool echo = view.kind == FrameKind::echo_request || view.kind == FrameKind::echo_reply;
    if (!is_unicast(view.source) || !is_unicast(view.destination)) {
        make_faulty(view, DropReason::martian);
    } else if (!work.out && !is_external(view.destination)) {
        make_faulty(view, DropReason::foreign);
    } else if (view.kind == FrameKind::other_protocol) {
        make_faulty(view, DropReason::unsupported_protocol);
    } else if (view.kind == FrameKind::other_icmp || (echo && (view.kind == FrameKind::echo_request) != work.out)) {
        make_faulty(view, DropReason::unsupported_icmp);
    } else if (view.ttl() <= 1) {
        make_faulty(view, DropReason::ttl_expired);
    } else if (work.out && is_external(view.destination)) {
        make_faulty(view, DropReason::hairpin_refused);
    } else {
        work.local = work.out ? view.source : view.destination;
        work.local_port = work.out ? view.source_port : view.destination_port;
        work.hash = hash_of(work.out, view.protocol, work.local, work.local_port);
    }
}

DropReason BasicNat::carry(const PacketRef& packet, const Work& work, std::uint64_t now_ns) {
    const auto& view = work.view;
    switch (view.kind) {
        case FrameKind::faulty:
            return view.fault;
        case FrameKind::later_fragment:
            return carry_later_fragment(packet, view, now_ns);
        case FrameKind::icmp_error:
            return carry_error(view, now_ns);
        default:
            break;
    }
    auto number = find_live(work.out, view.protocol, work.local, work.local_port, work.hash, now_ns);
    if (number == no_record) {
        auto reason = DropReason::no_pinhole;
        number = work.out ? open(work, now_ns, reason) : no_record;
        if (number == no_record) {
            return reason;
        }
    }
    auto& record = records_[number];
    if (record.frozen) {
        return DropReason::state_exported;
    }
    const std::size_t side = work.out ? 0 : 1;
    record.last_ns = now_ns;
    ++record.packets[side];
    record.bytes[side] += packet.length;
    if (view.first_fragment) {
        fragments_.learn(view, number, static_cast<std::uint8_t>(side), now_ns);
    }
    if (work.out) {
        rewrite(view, Side::source, record.external, record.external_port, true);
    } else {
        rewrite(view, Side::destination, record.inside, record.inside_port, true);
    }
    return DropReason::none;
}

DropReason BasicNat::carry_later_fragment(const PacketRef& packet, const FrameView& view, std::uint64_t now_ns) {
    const auto known = fragments_.find(view, now_ns);
    if (known.record == no_record) {
        return DropReason::fragment_without_first;
    }
    auto& record = records_[known.record];
    const bool out = known.note == 0;
    if (record.protocol != view.protocol || (out ? view.source != record.inside : view.destination != record.external)) {
        return DropReason::fragment_without_first;
    }
    if (record.frozen) {
        return DropReason::state_exported;
    }
    record.last_ns = now_ns;
    ++record.packets[known.note];
    record.bytes[known.note] += packet.length;
    rewrite(view, out ? Side::source : Side::destination, out ? record.external : record.inside, 0, true);
    return DropReason::none;
}

DropReason BasicNat::carry_error(const FrameView& view, std::uint64_t now_ns) {
    const auto quoted = quoted_packet(view);
    if (!quoted) {
        return DropReason::unsupported_icmp;
    }
    // errors from outside quote what left here, errors from inside what was delivered
    const bool out = config_.is_inside(view.source);
    const auto local = out ? quoted->flow.destination : quoted->flow.source;
    const auto port = out ? quoted->flow.destination_port : quoted->flow.source_port;
    const auto protocol = quoted->flow.protocol;
    const auto number = find_live(out, protocol, local, port, hash_of(out, protocol, local, port), now_ns);
    if (number == no_record || view.destination != quoted->flow.source) {
        return DropReason::no_pinhole;
    }
    if (const auto damage = check_error(view, *quoted); damage != DropReason::none) {
        return damage;
    }
    const auto& record = records_[number];
    if (out) {
        rewrite_error(view, *quoted, packet::Field::destination, {{record.external}, record.external_port}, Side::source,
                      record.external);
    } else {
        rewrite_error(view, *quoted, packet::Field::source, {{record.inside}, record.inside_port}, Side::destination,
                      record.inside);
    }
    return DropReason::none;
}

std::uint32_t BasicNat::open(const Work& work, std::uint64_t now_ns, DropReason& drop) {
    if (free_.empty()) {
        drop = DropReason::session_limit;
        return no_record;
    }
    const auto external = ports_.allocate(work.view.protocol, work.local, now_ns);
    if (!external) {
        drop = DropReason::port_exhausted;
        return no_record;
    }
    Record record;
    record.inside = work.local;
    record.inside_port = work.local_port;
    record.external = external->address;
    record.external_port = external->port;
    record.first_remote = work.view.destination;
    record.first_remote_port = work.view.kind == FrameKind::segment ? work.view.destination_port : std::uint16_t{0};
    record.protocol = work.view.protocol;
    record.last_ns = now_ns;
    return add(record, now_ns);
}

std::uint32_t BasicNat::add(const Record& record, std::uint64_t now_ns) {
    const auto number = free_.back();
    free_.pop_back();
    records_[number] = record;
    index_.insert(hash_of(true, record.protocol, record.inside, record.inside_port), number);
    index_.insert(hash_of(false, record.protocol, record.external, record.external_port), number);
    timers_.arm(number, record.last_ns + timeout_of(record.protocol), now_ns);
    return number;
}

void BasicNat::close(std::uint32_t number, std::uint64_t now_ns, bool ceded) {
    auto& record = records_[number];
    const ExternalEndpoint external{record.external, record.external_port};
    timers_.disarm(number);
    index_.erase(hash_of(true, record.protocol, record.inside, record.inside_port), number);
    index_.erase(hash_of(false, record.protocol, record.external, record.external_port), number);
    if (ceded) {
        ports_.cede(record.protocol, external);
    } else {
        ports_.release(record.protocol, external, now_ns);
    }
    record.protocol = 0;
    free_.push_back(number);
}

void BasicNat::advance(std::uint64_t now_ns, Emission&) {
    timers_.advance(now_ns, timers_per_call, [&](std::uint32_t number) {
        const auto& record = records_[number];
        if (record.frozen) {
            timers_.arm(number, now_ns + frozen_recheck_ns, now_ns);
        } else if (expired(record, now_ns)) {
            close(number, now_ns, false);
        } else {
            timers_.arm(number, record.last_ns + timeout_of(record.protocol), now_ns);
        }
    });
}

void BasicNat::add_statistics(nlohmann::json& statistics) const {
    statistics["ports_taken"] = ports_.taken();
    statistics["ports_ceded"] = ports_.ceded();
}

}  // namespace nfvcert::nf
