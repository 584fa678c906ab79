#pragma once
// Decisions of the host that another program may make differently; a subclass and run_vnf() are a whole program.

#include <cstdint>

namespace nfvcert::vnf {

class Policy {
public:
    virtual ~Policy() = default;

    /// Whether packets leave the state of a flow alone once it has been exported. Otherwise they go on changing the copy
    /// that has been given away.
    [[nodiscard]] virtual bool freezes_exported_flows() const { return true; }
    /// Whether the state of a flow is gone as soon as it has been sent, not when its receipt is acknowledged.
    [[nodiscard]] virtual bool forgets_when_sent() const { return false; }
    /// What the last octet of the source address says of who handled a packet.
    [[nodiscard]] virtual std::uint8_t mark(std::uint8_t instance) const { return instance; }
};

}  // namespace nfvcert::vnf
