#pragma once
// What a server switch decides, and the program with these decisions.

#include <cstdint>

#include "switch/flow_table.hpp"
#include "switch/identity.hpp"
#include "switch/rule_table.hpp"

namespace nfvcert::switching {

/// Decisions of the server switch; a seeded defect overrides one.
struct ServerSwitchPolicy {
    virtual ~ServerSwitchPolicy() = default;
    [[nodiscard]] virtual std::uint16_t id(const FlowKey& key, Identity identity) const { return flow_id(key, identity); }
    /// The ids that a range of an order covers.
    [[nodiscard]] virtual IdRange covered(const IdRange& range) const { return range; }
    /// Silence after which a flow has ended.
    [[nodiscard]] virtual std::uint64_t timeout_ms(std::uint64_t configured) const { return configured; }
    /// Whether what was known before a restart is known after it.
    [[nodiscard]] virtual bool remembers() const { return true; }
    /// Whether flows that an order says belong elsewhere are taken up.
    [[nodiscard]] virtual bool expects(const FlowKey&) const { return true; }
    /// Who serves a packet of a known flow: its owner.
    [[nodiscard]] virtual Owner served_by(const Flow& flow, Owner /*by the ranges*/) const { return flow.owner; }
    /// Who serves a packet of a flow for which the table has no place; no_owner: it is dropped.
    [[nodiscard]] virtual Owner served_when_full(Owner by_ranges) const { return by_ranges; }
    /// Whether a packet that is sent on is also handled here.
    [[nodiscard]] virtual bool handles_too(const Flow&) const { return false; }
};

/// The program nfvcert-server-switch; answers its exit status.
int server_switch_main(int argc, char** argv, const ServerSwitchPolicy& policy = {});

}  // namespace nfvcert::switching
