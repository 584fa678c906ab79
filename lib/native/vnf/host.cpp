#include "vnf/host.hpp"

#include <rte_mbuf.h>

#include "packet/ethernet.hpp"
#include "vnf/orders.hpp"

namespace nfvcert::vnf {
namespace {

using dpdk::Refusal;
using nlohmann::json;

constexpr std::size_t instance_octet = 11;  // last octet of the source address

json parameters_of(const json& configuration) {
    auto parameters = configuration.value("parameters", json::object());
    const auto function = configuration.at("function").get<std::string>();
    const bool has_state = function != "qos" && function != "wan-optimiser";
    if (has_state && configuration.contains("state_timeout_ms") && !parameters.contains("state_timeout_ms")) {
        parameters["state_timeout_ms"] = configuration["state_timeout_ms"];
    }
    return parameters;
}

std::unique_ptr<nf::NetworkFunction> function_of(const json& configuration) {
    if (!configuration.contains("function")) {
        throw std::invalid_argument("the configuration names no 'function'");
    }
    return nf::make_function(configuration.at("function").get<std::string>(), parameters_of(configuration));
}

std::uint8_t instance_of(const json& configuration) {
    const auto number = configuration.value("instance", json{});
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() < 1 || number.get<std::uint64_t>() > 255) {
        throw std::invalid_argument("'instance' must be a number from 1 to 255, found " + number.dump());
    }
    return number.get<std::uint8_t>();
}

packet::MacAddress sink_of(const json& configuration) {
    const auto text = configuration.value("sink_mac", std::string{"02:4e:46:00:00:02"});
    const auto mac = packet::MacAddress::parse(text);
    if (!mac) {
        throw std::invalid_argument("'sink_mac' is no MAC address: " + text);
    }
    return *mac;
}

}  // namespace

Host::Host(dpdk::Program& program, std::unique_ptr<Policy> policy)
    : program_{program},
      policy_{std::move(policy)},
      function_{function_of(program.configuration())},
      port_{program.port(program.configuration().value("port", "left"))},
      instance_{policy_->mark(instance_of(program.configuration()))},
      sink_{sink_of(program.configuration())},
      rewrite_link_{program.configuration().value("rewrite_link", true)},
      random_{program.configuration().value("seed", std::uint64_t{1})} {
    emission_.forwarded.reserve(4096);
    emission_.dropped.reserve(4096);
    program_.loop().add([this](std::uint64_t tsc) { return poll(tsc); });
    program_.loop().stay_while_full();
    add_orders();
}

unsigned Host::poll(std::uint64_t tsc) {
    const auto now = program_.clock().to_ns(tsc);
    const auto handled = receive_and_process(now);
    function_->advance(now, emission_);
    send(emission_);
    return handled;
}

unsigned Host::receive_and_process(std::uint64_t now_ns) {
    std::array<rte_mbuf*, most_at_once> buffers;  // NOLINT: filled by the port
    std::array<nf::PacketRef, most_at_once> packets;
    const auto count = port_.rx(buffers.data(), most_at_once);
    if (count == 0) {
        return 0;
    }
    for (std::uint16_t i = 0; i < count; ++i) {
        rte_prefetch0(rte_pktmbuf_mtod(buffers[i], void*));
    }
    std::size_t usable = 0;
    for (std::uint16_t i = 0; i < count; ++i) {
        auto* const buffer = buffers[i];
        if (buffer->nb_segs != 1) {
            ++multi_segment_;
            rte_pktmbuf_free(buffer);
            continue;
        }
        packets[usable++] = {rte_pktmbuf_mtod(buffer, std::uint8_t*), buffer->data_len,
                             static_cast<std::uint16_t>(buffer->buf_len - buffer->data_off), 0, buffer};
    }
    random_ += 0x9e3779b97f4a7c15ULL;
    function_->process({packets.data(), usable}, now_ns, packet::mix64(random_), emission_);
    return count;
}

void Host::mark(std::uint8_t* frame) const {
    packet::Bytes octets{frame, packet::ethernet_header_length};
    sink_.store(octets, 0);
    frame[instance_octet] = instance_;
}

void Host::send(nf::Emission& emission) {
    std::array<rte_mbuf*, most_at_once> buffers;  // NOLINT: filled below
    std::uint16_t waiting = 0;
    const auto leave = [&] {
        port_.tx_or_drop(buffers.data(), waiting);
        waiting = 0;
    };
    for (const auto& packet : emission.forwarded) {
        auto* const buffer = static_cast<rte_mbuf*>(packet.handle);
        buffer->data_len = packet.length;
        buffer->pkt_len = packet.length;
        if (rewrite_link_) {
            mark(packet.data);
        }
        buffers[waiting++] = buffer;
        if (waiting == most_at_once) {
            leave();
        }
    }
    if (waiting > 0) {
        leave();
    }
    for (const auto& [packet, reason] : emission.dropped) {
        rte_pktmbuf_free(static_cast<rte_mbuf*>(packet.handle));
    }
    emission.clear();
}

void Host::drain() {
    constexpr unsigned most_rounds = 256;
    for (unsigned round = 0; round < most_rounds && receive_and_process(program_.clock().now_ns()) > 0; ++round) {
        send(emission_);
    }
    send(emission_);
}

int run_vnf(int argc, char** argv, std::unique_ptr<Policy> policy) {
    std::unique_ptr<Host> host;
    return dpdk::polling_main("nfvcert-vnf", argc, argv, [&](dpdk::Program& program) {
        host = std::make_unique<Host>(program, std::move(policy));
    });
}

}  // namespace nfvcert::vnf
