// Moving sessions of the firewall between instances.
//
// Record: protocol u8 | TCP state u8 | opened from outside u8 | inside u32 u16 | external u32 u16 | remote u32 u16 |
// idle ns u64 | packets outbound, inbound u64 u64 | octets outbound, inbound u64 u64. Idle times, for clocks need not agree.

#include "functions/nat/nat_firewall.hpp"

namespace nfvcert::nf {
namespace {

NatSession read_session(StateReader& record, std::uint64_t now_ns) {
    NatSession session;
    session.protocol = record.u8();
    const auto tcp = record.u8();
    session.from_outside = record.u8() != 0;
    session.inside = record.u32();
    session.inside_port = record.u16();
    session.external = record.u32();
    session.external_port = record.u16();
    session.remote = record.u32();
    session.remote_port = record.u16();
    session.read(record, now_ns);
    const bool is_tcp = session.protocol == protocol::tcp;
    if (!protocol::has_flows(session.protocol) || tcp > functions::last_tcp_state || is_tcp != (tcp != 0) ||
        !is_unicast(session.inside) || !is_unicast(session.external) || !is_unicast(session.remote)) {
        throw StateError("state: a session with a protocol, TCP state or address that cannot be");
    }
    session.tcp = static_cast<TcpState>(tcp);
    return session;
}

}  // namespace

std::size_t NatFirewall::export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                                      StateWriter& out) {
    return export_records(
        sessions_, selector, range, freeze, out, [&](const NatSession& session) { return expired(session, now_ns); },
        [&](const NatSession& session) {
            out.u8(session.protocol);
            out.u8(static_cast<std::uint8_t>(session.tcp));
            out.u8(session.from_outside ? 1 : 0);
            out.u32(session.inside);
            out.u16(session.inside_port);
            out.u32(session.external);
            out.u16(session.external_port);
            out.u32(session.remote);
            out.u16(session.remote_port);
            session.write(out, now_ns);
        });
}

bool NatFirewall::import_record(StateReader& record, std::uint64_t now_ns) { return adopt(read_session(record, now_ns), now_ns); }

bool NatFirewall::adopt(const NatSession& session, std::uint64_t now_ns) {
    if (const auto known = sessions_.find(NatSessions::outbound_key(session)); known != no_record) {
        auto& here = sessions_[known];
        if (here.external_endpoint() != session.external_endpoint()) {
            return false;
        }
        // the same move once more, or a move back: the longer history is the true one
        if (here.all_packets() <= session.all_packets()) {
            if (here.half_open() != session.half_open()) {
                count_half_open(here, session.half_open());
            }
            const bool opened_outside = here.from_outside;
            here = session;
            here.from_outside = opened_outside;
            timers_.disarm(known);
            timers_.arm(known, here.last_ns + timeout_of(here), now_ns);
        }
        return true;
    }
    if (sessions_.full() || sessions_.find(NatSessions::inbound_key(session)) != no_record) {
        return false;
    }
    if (!ports_.may_adopt(session.external)) {
        return false;
    }
    auto* mapping = mappings_.of_inside(session.protocol, session.inside, session.inside_port);
    if (mapping != nullptr && mapping->external != session.external_endpoint()) {
        return false;
    }
    if (mapping == nullptr) {
        if (mappings_.of_external(session.protocol, session.external_endpoint()) != nullptr ||
            !ports_.reserve(session.protocol, session.external_endpoint())) {
            return false;
        }
        mapping = mappings_.add({session.inside, session.external_endpoint(), 0, session.inside_port, session.protocol, false});
        if (mapping == nullptr) {
            ports_.release(session.protocol, session.external_endpoint(), now_ns);
            return false;
        }
    }
    ports_.adopt(session.external);
    enter(session, *mapping, now_ns);
    return true;
}

std::size_t NatFirewall::release_slice(const FlowSelector& selector, SlotRange range) {
    return for_frozen(sessions_, selector, range,
                      [&](std::uint32_t number, const NatSession& session) { close(number, session.last_ns, true); });
}

std::size_t NatFirewall::resume_slice(const FlowSelector& selector, SlotRange range) {
    return resume_records(sessions_, selector, range);
}

void NatFirewall::list_slice(SlotRange range, std::uint64_t now_ns, std::vector<FlowCounters>& out) const {
    list_records(sessions_, range, out, [&](const NatSession& session) { return expired(session, now_ns); });
}

}  // namespace nfvcert::nf
