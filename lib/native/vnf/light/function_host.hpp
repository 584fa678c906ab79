#pragma once
// A network function between one or two interfaces of the event loop: an IPv4 hop that answers and asks by ARP.
//
// User data, config: function, parameters ({}), data_ports (one or two connection points), gateways ({connection point:
// address}, for destinations off its link), answer_for ({connection point: [addresses]}: asked for by ARP beside the port's
// own one, as external and virtual addresses are).
// Management commands: statistics, dump, export, import, release, resume, configure; flows are named as to nfvcert-vnf.

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "functions/neighbour_table.hpp"
#include "functions/network_function.hpp"
#include "packet/arp.hpp"
#include "runtime/component.hpp"

namespace nfvcert::vnf {

class FunctionHost {
public:
    /// `component` must outlive the host. Throws std::runtime_error for user data that it cannot work with.
    explicit FunctionHost(runtime::Component& component);

    /// Registers the management commands and opens the ports; to be called before the component runs.
    void open();

private:
    using json = nlohmann::json;
    using Bytes = packet::Bytes;
    using Ipv4Address = packet::Ipv4Address;
    static constexpr std::size_t buffer_size = runtime::PacketPort::frame_size;

    struct Leg {
        std::string cp;
        runtime::PacketPort* port = nullptr;
        Ipv4Address own;
        packet::Ipv4Network on_link;
        std::optional<Ipv4Address> gateway;
        std::set<Ipv4Address> answered;
        functions::NeighbourTable neighbours;
    };

    Leg make_leg(const std::string& cp) const;
    void start();
    void add_commands();
    void receive(std::size_t leg, Bytes frame);
    void receive_arp(Leg& leg, Bytes frame);
    /// Hands what has been collected to the function, and sends what comes out.
    void process();
    void emit();
    void send(Leg& leg, Bytes frame);
    void ask(Leg& leg, Ipv4Address address);

    runtime::Component& component_;
    std::unique_ptr<nf::NetworkFunction> function_;
    std::vector<Leg> legs_;
    std::vector<std::uint8_t> buffers_;
    std::vector<std::uint8_t*> free_;
    std::vector<nf::PacketRef> collected_;
    nf::Emission emission_;
    std::uint64_t random_ = 1;
    std::uint64_t no_buffer_drops_ = 0;
    std::uint64_t no_route_drops_ = 0;
};

/// The whole program.
int run_function(int argc, const char* const* argv);

}  // namespace nfvcert::vnf
