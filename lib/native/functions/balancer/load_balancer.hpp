#pragma once
// Spreads flows over servers by their load: a flow keeps the server that its first packet got, as long as the server is listed.
//
// Packets to a virtual address leave with the server's address in its place, packets from a server with the virtual one as
// their source; ports stay. Servers marked `draining` keep their flows and get no new ones. A list of servers replaces the one
// before between two packets; flows of a server that is not listed any more are given to another one with their next packet
// (and counted as cut). ICMP errors about living flows and fragments are carried too.

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "functions/balancer/server_pool.hpp"
#include "functions/common/flow_records.hpp"
#include "functions/common/record_table.hpp"
#include "functions/nat/fragment_table.hpp"
#include "functions/network_function.hpp"
#include "functions/tcp_tracker.hpp"
#include "packet/address.hpp"

namespace nfvcert::nf {

class Parameters;

/// Keys: servers [{address, weight, draining}], virtual (networks; default: every address), max_flows, idle_timeout_ms (also
/// state_timeout_ms), closed_timeout_ms (TCP after its end), ageing_ms, new_flow_bytes, fragments, fragment_timeout_ms, ports.
struct BalancerConfig {
    std::vector<ServerConfig> servers;
    std::vector<packet::Ipv4Network> virtual_networks;
    std::size_t max_flows = 131'072;
    std::uint64_t idle_timeout_ns = 300'000'000'000;
    std::uint64_t closed_timeout_ns = 10'000'000'000;
    std::uint64_t ageing_ns = 100'000'000;
    std::uint64_t new_flow_bytes = 1'500;
    FragmentTableConfig fragments;
    unsigned ports = 1;

    static BalancerConfig read(const nlohmann::json& parameters);
};

class LoadBalancer final : public NetworkFunction {
public:
    explicit LoadBalancer(const BalancerConfig& config);

    [[nodiscard]] std::string_view name() const override { return "load-balancer"; }
    void process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) override;
    void advance(std::uint64_t now_ns, Emission& out) override;
    /// {"servers": [..]}: the whole new list.
    void configure(const nlohmann::json& change) override;

    [[nodiscard]] std::size_t flows() const override { return records_.size(); }
    [[nodiscard]] std::size_t slots() const override { return records_.capacity(); }
    std::size_t export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                             StateWriter& out) override;
    bool import_record(StateReader& record, std::uint64_t now_ns) override;
    std::size_t release_slice(const FlowSelector& selector, SlotRange range) override;
    std::size_t resume_slice(const FlowSelector& selector, SlotRange range) override;
    void list_slice(SlotRange range, std::uint64_t now_ns, std::vector<FlowCounters>& out) const override;
    [[nodiscard]] std::uint8_t state_code() const override { return 6; }

private:
    /// Traffic: to the server, from it.
    struct alignas(64) Record : TwoWayTraffic {
        std::uint32_t client = 0;
        std::uint32_t virtual_address = 0;
        std::uint32_t server_address = 0;
        std::uint16_t client_port = 0;   // ICMP echo: identifier
        std::uint16_t service_port = 0;  // ICMP echo: 0
        ServerPool::Number server = 0;
        std::uint8_t protocol = 0;       // 0: free
        functions::TcpState tcp = functions::TcpState::none;
        bool frozen = false;

        [[nodiscard]] bool alive() const { return protocol != 0; }
        [[nodiscard]] FlowKey flow() const { return {client, virtual_address, client_port, service_port, protocol}; }
    };
    static_assert(sizeof(Record) == 64);
    /// `far`: the virtual address for packets to servers, the server's address for packets from them.
    struct Key {
        std::uint32_t client = 0;
        std::uint32_t far = 0;
        std::uint16_t client_port = 0;
        std::uint16_t service_port = 0;
        std::uint8_t protocol = 0;
        bool to_server = true;

        [[nodiscard]] std::uint64_t hash() const;
        [[nodiscard]] bool fits(const Record& record) const;
    };
    struct Work {
        FrameView view;
        Key key;
        std::uint64_t hash;
    };

    void classify(const PacketRef& packet, Work& work) const;
    DropReason carry(const PacketRef& packet, const Work& work, std::uint64_t now_ns, std::uint64_t random);
    DropReason carry_later_fragment(const PacketRef& packet, const FrameView& view, std::uint64_t now_ns);
    DropReason carry_error(const FrameView& view, bool to_server);
    std::uint32_t open(const Work& work, std::uint64_t now_ns, std::uint64_t random, DropReason& drop);
    std::uint32_t add(const Record& record, bool is_new, std::uint64_t now_ns);
    void close(std::uint32_t number);
    void account(Record& record, std::size_t side, std::uint16_t length, std::uint64_t now_ns);
    [[nodiscard]] std::uint32_t find(const Key& key, std::uint64_t hash) const {
        return records_.find(hash, [&](const Record& record) { return key.fits(record); });
    }
    [[nodiscard]] static Key client_key(const Record& record);
    [[nodiscard]] static Key server_key(const Record& record);
    [[nodiscard]] std::uint64_t timeout_of(const Record& record) const;
    [[nodiscard]] bool expired(const Record& record, std::uint64_t now_ns) const {
        return is_idle(record, timeout_of(record), now_ns);
    }
    [[nodiscard]] bool is_virtual(std::uint32_t address) const;
    void add_statistics(nlohmann::json& statistics) const override;

    BalancerConfig config_;
    ServerPool servers_;
    RecordTable<Record> records_;
    FragmentTable fragments_;
    TimerWheel timers_;
    std::uint64_t cut_ = 0;
};

}  // namespace nfvcert::nf
