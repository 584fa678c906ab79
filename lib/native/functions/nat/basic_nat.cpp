#include "functions/nat/basic_nat.hpp"

#include <nlohmann/json.hpp>

#include "functions/common/burst.hpp"
#include "functions/nat/icmp_error.hpp"

namespace nfvcert::nf {

BasicNat::BasicNat(const BasicNatConfig& config)
    : NetworkFunction{config.ports},
      config_{config},
      ports_{config.pool},
      records_{config.max_sessions, 2},
      fragments_{config.fragments},
      timers_{config.max_sessions} {}

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
    return records_.find(hash, [&](const Record& record) {
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
    in_three_passes<Work>(
        burst,
        [&](const PacketRef& packet, Work& work) {
            classify(packet, work);
            records_.prefetch(work.hash);
        },
        [&](const Work& work) { records_.prefetch_record(work.hash); },
        [&](const PacketRef& packet, const Work& work) { settle(packet, carry(packet, work, now_ns), out); });
}

void BasicNat::classify(const PacketRef& packet, Work& work) const {
    auto& view = work.view;
    view = view_frame(packet);
    work.hash = 0;
    work.out = config_.is_inside(view.source);
    if (!check_carried(view, !work.out && !ports_.serves(view.destination), work.out)) {
        return;
    }
    if (work.out && ports_.serves(view.destination)) {
        view.make_faulty(DropReason::hairpin_refused);
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
    record.count(side, packet.length, now_ns);
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
    record.count(known.note, packet.length, now_ns);
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
    if (records_.full()) {
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
    const auto number = records_.add(record, {hash_of(true, record.protocol, record.inside, record.inside_port),
                                              hash_of(false, record.protocol, record.external, record.external_port)});
    timers_.arm(number, record.last_ns + timeout_of(record.protocol), now_ns);
    return number;
}

void BasicNat::close(std::uint32_t number, std::uint64_t now_ns, bool ceded) {
    auto& record = records_[number];
    const ExternalEndpoint external{record.external, record.external_port};
    timers_.disarm(number);
    records_.remove(number, {hash_of(true, record.protocol, record.inside, record.inside_port),
                             hash_of(false, record.protocol, record.external, record.external_port)});
    if (ceded) {
        ports_.cede(record.protocol, external);
    } else {
        ports_.release(record.protocol, external, now_ns);
    }
    record.protocol = 0;
}

void BasicNat::advance(std::uint64_t now_ns, Emission&) {
    end_idle(
        records_, timers_, now_ns, [&](const Record& record) { return timeout_of(record.protocol); },
        [&](std::uint32_t number) { close(number, now_ns, false); });
}

void BasicNat::add_statistics(nlohmann::json& statistics) const {
    statistics["ports_taken"] = ports_.taken();
    statistics["ports_ceded"] = ports_.ceded();
}

}  // namespace nfvcert::nf
