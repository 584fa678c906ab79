// Opening, ending and counting sessions of the firewall.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "functions/nat/nat_firewall.hpp"

namespace nfvcert::nf {
namespace {

constexpr std::uint8_t opening_flags = packet::tcp_flag::syn | packet::tcp_flag::ack | packet::tcp_flag::rst | packet::tcp_flag::fin;

}  // namespace

std::uint64_t NatFirewall::timeout_of(const NatSession& session) const {
    if (session.protocol == protocol::udp) {
        return config_.timeouts.udp_ns;
    }
    if (session.protocol == protocol::icmp) {
        return config_.timeouts.icmp_ns;
    }
    return functions::is_transitory(session.tcp) ? config_.timeouts.tcp_transitory_ns : config_.timeouts.tcp_established_ns;
}

std::uint32_t NatFirewall::find_live(const SessionKey& key, std::uint64_t hash, std::uint64_t now_ns) {
    const auto record = sessions_.find(key, hash);
    if (record != no_record && expired(sessions_[record], now_ns)) {
        close(record, now_ns, false);
        return no_record;
    }
    return record;
}

NatFirewall::Found NatFirewall::find_or_open(const Work& work, std::uint64_t now_ns) {
    if (const auto record = find_live(work.key, work.hash, now_ns); record != no_record) {
        return {DropReason::none, record};
    }
    return open(work, now_ns);
}

Mapping* NatFirewall::mapping_for(const Work& work, std::uint64_t now_ns, DropReason& drop) {
    const auto& key = work.key;
    if (key.direction == Direction::inbound) {
        auto* const mapping = mappings_.of_external(key.protocol, {key.local, key.local_port});
        drop = DropReason::no_pinhole;
        return mapping != nullptr && mapping->fixed ? mapping : nullptr;
    }
    if (auto* const mapping = mappings_.of_inside(key.protocol, key.local, key.local_port)) {
        return mapping;
    }
    drop = DropReason::port_exhausted;
    const auto external = ports_.allocate(key.protocol, key.local, now_ns);
    if (!external) {
        return nullptr;
    }
    auto* const mapping = mappings_.add({key.local, *external, 0, key.local_port, key.protocol, false});
    if (mapping == nullptr) {
        ports_.release(key.protocol, *external, now_ns);
    }
    return mapping;
}

DropReason NatFirewall::limits(const NatSession& session) const {
    if (sessions_.full()) {
        return DropReason::session_limit;
    }
    const bool counts = config_.sessions_per_host != 0 || (config_.half_open_limit != 0 && session.half_open());
    if (counts) {
        const auto host = hosts_.counts(session.initiator());
        if (config_.sessions_per_host != 0 && host.sessions >= config_.sessions_per_host) {
            return DropReason::host_limit;
        }
        if (config_.half_open_limit != 0 && session.half_open() && host.half_open >= config_.half_open_limit) {
            return DropReason::half_open_limit;
        }
    }
    return DropReason::none;
}

NatFirewall::Found NatFirewall::open(const Work& work, std::uint64_t now_ns) {
    const auto& key = work.key;
    const bool out = key.direction == Direction::outbound;
    const bool tcp = key.protocol == protocol::tcp;
    if (!out && mappings_.of_external(key.protocol, {key.local, key.local_port}) == nullptr) {
        return {DropReason::no_pinhole, no_record};
    }
    NatSession session;
    session.protocol = key.protocol;
    session.remote = key.remote;
    session.remote_port = key.remote_port;
    session.from_outside = !out;
    session.last_ns = now_ns;
    session.tcp = tcp ? TcpState::opening : TcpState::none;
    session.inside = out ? key.local : 0;
    if (out) {
        const FlowKey flow{key.local, key.remote, key.local_port, key.remote_port, key.protocol};
        const auto rule = std::ranges::find_if(config_.rules, [&](const FirewallRule& one) { return one.fits(flow); });
        if (rule != config_.rules.end() && !rule->allow) {
            return {DropReason::denied, no_record};
        }
    }
    if (tcp && (work.view.tcp_flags & opening_flags) != packet::tcp_flag::syn) {
        return {DropReason::tcp_without_session, no_record};
    }
    if (const auto limit = limits(session); limit != DropReason::none) {
        return {limit, no_record};
    }
    if (out && !config_.hairpin && ports_.serves(key.remote)) {
        return {DropReason::hairpin_refused, no_record};
    }
    auto drop = DropReason::none;
    auto* const mapping = mapping_for(work, now_ns, drop);
    if (mapping == nullptr) {
        return {drop, no_record};
    }
    session.inside = mapping->inside;
    session.inside_port = mapping->inside_port;
    session.external = mapping->external.address;
    session.external_port = mapping->external.port;
    const auto opposite = out ? NatSessions::inbound_key(session) : NatSessions::outbound_key(session);
    if (sessions_.find(opposite) != no_record) {  // the tuple is used by state that came from another instance
        if (mapping->sessions == 0 && !mapping->fixed) {
            ports_.release(key.protocol, mapping->external, now_ns);
            mappings_.remove(*mapping);
        }
        return {DropReason::port_exhausted, no_record};
    }
    ++opened_;
    return {DropReason::none, enter(session, *mapping, now_ns)};
}

std::uint32_t NatFirewall::enter(const NatSession& session, Mapping& mapping, std::uint64_t now_ns) {
    ++mapping.sessions;
    const auto record = sessions_.add(session);
    hosts_.add_session(session.initiator());
    if (session.half_open()) {
        hosts_.add_half_open(session.initiator());
    }
    timers_.arm(record, session.last_ns + timeout_of(session), now_ns);
    return record;
}

void NatFirewall::count_half_open(const NatSession& session, bool more) {
    if (more) {
        hosts_.add_half_open(session.initiator());
    } else {
        hosts_.remove_half_open(session.initiator());
    }
}

void NatFirewall::close(std::uint32_t record, std::uint64_t now_ns, bool ceded) {
    const auto session = sessions_[record];
    timers_.disarm(record);
    if (session.half_open()) {
        hosts_.remove_half_open(session.initiator());
    }
    hosts_.remove_session(session.initiator());
    sessions_.remove(record);
    ++closed_;
    auto* const mapping = mappings_.of_inside(session.protocol, session.inside, session.inside_port);
    if (mapping == nullptr || --mapping->sessions != 0 || mapping->fixed) {
        return;
    }
    const auto external = mapping->external;
    mappings_.remove(*mapping);
    if (ceded) {
        ports_.cede(session.protocol, external);
    } else {
        ports_.release(session.protocol, external, now_ns);
    }
}

void NatFirewall::advance(std::uint64_t now_ns, Emission&) {
    end_idle(
        sessions_, timers_, now_ns, [&](const NatSession& session) { return timeout_of(session); },
        [&](std::uint32_t record) { close(record, now_ns, false); });
}

void NatFirewall::add_statistics(nlohmann::json& statistics) const {
    statistics["mappings"] = mappings_.size();
    statistics["hosts"] = hosts_.size();
    statistics["ports_taken"] = ports_.taken();
    statistics["ports_ceded"] = ports_.ceded();
    statistics["opened"] = opened_;
    statistics["closed"] = closed_;
}

}  // namespace nfvcert::nf
