#include "generator/engine/engine.hpp"

#include <rte_mbuf.h>

#include <algorithm>
#include <charconv>

#include "generator/engine/buffers.hpp"

namespace nfvcert::engine {
namespace {

constexpr unsigned rounds_at_once = 16;  // before the loop gives the processor away
constexpr unsigned receives_at_once = 16;
constexpr std::uint64_t longest_stay_ns = 1'000'000;
constexpr double default_capability_pps = 40e6;
constexpr unsigned default_template_buffers = 2047;
constexpr std::size_t longest_profile_name = 63;

std::optional<unsigned> number_of(const std::string& name) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    return error == std::errc{} && end == name.data() + name.size() ? std::optional{value} : std::nullopt;
}

}  // namespace

Engine::Engine(dpdk::Program& program)
    : program_{program},
      clock_{program.clock()},
      pools_{program.configuration().value("template_buffers", default_template_buffers)},
      capability_pps_{program.configuration().value("capability_pps", default_capability_pps)} {
    order_ports();
    offer_stream_orders();
    offer_statistics();
    offer_flow_orders();
    offer_capture_orders();
    program_.loop().add([this](std::uint64_t) { return poll(); });
    publisher_ = std::thread{[this] { publish_forever(); }};
}

Engine::~Engine() {
    {
        const std::lock_guard lock{stopping_mutex_};
        stopping_ = true;
    }
    stopping_changed_.notify_all();
    publisher_.join();
}

void Engine::order_ports() {
    std::vector<std::string> names;
    for (const auto& [name, port] : program_.ports()) {
        names.push_back(name);
    }
    if (program_.configuration().contains("port_order")) {
        auto order = program_.configuration().at("port_order").get<std::vector<std::string>>();
        if (!std::is_permutation(order.begin(), order.end(), names.begin(), names.end())) {
            throw std::runtime_error("'port_order' has to name every port once");
        }
        names = std::move(order);
    } else if (std::all_of(names.begin(), names.end(), [](const auto& name) { return number_of(name).has_value(); })) {
        std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return *number_of(a) < *number_of(b); });
    }
    if (names.empty() || names.size() > most_ports) {
        throw std::runtime_error("an engine has 1 to " + std::to_string(most_ports) + " ports, the configuration names " +
                                 std::to_string(names.size()));
    }
    const auto speeds = program_.configuration().value("speeds_gbps", json::object());
    for (const auto& name : names) {
        EnginePort port;
        port.port = &program_.port(name);
        port.index = ports_.size();
        port.speed_gbps = speeds.value(name, 0.0);
        port.tap = std::make_unique<PortTap>(clock_, static_cast<unsigned>(port.index));
        ports_.push_back(std::move(port));
    }
}

Engine::EnginePort& Engine::port_of(const Fields& fields, const char* key) {
    return ports_[static_cast<std::size_t>(fields.whole(key, 0, static_cast<std::int64_t>(ports_.size()) - 1))];
}

packet::MacAddress Engine::port_mac(std::size_t port) {
    return {{0x02, 0x4e, 0x46, 0x00, 0x00, static_cast<std::uint8_t>(port + 1)}};
}

std::string Engine::profile_of(const Fields& fields) {
    auto name = fields.text_or("profile", "_");
    if (name.empty() || name.size() > longest_profile_name) {
        fields.refuse("'profile' has 1 to " + std::to_string(longest_profile_name) + " octets");
    }
    return name;
}

unsigned Engine::poll() {
    const auto begin = dpdk::TscClock::tsc();
    const auto begin_ns = clock_.to_ns(begin);
    auto now_ns = begin_ns;
    unsigned handled = 0;
    for (unsigned round = 1;; ++round) {
        const auto now_handled = poll_once(now_ns);
        handled += now_handled;
        // with full bursts the core is asked for all it has: giving it away then costs a share of the rate
        const auto full = now_handled >= Pacer::largest_burst && clock_.now_ns() - begin_ns < longest_stay_ns;
        if (now_handled == 0 || (round >= rounds_at_once && !full)) {
            break;
        }
    }
    if (handled != 0) {
        const auto spent = dpdk::TscClock::tsc() - begin;
        busy_tsc_.store(busy_tsc_.load(std::memory_order_relaxed) + spent, std::memory_order_relaxed);
    }
    return handled;
}

unsigned Engine::poll_once(std::uint64_t& now_ns) {
    unsigned handled = 0;
    for (auto& port : ports_) {
        // what has come first, all of it: a receiver that lags loses, a sender that lags only waits
        for (unsigned burst = 0; burst < receives_at_once; ++burst) {
            const auto count = port.port->rx(received_.data(), largest_receive);
            if (count != 0) {
                now_ns = clock_.now_ns();
                receive(port, received_.data(), count, now_ns);
                handled += count;
            }
            if (count < largest_receive) {
                break;
            }
        }
    }
    if (flow_ != nullptr) {
        now_ns = clock_.now_ns();
        const auto refused = flow_->progress().tx_refused;
        handled += flow_->send(*flow_tx_->port, now_ns);
        flow_tx_->refused += flow_->progress().tx_refused - refused;
    }
    for (auto& port : ports_) {
        if (!port.running.empty()) {
            now_ns = clock_.now_ns();
            handled += send_streams(port, now_ns);
        }
        if (!port.pushed.empty()) {
            handled += port.pushed.poll(*port.port, program_.pool(), clock_.now_ns());
        }
    }
    return handled;
}

void Engine::receive(EnginePort& port, rte_mbuf** packets, unsigned count, std::uint64_t now_ns) {
    if (flow_ != nullptr && flow_rx_ == port.index) {
        count = flow_->take(packets, count, now_ns);
        if (count == 0) {
            return;
        }
    }
    if (groups_.any()) {
        for (unsigned i = 0; i < count; ++i) {
            groups_.take(port.index, rte_pktmbuf_mtod(packets[i], const std::uint8_t*), packets[i]->data_len, now_ns);
        }
    }
    if (port.host) {
        count = answer(port, packets, count);
    }
    if (count != 0) {
        free_packets(packets, count);
    }
}

/// Sends back those that ask for the port's host; the others, whose number is the result, come to the front.
unsigned Engine::answer(EnginePort& port, rte_mbuf** packets, unsigned count) {
    unsigned others = 0;
    for (unsigned i = 0; i < count; ++i) {
        auto* packet = packets[i];
        if (!port.host->answer({rte_pktmbuf_mtod(packet, std::uint8_t*), packet->data_len})) {
            packets[others++] = packet;
        } else if (port.port->tx(&packet, 1) == 0) {
            ++port.refused;
            rte_pktmbuf_free(packet);
        }
    }
    return others;
}

unsigned Engine::send_streams(EnginePort& port, std::uint64_t now_ns) {
    unsigned handled = 0;
    Profile::Output output{*port.port, port.index, program_.pool()};
    for (std::size_t i = 0; i < port.running.size();) {
        auto& [name, profile] = port.running[i];
        if (!profile->poll(output, now_ns, handled)) {
            ++i;
            continue;
        }
        Finished told{port.index, {}, profile->end()};
        std::copy(name.begin(), name.end(), told.profile.begin());
        finished_.put(told);
        port.running.erase(port.running.begin() + static_cast<std::ptrdiff_t>(i));
    }
    port.refused += output.refused;
    port.no_buffers += output.no_buffers;
    return handled;
}

}  // namespace nfvcert::engine
