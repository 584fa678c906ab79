#include "functions/nat44.hpp"

#include <algorithm>

namespace nfvcert::functions {

using packet::Field;

std::string_view name_of(DropReason reason) {
    static constexpr std::array<std::string_view, drop_reason_count> names{
        "none",     "malformed",            "bad_checksum",     "fragment",            "ttl_expired", "martian",
        "unsupported_protocol", "unsupported_icmp", "tcp_without_session", "no_session",  "port_exhausted", "session_limit"};
    return names[static_cast<std::size_t>(reason)];
}

Nat44::Nat44(const NatConfig& config, std::unique_ptr<PortAllocator> ports)
    : config_{config}, ports_{std::move(ports)} {}

NatVerdict Nat44::outbound(Bytes packet, const MacAddress& from, std::uint64_t now_ns) {
    return translate(Direction::outbound, packet, from, now_ns);
}

NatVerdict Nat44::inbound(Bytes packet, std::uint64_t now_ns) {
    return translate(Direction::inbound, packet, MacAddress{}, now_ns);
}

NatVerdict Nat44::translate(Direction direction, Bytes packet, const MacAddress& from, std::uint64_t now_ns) {
    NatVerdict verdict;
    verdict.drop = [&] {
        const auto header = packet::parse_ipv4(packet);
        if (!header) {
            return DropReason::malformed;
        }
        if (!packet::ipv4_checksum_valid(packet, *header)) {
            return DropReason::bad_checksum;
        }
        if (!header->source.is_routable_unicast() || !header->destination.is_routable_unicast()) {
            return DropReason::martian;
        }
        if (header->is_fragment()) {
            return DropReason::fragment;
        }
        if (header->ttl <= 1) {
            return DropReason::ttl_expired;
        }
        verdict.length = header->total_length;
        const auto whole = packet.first(header->total_length);
        const auto drop = header->carries(Protocol::icmp)
                              ? translate_icmp(direction, whole, *header, from, now_ns, verdict)
                              : translate_transport(direction, whole, *header, from, now_ns, verdict);
        if (drop == DropReason::none) {
            packet::decrement_ttl(whole);
            if (config_.dscp) {
                packet::set_dscp(whole, *config_.dscp);
            }
        }
        return drop;
    }();
    if (verdict.forwards()) {
        ++forwarded_[static_cast<std::size_t>(direction)];
        last_packet_ns_ = now_ns;
    } else {
        ++dropped_[static_cast<std::size_t>(verdict.drop)];
    }
    return verdict;
}

DropReason Nat44::translate_transport(Direction direction, Bytes packet, const Header& header, const MacAddress& from,
                                      std::uint64_t now_ns, NatVerdict& verdict) {
    const bool is_udp = header.carries(Protocol::udp);
    if (!is_udp && !header.carries(Protocol::tcp)) {
        return DropReason::unsupported_protocol;
    }
    const Bytes payload = packet.subspan(header.header_length);
    const auto ports = is_udp ? packet::parse_udp(payload) : packet::parse_tcp(payload);
    if (!ports) {
        return DropReason::malformed;
    }
    Flow flow{is_udp ? Protocol::udp : Protocol::tcp,
              {header.source, ports->source},
              {header.destination, ports->destination},
              ports->tcp_flags};
    if (direction == Direction::inbound) {
        std::swap(flow.local, flow.remote);
    }
    return carry(direction, packet, header, flow, from, now_ns, verdict);
}

DropReason Nat44::translate_icmp(Direction direction, Bytes packet, const Header& header, const MacAddress& from,
                                 std::uint64_t now_ns, NatVerdict& verdict) {
    const auto icmp = packet::parse_icmp(packet.subspan(header.header_length));
    if (!icmp) {
        return DropReason::malformed;
    }
    if (icmp->kind == packet::IcmpKind::error) {
        return translate_icmp_error(direction, packet, header, now_ns, verdict);
    }
    const auto expected = direction == Direction::outbound ? packet::IcmpKind::echo_request : packet::IcmpKind::echo_reply;
    if (icmp->kind != expected) {
        return DropReason::unsupported_icmp;
    }
    const bool out = direction == Direction::outbound;
    const Flow flow{Protocol::icmp,
                    {out ? header.source : header.destination, icmp->identifier},
                    {out ? header.destination : header.source, 0},
                    0};
    return carry(direction, packet, header, flow, from, now_ns, verdict);
}

DropReason Nat44::carry(Direction direction, Bytes packet, const Header& header, const Flow& flow,
                        const MacAddress& from, std::uint64_t now_ns, NatVerdict& verdict) {
    const auto found = find_or_open(direction, flow, now_ns);
    if (found.session == nullptr) {
        return found.drop;
    }
    auto& session = *found.session;
    session.last_seen_ns = now_ns;
    if (session.protocol == Protocol::tcp) {
        session.tcp = next_tcp_state(session.tcp, direction, flow.tcp_flags);
    }
    if (direction == Direction::outbound) {
        session.inside_mac = from;
        packet::rewrite_endpoint(packet, header, Field::source, session.external);
        verdict.destination = header.destination;
    } else {
        packet::rewrite_endpoint(packet, header, Field::destination, session.inside);
        verdict.destination = session.inside.address;
        verdict.inside_mac = session.inside_mac;
    }
    return DropReason::none;
}

Session* Nat44::find_live(Direction direction, const Flow& flow, std::uint64_t now_ns) {
    auto* const session = direction == Direction::outbound
                              ? table_.find_outbound(flow.protocol, flow.local, flow.remote)
                              : table_.find_inbound(flow.protocol, flow.local, flow.remote);
    if (session != nullptr && expired(*session, now_ns)) {
        remove(*session);
        return nullptr;
    }
    return session;
}

Nat44::Found Nat44::find_or_open(Direction direction, const Flow& flow, std::uint64_t now_ns) {
    if (auto* const session = find_live(direction, flow, now_ns)) {
        return {DropReason::none, session};
    }
    if (direction == Direction::inbound) {
        return {DropReason::no_session, nullptr};
    }
    if (flow.protocol == Protocol::tcp &&
        (flow.tcp_flags & (packet::tcp_flag::syn | packet::tcp_flag::ack | packet::tcp_flag::rst)) != packet::tcp_flag::syn) {
        return {DropReason::tcp_without_session, nullptr};
    }
    return open(flow, now_ns);
}

Nat44::Found Nat44::open(const Flow& flow, std::uint64_t now_ns) {
    if (table_.size() >= config_.max_sessions) {
        return {DropReason::session_limit, nullptr};
    }
    Session session{flow.protocol, flow.local, {}, flow.remote, {}, TcpState::none, now_ns};
    if (const auto* const mapping = table_.mapping_of(flow.protocol, flow.local)) {
        session.external = *mapping;
        return {DropReason::none, table_.insert(session)};
    }
    const auto port = ports_->allocate(flow.protocol, flow.local.address);
    if (!port) {
        return {DropReason::port_exhausted, nullptr};
    }
    session.external = {config_.external_address, *port};
    return {DropReason::none, table_.insert(session)};
}

std::uint64_t Nat44::timeout_of(const Session& session) const {
    switch (session.protocol) {
        case Protocol::icmp:
            return config_.timeouts.icmp_ns;
        case Protocol::tcp:
            return is_transitory(session.tcp) ? config_.timeouts.tcp_transitory_ns : config_.timeouts.tcp_established_ns;
        case Protocol::udp:
            break;
    }
    return config_.timeouts.udp_ns;
}

bool Nat44::expired(const Session& session, std::uint64_t now_ns) const {
    return now_ns > session.last_seen_ns && now_ns - session.last_seen_ns > timeout_of(session);
}

void Nat44::remove(const Session& session) {
    const auto protocol = session.protocol;
    const auto external = session.external;
    if (table_.erase(session) && external.address == config_.external_address) {
        ports_->release(protocol, external.port);
    }
}

void Nat44::expire(std::uint64_t now_ns) {
    const auto& sessions = table_.sessions();
    for (auto next = sessions.begin(); next != sessions.end();) {
        const auto& session = *next++;
        if (expired(session, now_ns)) {
            remove(session);
        }
    }
}

std::size_t Nat44::active_sessions(std::uint64_t now_ns, std::uint64_t idle_ns) const {
    return static_cast<std::size_t>(std::ranges::count_if(table_.sessions(), [&](const Session& session) {
        return now_ns <= session.last_seen_ns || now_ns - session.last_seen_ns <= idle_ns;
    }));
}

}  // namespace nfvcert::functions
