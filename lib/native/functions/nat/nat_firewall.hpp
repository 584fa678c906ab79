#pragma once
// Network address and port translator with a stateful firewall: flows from inside open sessions, packets from outside pass
// only where a session or a configured pinhole lets them in (address and port dependent filtering, RFC 4787).
//
// Which way a packet goes is read from its addresses: from an inside network it is outbound, to an external address inbound.
// Fragments: the first one is translated, later ones follow it; a later one that comes first is dropped. Inside hosts reach
// each other by external addresses (hairpinning) unless that is switched off. TCP sequence numbers are not followed.

#include "functions/common/timer_wheel.hpp"
#include "functions/nat/fragment_table.hpp"
#include "functions/nat/host_table.hpp"
#include "functions/nat/mapping_table.hpp"
#include "functions/nat/nat_config.hpp"
#include "functions/nat/nat_session.hpp"
#include "functions/network_function.hpp"

namespace nfvcert::nf {

class NatFirewall final : public NetworkFunction {
public:
    explicit NatFirewall(const NatFirewallConfig& config);

    [[nodiscard]] std::string_view name() const override { return "nat"; }
    void process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) override;
    void advance(std::uint64_t now_ns, Emission& out) override;

    [[nodiscard]] std::size_t flows() const override { return sessions_.size(); }
    [[nodiscard]] std::size_t slots() const override { return sessions_.capacity(); }
    std::size_t export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                             StateWriter& out) override;
    bool import_record(StateReader& record, std::uint64_t now_ns) override;
    std::size_t release_slice(const FlowSelector& selector, SlotRange range) override;
    std::size_t resume_slice(const FlowSelector& selector, SlotRange range) override;
    void list_slice(SlotRange range, std::uint64_t now_ns, std::vector<FlowCounters>& out) const override;
    [[nodiscard]] std::uint8_t state_code() const override { return 1; }

private:
    struct Work {
        FrameView view;
        SessionKey key;
        std::uint64_t hash;
    };
    struct Found {
        DropReason drop = DropReason::none;
        std::uint32_t record = no_record;
    };

    /// Direction, key and hash of a packet; what cannot be carried becomes faulty.
    void classify(const PacketRef& packet, Work& work) const;
    DropReason carry(PacketRef& packet, const Work& work, bool hop, std::uint64_t now_ns);
    DropReason carry_later_fragment(const PacketRef& packet, const FrameView& view, std::uint64_t now_ns);
    DropReason carry_error(const PacketRef& packet, const FrameView& view, std::uint64_t now_ns);
    DropReason translate(PacketRef& packet, const Work& work, std::uint32_t record, bool hop, std::uint64_t now_ns);
    Found find_or_open(const Work& work, std::uint64_t now_ns);
    Found open(const Work& work, std::uint64_t now_ns);
    /// Mapping for a session to be opened; none and the reason in `drop` otherwise.
    Mapping* mapping_for(const Work& work, std::uint64_t now_ns, DropReason& drop);
    [[nodiscard]] DropReason limits(const NatSession& session) const;
    void follow_tcp(std::uint32_t record, Direction direction, std::uint8_t flags, std::uint64_t now_ns);

    std::uint32_t enter(const NatSession& session, Mapping& mapping, std::uint64_t now_ns);
    /// Removes a session; the last one of a mapping gives its port back, or leaves it to another instance.
    void close(std::uint32_t record, std::uint64_t now_ns, bool ceded);
    void count_half_open(const NatSession& session, bool more);
    [[nodiscard]] std::uint32_t find_live(const SessionKey& key, std::uint64_t hash, std::uint64_t now_ns);
    [[nodiscard]] std::uint64_t timeout_of(const NatSession& session) const;
    [[nodiscard]] bool expired(const NatSession& session, std::uint64_t now_ns) const {
        return is_idle(session, timeout_of(session), now_ns);
    }
    bool adopt(const NatSession& session, std::uint64_t now_ns);
    void add_statistics(nlohmann::json& statistics) const override;

    NatFirewallConfig config_;
    PortPool ports_;
    NatSessions sessions_;
    MappingTable mappings_;
    HostTable hosts_;
    FragmentTable fragments_;
    TimerWheel timers_;
    std::uint64_t opened_ = 0;
    std::uint64_t closed_ = 0;
};

}  // namespace nfvcert::nf
