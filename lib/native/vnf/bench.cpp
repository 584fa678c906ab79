// nfvcert-function-bench: packets per second of a network function alone, on one core, without any port.
//
//   nfvcert-function-bench FUNCTION [--flows N] [--size OCTETS] [--seconds S] [--parameters JSON]
//
// Bursts of 32 frames of N flows in turn; the frames are built anew for each burst (that time is measured alone first and
// taken off). Prints one JSON object.

#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "functions/network_function.hpp"
#include "packet/checksum.hpp"
#include "packet/ethernet.hpp"
#include "packet/ipv4.hpp"
#include "packet/transport.hpp"

namespace {

using namespace nfvcert;
using nlohmann::json;

constexpr std::size_t burst = 32;
constexpr std::size_t room = 2048;

struct Options {
    std::string function;
    std::size_t flows = 65'536;
    std::size_t size = 64;  // with frame check sequence
    double seconds = 2;
    json parameters = json::object();
};

Options read_options(int argc, char** argv) {
    if (argc < 2 || argc % 2 != 0) {
        throw std::invalid_argument(
            "usage: nfvcert-function-bench FUNCTION [--flows N] [--size OCTETS] [--seconds S] [--parameters JSON]");
    }
    Options options;
    options.function = argv[1];
    for (int i = 2; i + 1 < argc; i += 2) {
        const std::string key = argv[i];
        const std::string value = argv[i + 1];
        if (key == "--flows") {
            options.flows = std::stoul(value);
        } else if (key == "--size") {
            options.size = std::stoul(value);
        } else if (key == "--seconds") {
            options.seconds = std::stod(value);
        } else if (key == "--parameters") {
            options.parameters = json::parse(value);
        } else {
            throw std::invalid_argument("unknown option " + key);
        }
    }
    if (options.size < 64 || options.size > 1518 || options.flows == 0) {
        throw std::invalid_argument("--size is 64 to 1518 octets, --flows at least 1");
    }
    return options;
}

json defaults_for(const std::string& function) {
    if (function == "nat" || function == "basic-nat") {
        return {{"external", {"198.19.0.1", "198.19.0.2", "198.19.0.3", "198.19.0.4"}}, {"max_sessions", 1'048'576}};
    }
    if (function == "load-balancer") {
        auto servers = json::array();
        for (int i = 1; i <= 8; ++i) {
            servers.push_back({{"address", "198.19.1." + std::to_string(i)}});
        }
        return {{"servers", servers}, {"max_flows", 1'048'576}};
    }
    if (function == "monitor") {
        return {{"max_flows", 1'048'576}};
    }
    return json::object();
}

/// One UDP frame of a flow; payload differs from flow to flow.
std::vector<std::uint8_t> frame_of(std::size_t flow, std::size_t length) {
    std::vector<std::uint8_t> octets(length);
    packet::write_ethernet(octets, {packet::MacAddress{{2, 0x4e, 0x46, 2, 0, 1}}, packet::MacAddress{{2, 0x4e, 0x46, 0, 0, 0}}, packet::ethertype_ipv4});
    const packet::Bytes ip = packet::Bytes{octets}.subspan(packet::ethernet_header_length);
    ip[0] = 0x45;
    packet::store16(ip, 2, static_cast<std::uint16_t>(ip.size()));
    ip[8] = 64;
    ip[9] = 17;
    packet::store32(ip, 12, 0x0a000000U + static_cast<std::uint32_t>(flow / 64));
    packet::store32(ip, 16, 0xc6130100U + static_cast<std::uint32_t>(flow % 251));
    packet::store16(ip, 10, packet::checksum(ip.first(20)));
    packet::store16(ip, 20, static_cast<std::uint16_t>(1024 + flow % 64));
    packet::store16(ip, 22, 7);
    packet::store16(ip, 24, static_cast<std::uint16_t>(ip.size() - 20));
    auto state = packet::mix64(flow + 1);
    for (std::size_t i = 28; i < ip.size(); ++i) {
        state = packet::mix64(state + i);
        ip[i] = static_cast<std::uint8_t>(state);
    }
    packet::complete_transport_checksum(ip, *packet::parse_ipv4(ip));
    return octets;
}

struct Measured {
    std::uint64_t packets = 0;
    double seconds = 0;
};

template <class Use>
Measured run(const std::vector<std::uint8_t>& frames, std::size_t length, std::size_t flows, double seconds, Use&& use) {
    std::vector<std::uint8_t> buffers(burst * room);
    std::vector<nf::PacketRef> packets(burst);
    Measured measured;
    std::size_t flow = 0;
    const auto begin = std::chrono::steady_clock::now();
    do {
        for (int round = 0; round < 256; ++round) {
            for (std::size_t i = 0; i < burst; ++i) {
                auto* const data = buffers.data() + i * room;
                std::memcpy(data, frames.data() + flow * length, length);
                packets[i] = {data, static_cast<std::uint16_t>(length), static_cast<std::uint16_t>(room), 0, nullptr};
                flow = flow + 1 == flows ? 0 : flow + 1;
            }
            use(packets);
            measured.packets += burst;
        }
        measured.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    } while (measured.seconds < seconds);
    return measured;
}

void bench(const Options& options) {
    auto parameters = defaults_for(options.function);
    parameters.update(options.parameters);
    const auto function = nf::make_function(options.function, parameters);
    const auto length = options.size - 4;
    std::vector<std::uint8_t> frames;
    frames.reserve(options.flows * length);
    for (std::size_t flow = 0; flow < options.flows; ++flow) {
        const auto frame = frame_of(flow, length);
        frames.insert(frames.end(), frame.begin(), frame.end());
    }
    nf::Emission out;
    out.forwarded.reserve(4096);
    out.dropped.reserve(4096);
    std::uint64_t now = 1'000'000'000;
    std::uint64_t random = 1;
    std::uint64_t forwarded = 0;
    const auto use = [&](std::vector<nf::PacketRef>& packets) {
        now += 2'000;
        random += 0x9e3779b97f4a7c15ULL;
        function->process(packets, now, random, out);
        function->advance(now, out);
        forwarded += out.forwarded.size();
        out.clear();
    };
    std::uint64_t seen = 0;
    const auto nothing = [&](std::vector<nf::PacketRef>& packets) {
        seen += packets.back().data[0];
        asm volatile("" : : "r"(packets.data()) : "memory");
    };
    run(frames, length, options.flows, 0.5, use);  // opens all flows
    const auto empty = run(frames, length, options.flows, options.seconds / 4, nothing);
    forwarded = 0;
    const auto full = run(frames, length, options.flows, options.seconds, use);
    const auto ns_each = full.seconds * 1e9 / static_cast<double>(full.packets);
    const auto ns_frame = empty.seconds * 1e9 / static_cast<double>(empty.packets);
    std::cout << json{{"function", options.function},
                      {"flows", options.flows},
                      {"size", options.size},
                      {"packets", full.packets},
                      {"forwarded", forwarded},
                      {"mpps", 1e3 / (ns_each - ns_frame)},
                      {"mpps_with_copy", 1e3 / ns_each},
                      {"ns_per_packet", ns_each - ns_frame},
                      {"dropped", function->statistics()["dropped"]}}
                     .dump()
              << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        bench(read_options(argc, argv));
        return 0;
    } catch (const std::invalid_argument& error) {
        std::cerr << "nfvcert-function-bench: " << error.what() << std::endl;
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "nfvcert-function-bench: " << error.what() << std::endl;
        return 1;
    }
}
