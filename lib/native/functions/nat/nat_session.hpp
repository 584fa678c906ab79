#pragma once
// Sessions of the firewall: one cache line each, found by what they look like from inside and from outside.

#include <cstdint>
#include <vector>

#include "functions/common/flat_index.hpp"
#include "functions/common/flow_selector.hpp"
#include "functions/common/frame_view.hpp"
#include "functions/nat/port_pool.hpp"
#include "functions/tcp_tracker.hpp"

namespace nfvcert::nf {

using functions::Direction;
using functions::TcpState;

struct alignas(64) NatSession {
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
    std::uint64_t last_ns = 0;
    std::uint64_t packets[2] = {0, 0};  // outbound, inbound
    std::uint64_t bytes[2] = {0, 0};

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

class NatSessions {
public:
    explicit NatSessions(std::size_t most) : index_{most * 2}, records_(most), free_(most) {
        for (std::size_t i = 0; i < most; ++i) {
            free_[i] = static_cast<std::uint32_t>(most - 1 - i);
        }
    }

    void prefetch(std::uint64_t hash) const { index_.prefetch(hash); }
    void prefetch_record(std::uint64_t hash) const {
        if (const auto record = index_.candidate(hash); record != no_record) {
            __builtin_prefetch(&records_[record], 1);
        }
    }
    [[nodiscard]] std::uint32_t find(const SessionKey& key, std::uint64_t hash) const {
        return index_.find(hash, [&](std::uint32_t record) { return key.fits(records_[record]); });
    }
    [[nodiscard]] std::uint32_t find(const SessionKey& key) const { return find(key, key.hash()); }

    [[nodiscard]] bool full() const { return free_.empty(); }
    /// The caller has made sure that there is room and that neither key is present.
    std::uint32_t add(const NatSession& session) {
        const auto record = free_.back();
        free_.pop_back();
        records_[record] = session;
        index_.insert(outbound_key(session).hash(), record);
        index_.insert(inbound_key(session).hash(), record);
        return record;
    }
    void remove(std::uint32_t record) {
        auto& session = records_[record];
        index_.erase(outbound_key(session).hash(), record);
        index_.erase(inbound_key(session).hash(), record);
        session.protocol = 0;
        free_.push_back(record);
    }

    static SessionKey outbound_key(const NatSession& session) { return SessionKey::of(session.flow(), Direction::outbound); }
    static SessionKey inbound_key(const NatSession& session) {
        return {session.external, session.remote, session.external_port, session.remote_port, session.protocol, Direction::inbound};
    }

    NatSession& operator[](std::uint32_t record) { return records_[record]; }
    const NatSession& operator[](std::uint32_t record) const { return records_[record]; }
    [[nodiscard]] bool alive(std::size_t record) const { return records_[record].protocol != 0; }
    [[nodiscard]] std::size_t capacity() const { return records_.size(); }
    [[nodiscard]] std::size_t size() const { return records_.size() - free_.size(); }

private:
    FlatIndex index_;
    std::vector<NatSession> records_;
    std::vector<std::uint32_t> free_;
};

}  // namespace nfvcert::nf
