#pragma once
// Translator of addresses and ports without a firewall: one mapping for each inside endpoint, open to everybody outside.
//
// Endpoint-independent mapping and filtering (RFC 4787); a mapping ends when nothing passed it for the timeout of its
// protocol, from inside or outside; its port rests before it is used again. Later fragments follow the first one. No
// hairpinning. A mapping counts as the flow that opened it where state is moved by flows.

#include "functions/common/flow_records.hpp"
#include "functions/common/record_table.hpp"
#include "functions/common/timer_wheel.hpp"
#include "functions/nat/fragment_table.hpp"
#include "functions/nat/nat_config.hpp"
#include "functions/network_function.hpp"

namespace nfvcert::nf {

class BasicNat final : public NetworkFunction {
public:
    explicit BasicNat(const BasicNatConfig& config);

    [[nodiscard]] std::string_view name() const override { return "basic-nat"; }
    void process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) override;
    void advance(std::uint64_t now_ns, Emission& out) override;

    [[nodiscard]] std::size_t flows() const override { return records_.size(); }
    [[nodiscard]] std::size_t slots() const override { return records_.capacity(); }
    std::size_t export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                             StateWriter& out) override;
    bool import_record(StateReader& record, std::uint64_t now_ns) override;
    std::size_t release_slice(const FlowSelector& selector, SlotRange range) override;
    std::size_t resume_slice(const FlowSelector& selector, SlotRange range) override;
    void list_slice(SlotRange range, std::uint64_t now_ns, std::vector<FlowCounters>& out) const override;
    [[nodiscard]] std::uint8_t state_code() const override { return 2; }

private:
    /// Traffic: outbound, inbound.
    struct alignas(64) Record : TwoWayTraffic {
        std::uint32_t inside = 0;
        std::uint32_t external = 0;
        std::uint32_t first_remote = 0;       // of the packet that opened the mapping
        std::uint16_t inside_port = 0;
        std::uint16_t external_port = 0;
        std::uint16_t first_remote_port = 0;
        std::uint8_t protocol = 0;            // 0: free
        bool frozen = false;

        [[nodiscard]] bool alive() const { return protocol != 0; }
        [[nodiscard]] FlowKey flow() const { return {inside, first_remote, inside_port, first_remote_port, protocol}; }
    };
    static_assert(sizeof(Record) == 64);
    struct Work {
        FrameView view;
        std::uint64_t hash;
        std::uint32_t local;
        std::uint16_t local_port;
        bool out;
    };

    void classify(const PacketRef& packet, Work& work) const;
    DropReason carry(const PacketRef& packet, const Work& work, std::uint64_t now_ns);
    DropReason carry_later_fragment(const PacketRef& packet, const FrameView& view, std::uint64_t now_ns);
    DropReason carry_error(const FrameView& view, std::uint64_t now_ns);
    std::uint32_t open(const Work& work, std::uint64_t now_ns, DropReason& drop);
    std::uint32_t add(const Record& record, std::uint64_t now_ns);
    void close(std::uint32_t record, std::uint64_t now_ns, bool ceded);
    [[nodiscard]] static std::uint64_t hash_of(bool out, std::uint8_t protocol, std::uint32_t address, std::uint16_t port);
    [[nodiscard]] std::uint32_t find(bool out, std::uint8_t protocol, std::uint32_t address, std::uint16_t port,
                                     std::uint64_t hash) const;
    [[nodiscard]] std::uint32_t find_live(bool out, std::uint8_t protocol, std::uint32_t address, std::uint16_t port,
                                          std::uint64_t hash, std::uint64_t now_ns);
    [[nodiscard]] std::uint64_t timeout_of(std::uint8_t protocol) const;
    [[nodiscard]] bool expired(const Record& record, std::uint64_t now_ns) const {
        return is_idle(record, timeout_of(record.protocol), now_ns);
    }
    void add_statistics(nlohmann::json& statistics) const override;

    BasicNatConfig config_;
    PortPool ports_;
    RecordTable<Record> records_;
    FragmentTable fragments_;
    TimerWheel timers_;
};

}  // namespace nfvcert::nf
