// Opening and ending flows of the load balancer, its parameters, and moving its state between instances.
//
// Record: client u32 u16 | virtual address u32 | service port u16 | server u32 | protocol u8 | TCP state u8 | idle ns u64 |
// packets to and from the server u64 u64 | octets u64 u64.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "functions/balancer/load_balancer.hpp"
#include "functions/common/parameters.hpp"

namespace nfvcert::nf {

using functions::TcpState;

namespace {

std::vector<ServerConfig> read_servers(Parameters& parameters) {
    std::vector<ServerConfig> servers;
    for (auto& one : parameters.objects("servers")) {
        const auto address = one.address("address");
        if (!address || !is_unicast(address->value)) {
            one.fail("address", "a unicast IPv4 address");
        }
        if (std::ranges::find(servers, address->value, &ServerConfig::address) != servers.end()) {
            one.fail("address", "no address that an earlier server has");
        }
        servers.push_back({address->value, static_cast<std::uint32_t>(one.number("weight", 1, 1, 1000)), one.flag("draining", false)});
        one.finish();
    }
    if (servers.size() > ServerPool::most / 4) {
        parameters.fail("servers", "at most " + std::to_string(ServerPool::most / 4) + " servers");
    }
    return servers;
}

}  // namespace

BalancerConfig BalancerConfig::read(const nlohmann::json& object) {
    Parameters parameters{"load-balancer", object};
    BalancerConfig config;
    config.servers = read_servers(parameters);
    config.virtual_networks = parameters.networks("virtual");
    config.max_flows = parameters.number("max_flows", config.max_flows, 1, 4'000'000);
    config.idle_timeout_ns = parameters.time_ns("state_timeout_ms", config.idle_timeout_ns);
    config.idle_timeout_ns = parameters.time_ns("idle_timeout_ms", config.idle_timeout_ns);
    config.closed_timeout_ns = parameters.time_ns("closed_timeout_ms", config.closed_timeout_ns);
    config.ageing_ns = parameters.time_ns("ageing_ms", config.ageing_ns);
    config.new_flow_bytes = parameters.number("new_flow_bytes", config.new_flow_bytes, 0, 1U << 30U);
    config.fragments.packets = parameters.number("fragments", config.fragments.packets, 4, 1U << 20U);
    config.fragments.timeout_ns = parameters.time_ns("fragment_timeout_ms", config.fragments.timeout_ns);
    config.ports = parameters.arms();
    if (config.ageing_ns == 0) {
        parameters.fail("ageing_ms", "above 0");
    }
    parameters.finish();
    return config;
}

void LoadBalancer::configure(const nlohmann::json& change) {
    Parameters parameters{"load-balancer", change};
    const auto servers = read_servers(parameters);
    parameters.finish();
    if (!servers_.replace(servers)) {
        throw ParameterError("load-balancer: too many servers that were taken out still have flows");
    }
}

std::uint32_t LoadBalancer::open(const Work& work, std::uint64_t now_ns, std::uint64_t random, DropReason& drop) {
    if (records_.full()) {
        drop = DropReason::session_limit;
        return no_record;
    }
    const auto server = servers_.choose(random);
    if (!server) {
        drop = DropReason::no_server;
        return no_record;
    }
    Record record;
    record.client = work.key.client;
    record.client_port = work.key.client_port;
    record.virtual_address = work.key.far;
    record.service_port = work.key.service_port;
    record.server = *server;
    record.server_address = servers_[*server].config.address;
    record.protocol = work.key.protocol;
    record.last_ns = now_ns;
    if (record.protocol == protocol::tcp) {
        const bool begins = (work.view.tcp_flags & packet::tcp_flag::syn) != 0;
        record.tcp = begins ? TcpState::opening : TcpState::established;
    }
    const auto opposite = server_key(record);
    if (find(opposite, opposite.hash()) != no_record) {
        drop = DropReason::no_server;  // the client uses the same ports towards two virtual addresses, and the server is the same
        return no_record;
    }
    return add(record, true, now_ns);
}

std::uint32_t LoadBalancer::add(const Record& record, bool is_new, std::uint64_t now_ns) {
    const auto number = records_.add(record, {client_key(record).hash(), server_key(record).hash()});
    servers_.add_flow(record.server, is_new);
    timers_.arm(number, record.last_ns + timeout_of(record), now_ns);
    return number;
}

void LoadBalancer::close(std::uint32_t number) {
    auto& record = records_[number];
    timers_.disarm(number);
    records_.remove(number, {client_key(record).hash(), server_key(record).hash()});
    servers_.remove_flow(record.server);
    record.protocol = 0;
}

std::size_t LoadBalancer::export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                                       StateWriter& out) {
    return export_records(
        records_, selector, range, freeze, out, [&](const Record& record) { return expired(record, now_ns); },
        [&](const Record& record) {
            out.u32(record.client);
            out.u16(record.client_port);
            out.u32(record.virtual_address);
            out.u16(record.service_port);
            out.u32(record.server_address);
            out.u8(record.protocol);
            out.u8(static_cast<std::uint8_t>(record.tcp));
            record.write(out, now_ns);
        });
}

bool LoadBalancer::import_record(StateReader& reader, std::uint64_t now_ns) {
    Record given;
    given.client = reader.u32();
    given.client_port = reader.u16();
    given.virtual_address = reader.u32();
    given.service_port = reader.u16();
    given.server_address = reader.u32();
    given.protocol = reader.u8();
    const auto tcp = reader.u8();
    given.read(reader, now_ns);
    if (!protocol::has_flows(given.protocol) || tcp > functions::last_tcp_state || (given.protocol == protocol::tcp) != (tcp != 0)) {
        throw StateError("state: a flow with a protocol or TCP state that cannot be");
    }
    given.tcp = static_cast<TcpState>(tcp);
    const auto near = client_key(given);
    const auto opposite = server_key(given);
    const auto by_client = find(near, near.hash());
    if (by_client != find(opposite, opposite.hash())) {
        return false;
    }
    if (by_client != no_record) {  // the same move once more, or a move back: the longer history is the true one
        auto& here = records_[by_client];
        if (here.all_packets() <= given.all_packets()) {
            given.server = here.server;
            here = given;
        }
        return true;
    }
    const auto server = servers_.find(given.server_address);
    if (records_.full() || !server) {
        return false;
    }
    given.server = *server;
    add(given, false, now_ns);
    return true;
}

std::size_t LoadBalancer::release_slice(const FlowSelector& selector, SlotRange range) {
    return for_frozen(records_, selector, range,
                      [&](std::uint32_t number, const Record&) { close(number); });
}

std::size_t LoadBalancer::resume_slice(const FlowSelector& selector, SlotRange range) {
    return resume_records(records_, selector, range);
}

void LoadBalancer::list_slice(SlotRange range, std::uint64_t now_ns, std::vector<FlowCounters>& out) const {
    list_records(records_, range, out, [&](const Record& record) { return expired(record, now_ns); });
}

void LoadBalancer::add_statistics(nlohmann::json& statistics) const {
    statistics["cut"] = cut_;
    auto servers = nlohmann::json::array();
    for (const auto& server : servers_.all()) {
        if (server.listed || server.flows > 0) {
            servers.push_back({{"address", packet::Ipv4Address{server.config.address}.text()},
                               {"weight", server.config.weight},
                               {"draining", server.config.draining},
                               {"listed", server.listed},
                               {"load", server.load},
                               {"flows", server.flows},
                               {"assigned", server.assigned},
                               {"packets", server.packets}});
        }
    }
    statistics["servers"] = servers;
}

}  // namespace nfvcert::nf
