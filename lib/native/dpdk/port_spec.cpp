#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <vector>

#include "dpdk/port.hpp"

namespace nfvcert::dpdk {
namespace {

struct Kind {
    std::string_view name;
    std::string_view driver;
    std::vector<std::string_view> needed;
    std::vector<std::string_view> known;
};

const std::array<Kind, 6>& kinds() {
    static const std::array<Kind, 6> all{{
        {"memif", "net_memif", {"socket", "role"}, {"socket", "role", "id", "ring", "zero_copy", "rx_queues"}},
        {"af_packet", "net_af_packet", {"iface"}, {"iface", "qdisc_bypass", "ring"}},
        {"af_xdp", "net_af_xdp", {"iface"}, {"iface", "queue", "ring"}},
        {"ring", "net_ring", {}, {"name", "ring"}},
        {"pcap", "net_pcap", {"rx", "tx"}, {"rx", "tx", "ring"}},
        {"pci", "", {"address"}, {"address", "ring"}},
    }};
    return all;
}

const Kind& kind_of(std::string_view name) {
    const auto& all = kinds();
    const auto* found = std::find_if(all.begin(), all.end(), [&](const Kind& kind) { return kind.name == name; });
    if (found == all.end()) {
        throw std::runtime_error("port of unknown kind '" + std::string{name} +
                                 "'; known are memif, af_packet, af_xdp, ring, pcap, pci");
    }
    return *found;
}

unsigned number_of(const std::string& key, const std::string& text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw std::runtime_error("'" + key + "' of a port has to be a number, found '" + text + "'");
    }
    return value;
}

constexpr unsigned default_descriptors = 1024;
constexpr unsigned most_descriptors = 16384;
constexpr unsigned most_rx_queues = 8;

}  // namespace

PortSpec PortSpec::parse(std::string_view text) {
    const auto colon = text.find(':');
    PortSpec spec;
    spec.kind = std::string{text.substr(0, colon)};
    const auto& kind = kind_of(spec.kind);
    auto rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    // an address of a PCI device has colons, never commas
    while (!rest.empty()) {
        const auto comma = rest.find(',');
        const auto part = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
        const auto equals = part.find('=');
        const auto key = part.substr(0, equals);
        if (equals == std::string_view::npos || std::find(kind.known.begin(), kind.known.end(), key) == kind.known.end()) {
            throw std::runtime_error("port '" + std::string{text} + "': '" + std::string{part} + "' is not known for " +
                                     spec.kind);
        }
        spec.values[std::string{key}] = std::string{part.substr(equals + 1)};
    }
    for (const auto key : kind.needed) {
        if (!spec.values.contains(std::string{key})) {
            throw std::runtime_error("port '" + std::string{text} + "': '" + std::string{key} + "' is missing");
        }
    }
    if (spec.kind == "memif" && spec.values["role"] != "server" && spec.values["role"] != "client") {
        throw std::runtime_error("port '" + std::string{text} + "': role is server or client");
    }
    const auto ring = spec.descriptors();
    if (ring == 0 || (ring & (ring - 1)) != 0 || ring > most_descriptors) {
        throw std::runtime_error("port '" + std::string{text} + "': ring is a power of two up to " +
                                 std::to_string(most_descriptors));
    }
    if (spec.rx_queues() == 0 || spec.rx_queues() > most_rx_queues) {
        throw std::runtime_error("port '" + std::string{text} + "': rx_queues is 1 to " + std::to_string(most_rx_queues));
    }
    return spec;
}

std::string PortSpec::driver() const { return std::string{kind_of(kind).driver}; }

unsigned PortSpec::descriptors() const {
    const auto found = values.find("ring");
    return found == values.end() ? default_descriptors : number_of("ring", found->second);
}

unsigned PortSpec::rx_queues() const {
    const auto found = values.find("rx_queues");
    return found == values.end() ? 1 : number_of("rx_queues", found->second);
}

std::string PortSpec::device_arguments() const {
    const auto value = [&](const char* key, const char* otherwise) {
        const auto found = values.find(key);
        return found == values.end() ? std::string{otherwise} : found->second;
    };
    if (kind == "memif") {
        unsigned log2 = 0;
        while ((1U << log2) < descriptors()) {
            ++log2;
        }
        auto text = "role=" + value("role", "") + ",socket=" + value("socket", "") + ",socket-abstract=no,id=" +
                    value("id", "0") + ",rsize=" + std::to_string(log2);
        return value("zero_copy", "0") == "1" ? text + ",zero-copy=yes" : text;
    }
    if (kind == "af_packet") {
        return "iface=" + value("iface", "") + ",qdisc_bypass=" + value("qdisc_bypass", "1") + ",framecnt=" +
               std::to_string(descriptors());
    }
    if (kind == "af_xdp") {
        return "iface=" + value("iface", "") + ",start_queue=" + value("queue", "0");
    }
    if (kind == "pcap") {
        return "rx_pcap=" + value("rx", "") + ",tx_pcap=" + value("tx", "");
    }
    return {};
}

}  // namespace nfvcert::dpdk
