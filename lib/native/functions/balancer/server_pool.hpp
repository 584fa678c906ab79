#pragma once
// The servers of a load balancer: who takes new flows, how loaded each is, and which one gets the next flow.

#include <cstdint>
#include <optional>
#include <vector>

namespace nfvcert::nf {

struct ServerConfig {
    std::uint32_t address = 0;
    std::uint32_t weight = 1;  // share of the load that it is meant to carry
    bool draining = false;     // keeps its flows, gets no new one
};

class ServerPool {
public:
    using Number = std::uint16_t;
    static constexpr std::size_t most = 4096;

    struct Server {
        ServerConfig config;
        bool listed = false;        // false: has been taken out; its flows go elsewhere
        std::uint64_t load = 0;     // octets, ageing
        std::uint64_t flows = 0;
        std::uint64_t assigned = 0; // flows ever
        std::uint64_t packets = 0;
    };

    /// Load loses an eighth each `ageing_ns`; a flow that begins counts as `new_flow_bytes` at once, so that a burst of new
    /// flows does not meet the same server.
    ServerPool(std::uint64_t ageing_ns, std::uint64_t new_flow_bytes);

    /// The whole new list, from one packet to the next. Servers that stay keep their load. False when there are too many.
    bool replace(const std::vector<ServerConfig>& servers);

    /// Of two servers taken by `random` the one with less load for its weight (Mitzenmacher 2001); nullopt: nobody takes
    /// new flows.
    [[nodiscard]] std::optional<Number> choose(std::uint64_t random);
    void add_flow(Number number, bool is_new);
    void remove_flow(Number number) { --servers_[number].flows; }
    void add_load(Number number, std::uint64_t bytes) {
        auto& server = servers_[number];
        server.load += bytes;
        ++server.packets;
    }
    void age(std::uint64_t now_ns);

    [[nodiscard]] const Server& operator[](Number number) const { return servers_[number]; }
    [[nodiscard]] std::optional<Number> find(std::uint32_t address) const;
    [[nodiscard]] bool is_server(std::uint32_t address) const { return find(address).has_value(); }
    [[nodiscard]] const std::vector<Server>& all() const { return servers_; }

private:
    [[nodiscard]] bool less_loaded(Number a, Number b) const;

    std::uint64_t ageing_ns_;
    std::uint64_t new_flow_bytes_;
    std::uint64_t aged_ns_ = 0;
    std::vector<Server> servers_;   // numbers are kept as long as a flow has them
    std::vector<Number> eligible_;
    std::vector<std::pair<std::uint32_t, Number>> by_address_;  // sorted
};

}  // namespace nfvcert::nf
