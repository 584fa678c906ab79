// Fuzzes the network functions: packets, time, moves of state and damaged state, in any order.
//
// Input: number of the function u8 (% 6, in the order of function_names()), then steps of kind u8, length u8 (in units of 8 octets, rest: whatever is left), octets.
//   kind % 8: 0..3 a frame (0: as it is; 1: header sum mended; 2: also the length; 3: as 2, from outside) | 4 time passes |
//   5 state to a second instance and back | 6 the octets as state | 7 release, resume, flush

#include <cstdlib>
#include <cstring>
#include <list>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "functions/common/frame_view.hpp"
#include "functions/network_function.hpp"
#include "packet/checksum.hpp"

namespace {

using namespace nfvcert;
using nlohmann::json;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t capacity = 1600;

void insist(bool condition) {
    if (!condition) {
        std::abort();
    }
}

json parameters(std::string_view function) {
    if (function == "nat") {
        return json::parse(R"({"external": ["198.19.0.1", "198.19.0.2"], "max_sessions": 64, "port_first": 1024, "port_last": 1087,
            "half_open_limit": 8, "sessions_per_host": 32, "fragments": 16, "udp_timeout_ms": 500, "icmp_timeout_ms": 200,
            "tcp_established_timeout_ms": 2000, "tcp_transitory_timeout_ms": 300, "reuse_delay_ms": 50,
            "pinholes": [{"protocol": "tcp", "port": 80, "inside": "10.0.0.2"}, {"protocol": "udp", "port": 53, "inside": "10.0.0.2"}],
            "rules": [{"action": "deny", "protocol": "udp", "port_first": 666, "port_last": 666}]})");
    }
    if (function == "basic-nat") {
        return json::parse(R"({"external": "198.19.0.1", "max_sessions": 32, "port_first": 1024, "port_last": 1039, "fragments": 16,
            "state_timeout_ms": 500, "reuse_delay_ms": 50})");
    }
    if (function == "monitor") {
        return json::parse(R"({"max_flows": 16, "idle_timeout_ms": 300, "max_prefixes": 8, "sketch_width": 64, "heavy_hitters": 4, "bins": 4})");
    }
    if (function == "qos") {
        return json::parse(R"({"link_rate_bps": 4000000, "classes": [{"name": "a", "dscp": [46], "rate_bps": 1000000, "burst_bytes": 2048,
            "queue_packets": 4}, {"name": "b", "rate_bps": 2000000, "queue_packets": 16, "red_min": 2, "red_max": 12}]})");
    }
    if (function == "load-balancer") {
        return json::parse(R"({"servers": [{"address": "203.0.113.1"}, {"address": "203.0.113.2", "weight": 2}, {"address": "203.0.113.3",
            "draining": true}], "max_flows": 32, "idle_timeout_ms": 500, "closed_timeout_ms": 100, "fragments": 16})");
    }
    return json::parse(R"({"role": "both", "near": "10.0.0.0/8", "generation": 7, "cache_packets": 16, "table_bits": 8})");
}

std::unique_ptr<nf::NetworkFunction> make(std::string_view function, const json& more) {
    auto all = parameters(function);
    all.update(more);
    return nf::make_function(function, all);
}

/// Keeps count of every buffer: what goes in comes out once, and within its room.
class Bench {
public:
    Bench(std::string_view name, const json& more) : function{make(name, more)} {}

    /// A frame through the function; answers what came of it, or nothing when it was dropped or waits.
    Octets process(std::span<const std::uint8_t> frame, std::uint64_t now) {
        auto& buffer = buffers_.emplace_back(capacity + guard.size());
        std::copy(frame.begin(), frame.end(), buffer.begin());
        std::memcpy(buffer.data() + capacity, guard.data(), guard.size());
        nf::PacketRef packet{buffer.data(), static_cast<std::uint16_t>(frame.size()), capacity, 0, &buffer};
        function->process({&packet, 1}, now, ++random_, out_);
        return collect();
    }
    Octets collect() {
        Octets last;
        for (const auto& packet : out_.forwarded) {
            last.assign(packet.data, packet.data + packet.length);
            take(packet);
        }
        for (const auto& [packet, reason] : out_.dropped) {
            insist(reason != nf::DropReason::none);
            take(packet);
        }
        out_.clear();
        return last;
    }
    void advance(std::uint64_t now) {
        function->advance(now, out_);
        collect();
    }
    void end() {
        function->flush(out_);
        collect();
        insist(buffers_.empty());
    }

    std::unique_ptr<nf::NetworkFunction> function;

private:
    static constexpr std::array<std::uint8_t, 8> guard{0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4};

    void take(const nf::PacketRef& packet) {
        insist(packet.length <= capacity);
        const auto found = std::find_if(buffers_.begin(), buffers_.end(), [&](const Octets& one) { return &one == packet.handle; });
        insist(found != buffers_.end());
        insist(std::memcmp(found->data() + capacity, guard.data(), guard.size()) == 0);
        buffers_.erase(found);
    }

    std::list<Octets> buffers_;
    nf::Emission out_;
    std::uint64_t random_ = 0;
};

void mend(Octets& frame, int kind) {
    if (kind == 0 || frame.size() < 34) {
        return;
    }
    frame[12] = 0x08;
    frame[13] = 0x00;
    auto* const ip = frame.data() + 14;
    if (kind >= 2) {
        const auto options = static_cast<std::size_t>(frame[0] % 8 == 0 ? 4 : 0);
        ip[0] = static_cast<std::uint8_t>(0x45 + (frame.size() >= 38 ? options / 4 : 0));
        nf::write16(ip + 2, static_cast<std::uint16_t>(frame.size() - 14));
        const auto inside = kind == 2;
        nf::write32(ip + 12, inside ? 0x0a000000U + ip[15] % 4 : 0xcb007100U + ip[15] % 4);
        nf::write32(ip + 16, inside ? 0xcb007100U + ip[19] % 4 : 0xc6130001U + ip[19] % 2);
    }
    const auto header = std::min<std::size_t>(static_cast<std::size_t>(ip[0] & 0x0f) * 4, frame.size() - 14);
    if (header >= 20) {
        nf::write16(ip + 10, 0);
        nf::write16(ip + 10, packet::checksum({ip, header}));
    }
}

void check_sums(const Octets& out) {
    if (out.size() < 34 || nf::read16(out.data() + 12) != 0x0800) {
        return;
    }
    const auto header = packet::parse_ipv4(packet::ConstBytes{out}.subspan(14));
    insist(header.has_value());
    insist(packet::ipv4_checksum_valid(packet::ConstBytes{out}.subspan(14), *header));
}

void move_state(Bench& from, Bench& to, std::uint64_t now) {
    const auto state = from.function->export_state(nf::FlowSelector::all(), now);
    const auto exported = from.function->list_flows(now).size();
    const auto report = to.function->import_state(state, now);
    insist(report.flows + report.conflicts <= from.function->slots());
    insist(exported <= from.function->slots());
    from.function->release_state(nf::FlowSelector::all());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto function = nf::function_names()[data[0] % nf::function_names().size()];
    ++data;
    --size;
    const bool translates = function == "nat" || function == "basic-nat" || function == "load-balancer";
    const bool optimises = function == "wan-optimiser";
    Bench first{function, json::object()};
    Bench second{function, optimises ? json{{"near", "203.0.113.0/24"}, {"generation", 9}} : json::object()};
    std::uint64_t now = 1'000'000'000;
    while (size >= 2) {
        const auto kind = data[0] % 8;
        const auto length = std::min<std::size_t>({static_cast<std::size_t>(data[1]) * 8, size - 2, capacity});
        Octets octets(data + 2, data + 2 + length);
        data += 2 + length;
        size -= 2 + length;
        now += 100'000;
        if (kind < 4) {
            mend(octets, kind);
            const auto came_out = first.process(octets, now);
            if (translates) {
                check_sums(came_out);
            }
            if (optimises && !came_out.empty()) {
                const auto other = second.process(came_out, now);
                if (kind == 2 && octets.size() >= 34 && !other.empty() && other[23] != 253) {
                    insist(other == octets);  // decoded: exactly what went in
                }
            }
        } else if (kind == 4) {
            now += octets.empty() ? 1'000'000 : octets[0] * std::uint64_t{10'000'000};
            first.advance(now);
            second.advance(now);
        } else if (kind == 5 && first.function->slots() > 0) {
            move_state(first, second, now);
            if (!octets.empty() && octets[0] % 2 == 0) {
                move_state(second, first, now);
            }
        } else if (kind == 6 && first.function->slots() > 0) {
            nf::StateWriter writer{first.function->state_code()};
            for (const auto octet : octets) {
                writer.u8(octet);
            }
            writer.end_record();
            try {
                const auto block = writer.finish();
                first.function->import_state(block, now);
            } catch (const nf::StateError&) {  // senseless state is refused
            }
            try {
                first.function->import_state(octets, now);
            } catch (const nf::StateError&) {  // and so is what is no state
            }
        } else if (kind == 7) {
            (void)first.function->export_state(nf::FlowSelector::ranges({{0, 0x7fff}}, nf::Identity::five_tuple), now);
            if (!octets.empty() && octets[0] % 2 == 0) {
                first.function->release_state(nf::FlowSelector::all());
            } else {
                first.function->resume_state(nf::FlowSelector::all());
            }
            (void)first.function->statistics();
        }
    }
    first.end();
    second.end();
    return 0;
}
