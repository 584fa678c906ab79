#include "functions/balancer/load_balancer.hpp"

#include <algorithm>

#include "functions/common/burst.hpp"
#include "functions/nat/icmp_error.hpp"

namespace nfvcert::nf {

using functions::Direction;
using functions::TcpState;

std::uint64_t LoadBalancer::Key::hash() const {
    return hash_words((static_cast<std::uint64_t>(client) << 32) | far,
                      (static_cast<std::uint64_t>(client_port) << 40) | (static_cast<std::uint64_t>(service_port) << 16) |
                          (static_cast<std::uint64_t>(protocol) << 1) | (to_server ? 1U : 0U));
}

bool LoadBalancer::Key::fits(const Record& record) const {
    return client == record.client && far == (to_server ? record.virtual_address : record.server_address) &&
           client_port == record.client_port && service_port == record.service_port && protocol == record.protocol;
}

LoadBalancer::Key LoadBalancer::client_key(const Record& record) {
    return {record.client, record.virtual_address, record.client_port, record.service_port, record.protocol, true};
}

LoadBalancer::Key LoadBalancer::server_key(const Record& record) {
    return {record.client, record.server_address, record.client_port, record.service_port, record.protocol, false};
}

LoadBalancer::LoadBalancer(const BalancerConfig& config)
    : NetworkFunction{config.ports},
      config_{config},
      servers_{config.ageing_ns, config.new_flow_bytes},
      records_{config.max_flows, 2},
      fragments_{config.fragments},
      timers_{config.max_flows} {
    servers_.replace(config.servers);
}

std::uint64_t LoadBalancer::timeout_of(const Record& record) const {
    return record.tcp == TcpState::closed ? config_.closed_timeout_ns : config_.idle_timeout_ns;
}

bool LoadBalancer::is_virtual(std::uint32_t address) const {
    return config_.virtual_networks.empty() ||
           std::ranges::any_of(config_.virtual_networks, [&](const auto& network) { return network.contains({address}); });
}

void LoadBalancer::process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) {
    count_in(burst.size());
    servers_.age(now_ns);
    in_three_passes<Work>(
        burst,
        [&](const PacketRef& packet, Work& work) {
            classify(packet, work);
            records_.prefetch(work.hash);
        },
        [&](const Work& work) { records_.prefetch_record(work.hash); },
        [&](const PacketRef& packet, const Work& work) {
            random = packet::mix64(random + 0x9e3779b97f4a7c15ULL);
            settle(packet, carry(packet, work, now_ns, random), out);
        });
}

void LoadBalancer::classify(const PacketRef& packet, Work& work) const {
    auto& view = work.view;
    view = view_frame(packet);
    work.hash = 0;
    const bool from_server = servers_.is_server(view.source);
    const bool foreign = !from_server && view.kind != FrameKind::icmp_error && !is_virtual(view.destination);
    if (!check_carried(view, foreign, !from_server)) {
        return;
    }
    const bool echo = view.is_echo();
    if (from_server) {
        work.key = {view.destination, view.source, view.destination_port, echo ? std::uint16_t{0} : view.source_port,
                    view.protocol, false};
        work.hash = work.key.hash();
    } else {
        work.key = {view.source, view.destination, view.source_port, echo ? std::uint16_t{0} : view.destination_port,
                    view.protocol, true};
        work.hash = work.key.hash();
    }
}

DropReason LoadBalancer::carry(const PacketRef& packet, const Work& work, std::uint64_t now_ns, std::uint64_t random) {
    const auto& view = work.view;
    const bool to_server = work.key.to_server;
    switch (view.kind) {
        case FrameKind::faulty:
            return view.fault;
        case FrameKind::later_fragment:
            return carry_later_fragment(packet, view, now_ns);
        case FrameKind::icmp_error:
            return carry_error(view, to_server);
        default:
            break;
    }
    auto number = find(work.key, work.hash);
    if (number != no_record && !records_[number].frozen) {
        const bool unlisted = to_server && !servers_[records_[number].server].listed;
        if (unlisted || expired(records_[number], now_ns)) {
            cut_ += unlisted ? 1 : 0;
            close(number);
            number = no_record;
        }
    }
    if (number == no_record) {
        auto reason = DropReason::no_pinhole;
        number = to_server ? open(work, now_ns, random, reason) : no_record;
        if (number == no_record) {
            return reason;
        }
    }
    auto& record = records_[number];
    if (record.frozen) {
        return DropReason::state_exported;
    }
    account(record, to_server ? 0 : 1, packet.length, now_ns);
    if (record.tcp != TcpState::none) {
        const auto next = functions::next_tcp_state(record.tcp, to_server ? Direction::outbound : Direction::inbound, view.tcp_flags);
        if (next != record.tcp) {
            record.tcp = next;
            timers_.disarm(number);
            timers_.arm(number, now_ns + timeout_of(record), now_ns);
        }
    }
    if (view.first_fragment) {
        fragments_.learn(view, number, to_server ? 0 : 1, now_ns);
    }
    if (to_server) {
        rewrite(view, Side::destination, record.server_address, view.destination_port, true);
    } else {
        rewrite(view, Side::source, record.virtual_address, view.source_port, true);
    }
    return DropReason::none;
}

void LoadBalancer::account(Record& record, std::size_t side, std::uint16_t length, std::uint64_t now_ns) {
    record.count(side, length, now_ns);
    servers_.add_load(record.server, length);
}

DropReason LoadBalancer::carry_later_fragment(const PacketRef& packet, const FrameView& view, std::uint64_t now_ns) {
    const auto known = fragments_.find(view, now_ns);
    if (known.record == no_record) {
        return DropReason::fragment_without_first;
    }
    auto& record = records_[known.record];
    const bool to_server = known.note == 0;
    const auto near = to_server ? view.source : view.destination;
    const auto far = to_server ? view.destination : view.source;
    if (record.protocol != view.protocol || record.client != near ||
        far != (to_server ? record.virtual_address : record.server_address)) {
        return DropReason::fragment_without_first;
    }
    if (record.frozen) {
        return DropReason::state_exported;
    }
    account(record, known.note, packet.length, now_ns);
    rewrite(view, to_server ? Side::destination : Side::source, to_server ? record.server_address : record.virtual_address, 0, true);
    return DropReason::none;
}

DropReason LoadBalancer::carry_error(const FrameView& view, bool to_server) {
    const auto quoted = quoted_packet(view);
    if (!quoted) {
        return DropReason::unsupported_icmp;
    }
    const auto& flow = quoted->flow;
    // about a packet that left here for a client (it quotes the virtual address), or about one that left here for a server
    const bool about_client_side = to_server && !servers_.is_server(flow.destination);
    const Key key = about_client_side
                        ? Key{flow.destination, flow.source, flow.destination_port, flow.source_port, flow.protocol, true}
                        : Key{flow.source, flow.destination, flow.source_port, flow.destination_port, flow.protocol, false};
    const auto number = find(key, key.hash());
    if (number == no_record || view.destination != flow.source) {
        return DropReason::no_pinhole;
    }
    if (const auto damage = check_error(view, *quoted); damage != DropReason::none) {
        return damage;
    }
    const auto& record = records_[number];
    const bool echo = flow.protocol == protocol::icmp;
    if (about_client_side) {
        const packet::Endpoint server{{record.server_address}, echo ? record.client_port : flow.source_port};
        rewrite_error(view, *quoted, packet::Field::source, server, Side::destination, record.server_address);
    } else {
        const packet::Endpoint service{{record.virtual_address}, echo ? record.client_port : flow.destination_port};
        rewrite_error(view, *quoted, packet::Field::destination, service, Side::source, record.virtual_address);
    }
    return DropReason::none;
}

void LoadBalancer::advance(std::uint64_t now_ns, Emission&) {
    servers_.age(now_ns);
    end_idle(
        records_, timers_, now_ns, [&](const Record& record) { return timeout_of(record); },
        [&](std::uint32_t number) { close(number); });
}

}  // namespace nfvcert::nf
