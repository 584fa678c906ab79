#include "functions/nat/nat_firewall.hpp"

#include "functions/common/burst.hpp"
#include "functions/nat/icmp_error.hpp"

namespace nfvcert::nf {

NatFirewall::NatFirewall(const NatFirewallConfig& config)
    : NetworkFunction{config.ports},
      config_{config},
      ports_{config.pool},
      sessions_{config.max_sessions},
      mappings_{config.max_sessions + config.pinholes.size()},
      hosts_{config.max_sessions},
      fragments_{config.fragments},
      timers_{config.max_sessions} {
    for (const auto& pinhole : config_.pinholes) {
        const bool taken = !ports_.reserve(pinhole.protocol, pinhole.external);
        const Mapping mapping{pinhole.inside, pinhole.external, 0, pinhole.inside_port, pinhole.protocol, true};
        if (taken || mappings_.add(mapping) == nullptr) {
            throw ParameterError("nat: two pinholes use the same endpoint");
        }
    }
}

void NatFirewall::process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t, Emission& out) {
    count_in(burst.size());
    in_three_passes<Work>(
        burst,
        [&](const PacketRef& packet, Work& work) {
            classify(packet, work);
            sessions_.prefetch(work.hash);
        },
        [&](const Work& work) { sessions_.prefetch_record(work.hash); },
        [&](PacketRef& packet, const Work& work) { settle(packet, carry(packet, work, true, now_ns), out); });
}

void NatFirewall::classify(const PacketRef& packet, Work& work) const {
    auto& view = work.view;
    view = view_frame(packet);
    work.hash = 0;
    const bool out = config_.is_inside(view.source);
    if (!check_carried(view, !out && !ports_.serves(view.destination), out)) {
        return;
    }
    const bool echo = view.is_echo();
    work.key = out ? SessionKey{view.source, view.destination, view.source_port, echo ? std::uint16_t{0} : view.destination_port,
                                view.protocol, Direction::outbound}
                   : SessionKey{view.destination, view.source, view.destination_port, echo ? std::uint16_t{0} : view.source_port,
                                view.protocol, Direction::inbound};
    work.hash = work.key.hash();
}

DropReason NatFirewall::carry(PacketRef& packet, const Work& work, bool hop, std::uint64_t now_ns) {
    switch (work.view.kind) {
        case FrameKind::faulty:
            return work.view.fault;
        case FrameKind::later_fragment:
            return carry_later_fragment(packet, work.view, now_ns);
        case FrameKind::icmp_error:
            return carry_error(packet, work.view, now_ns);
        default:
            break;
    }
    const auto found = find_or_open(work, now_ns);
    return found.record == no_record ? found.drop : translate(packet, work, found.record, hop, now_ns);
}

DropReason NatFirewall::translate(PacketRef& packet, const Work& work, std::uint32_t record, bool hop, std::uint64_t now_ns) {
    auto& session = sessions_[record];
    if (session.frozen) {
        return DropReason::state_exported;
    }
    const auto direction = work.key.direction;
    const bool out = direction == Direction::outbound;
    const bool loops = out && ports_.serves(work.view.destination);
    if (loops && !config_.hairpin) {
        return DropReason::hairpin_refused;
    }
    session.count(static_cast<std::size_t>(direction), packet.length, now_ns);
    if (session.tcp != TcpState::none) {
        follow_tcp(record, direction, work.view.tcp_flags, now_ns);
    }
    if (work.view.first_fragment) {
        fragments_.learn(work.view, record, static_cast<std::uint8_t>(direction), now_ns);
    }
    if (out) {
        rewrite(work.view, Side::source, session.external, session.external_port, hop);
    } else {
        rewrite(work.view, Side::destination, session.inside, session.inside_port, hop);
    }
    if (!loops) {
        return DropReason::none;
    }
    // Back in, as a packet from the session's external endpoint (RFC 4787 REQ-9).
    Work inward;
    inward.view = view_frame(packet);
    const auto& view = inward.view;
    inward.key = {view.destination, view.source, view.destination_port, view.source_port, view.protocol, Direction::inbound};
    inward.hash = inward.key.hash();
    return view.protocol == protocol::icmp ? DropReason::no_pinhole : carry(packet, inward, false, now_ns);
}

DropReason NatFirewall::carry_later_fragment(const PacketRef& packet, const FrameView& view, std::uint64_t now_ns) {
    const auto known = fragments_.find(view, now_ns);
    if (known.record == no_record) {
        return DropReason::fragment_without_first;
    }
    auto& session = sessions_[known.record];
    const bool out = known.note == static_cast<std::uint8_t>(Direction::outbound);
    const auto local = out ? view.source : view.destination;
    const auto remote = out ? view.destination : view.source;
    if (session.protocol != view.protocol || session.remote != remote || local != (out ? session.inside : session.external)) {
        return DropReason::fragment_without_first;  // the session has ended meanwhile
    }
    if (session.frozen) {
        return DropReason::state_exported;
    }
    session.count(out ? 0 : 1, packet.length, now_ns);
    rewrite(view, out ? Side::source : Side::destination, out ? session.external : session.inside, 0, true);
    return DropReason::none;
}

DropReason NatFirewall::carry_error(const PacketRef&, const FrameView& view, std::uint64_t now_ns) {
    const auto quoted = quoted_packet(view);
    if (!quoted) {
        return DropReason::unsupported_icmp;
    }
    // The quoted packet went the other way: errors from outside quote what left here (its source is external), errors from
    // inside quote what was delivered (its destination is inside).
    const bool out = config_.is_inside(view.source);
    const SessionKey key = out ? SessionKey{quoted->flow.destination, quoted->flow.source, quoted->flow.destination_port,
                                            quoted->flow.source_port, quoted->flow.protocol, Direction::outbound}
                               : SessionKey{quoted->flow.source, quoted->flow.destination, quoted->flow.source_port,
                                            quoted->flow.destination_port, quoted->flow.protocol, Direction::inbound};
    const auto record = find_live(key, key.hash(), now_ns);
    if (record == no_record || view.destination != quoted->flow.source) {
        return DropReason::no_pinhole;
    }
    if (const auto damage = check_error(view, *quoted); damage != DropReason::none) {
        return damage;
    }
    const auto& session = sessions_[record];  // neither its counters nor its timeout change (RFC 5508 REQ-7)
    if (out) {
        rewrite_error(view, *quoted, packet::Field::destination, {{session.external}, session.external_port}, Side::source,
                      session.external);
    } else {
        rewrite_error(view, *quoted, packet::Field::source, {{session.inside}, session.inside_port}, Side::destination,
                      session.inside);
    }
    return DropReason::none;
}

void NatFirewall::follow_tcp(std::uint32_t record, Direction direction, std::uint8_t flags, std::uint64_t now_ns) {
    auto& session = sessions_[record];
    // the side that opened the connection is the tracker's inside
    const auto seen = session.from_outside ? (direction == Direction::inbound ? Direction::outbound : Direction::inbound) : direction;
    const auto next = functions::next_tcp_state(session.tcp, seen, flags);
    if (next == session.tcp) {
        return;
    }
    const bool was_half_open = session.half_open();
    session.tcp = next;
    if (was_half_open != session.half_open()) {
        count_half_open(session, !was_half_open);
    }
    timers_.disarm(record);
    timers_.arm(record, now_ns + timeout_of(session), now_ns);
}

}  // namespace nfvcert::nf
