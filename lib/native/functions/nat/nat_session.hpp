#pragma once
// Sessions of the firewall: one cache line each, found by what they look like from inside and from outside.

#include <cstdint>

#include "functions/common/flow_records.hpp"
#include "functions/common/frame_view.hpp"
#include "functions/common/record_table.hpp"
#include "functions/nat/port_pool.hpp"
#include "functions/tcp_tracker.hpp"

namespace nfvcert::nf {

using functions::Direction;
using functions::TcpState;

/// Traffic: outbound, inbound.
struct alignas(64) NatSession : TwoWayTraffic {
    std::uint32_t inside = 0;
    std::uint32_t external = 0;
    std::uint32_t remote = 0;
    std::uint16_t inside_port = 0;
    std::uint16_t external_port = 0;
    std::uint16_t remote_port = 0;  // 0 for ICMP echo
    std::uint8_t protocol = 0;      // 0: free
    TcpState tcp = TcpState::none;
    bool frozen = false;
    bool from_outside = false;      // opened through a fixed pinhole

    [[nodiscard]] bool alive() const { return protocol != 0; }
    /// The flow as its packets from inside show it.
    [[nodiscard]] FlowKey flow() const { return {inside, remote, inside_port, remote_port, protocol}; }
    [[nodiscard]] ExternalEndpoint external_endpoint() const { return {external, external_port}; }
    [[nodiscard]] std::uint32_t initiator() const { return from_outside ? remote : inside; }
    [[nodiscard]] bool half_open() const { return tcp == TcpState::opening; }
};
static_assert(sizeof(NatSession) == 64);

/// What a packet is looked up by: its local endpoint (inside or external) and the remote one.
struct SessionKey {
    std::uint32_t local = 0;
    std::uint32_t remote = 0;
    std::uint16_t local_port = 0;
    std::uint16_t remote_port = 0;
    std::uint8_t protocol = 0;
    Direction direction = Direction::outbound;

    static SessionKey of(const FlowKey& flow, Direction direction) {
        return direction == Direction::outbound
                   ? SessionKey{flow.source, flow.destination, flow.source_port, flow.destination_port, flow.protocol, direction}
                   : SessionKey{flow.destination, flow.source, flow.destination_port, flow.source_port, flow.protocol, direction};
    }
    [[nodiscard]] std::uint64_t hash() const {
        return hash_words((static_cast<std::uint64_t>(local) << 32) | remote,
                          (static_cast<std::uint64_t>(local_port) << 40) | (static_cast<std::uint64_t>(remote_port) << 16) |
                              (static_cast<std::uint64_t>(protocol) << 1) | static_cast<std::uint64_t>(direction));
    }
    [[nodiscard]] bool fits(const NatSession& session) const {
        const bool out = direction == Direction::outbound;
        return remote == session.remote && local == (out ? session.inside : session.external) &&
               local_port == (out ? session.inside_port : session.external_port) && remote_port == session.remote_port &&
               protocol == session.protocol;
    }
};

class NatSessions : public RecordTable<NatSession> {
public:
    explicit NatSessions(std::size_t most) : RecordTable{most, 2} {}

    [[nodiscard]] std::uint32_t find(const SessionKey& key, std::uint64_t hash) const {
        return RecordTable::find(hash, [&](const NatSession& session) { return key.fits(session); });
    }
    [[nodiscard]] std::uint32_t find(const SessionKey& key) const { return find(key, key.hash()); }
    /// The caller has made sure that there is room and that neither key is present.
    std::uint32_t add(const NatSession& session) {
        return RecordTable::add(session, {outbound_key(session).hash(), inbound_key(session).hash()});
    }
    void remove(std::uint32_t record) {
        auto& session = (*this)[record];
        RecordTable::remove(record, {outbound_key(session).hash(), inbound_key(session).hash()});
        session.protocol = 0;
    }

    static SessionKey outbound_key(const NatSession& session) { return SessionKey::of(session.flow(), Direction::outbound); }
    static SessionKey inbound_key(const NatSession& session) {
        return {session.external, session.remote, session.external_port, session.remote_port, session.protocol, Direction::inbound};
    }
};

}  // namespace nfvcert::nf
