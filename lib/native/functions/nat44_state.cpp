// Handing the state of a NAT44 to another instance and taking it over.

#include "functions/nat44.hpp"

namespace nfvcert::functions {

StateSnapshot Nat44::snapshot(std::uint64_t now_ns) const {
    StateSnapshot state;
    state.reserve(table_.size());
    for (const auto& session : table_.sessions()) {
        if (!expired(session, now_ns)) {
            const auto idle = now_ns > session.last_seen_ns ? now_ns - session.last_seen_ns : 0;
            state.push_back({session.protocol, session.inside, session.external, session.remote, session.inside_mac,
                             session.tcp, idle});
        }
    }
    return state;
}

AdoptionReport Nat44::adopt(const StateSnapshot& state, std::uint64_t now_ns) {
    AdoptionReport report;
    for (const auto& record : state) {
        const Session session{record.protocol,   record.inside, record.external,
                              record.remote,     record.inside_mac, record.tcp,
                              now_ns > record.idle_ns ? now_ns - record.idle_ns : 0};
        if (adopt_one(session)) {
            ++report.sessions;
            report.addresses.insert(session.external.address);
        } else {
            ++report.conflicts;
        }
    }
    return report;
}

bool Nat44::adopt_one(const Session& session) {
    if (auto* const known = table_.find_outbound(session.protocol, session.inside, session.remote)) {
        if (known->external == session.external) {
            if (session.last_seen_ns >= known->last_seen_ns) {
                *known = session;
            }
            return true;
        }
        if (session.last_seen_ns < known->last_seen_ns) {
            return false;
        }
        remove(*known);
    }
    if (table_.size() >= config_.max_sessions) {
        return false;
    }
    const bool own_address = session.external.address == config_.external_address;
    const bool mapping_known = table_.external_in_use(session.protocol, session.external);
    if (own_address && !mapping_known &&
        !ports_->reserve(session.protocol, session.inside.address, session.external.port)) {
        return false;
    }
    if (table_.insert(session) == nullptr) {
        if (own_address && !mapping_known) {
            ports_->release(session.protocol, session.external.port);
        }
        return false;
    }
    return true;
}

}  // namespace nfvcert::functions
