#pragma once
// Which link address an on-link IPv4 address has, and what waits for the answer. Pure: the caller sends the questions.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "packet/address.hpp"

namespace nfvcert::functions {

using packet::Ipv4Address;
using packet::MacAddress;

struct NeighbourConfig {
    std::uint64_t retry_ns = 200'000'000;
    unsigned attempts = 5;                    // then what waits is dropped and the address is asked for anew
    std::uint64_t reachable_ns = 30'000'000'000;  // older answers are still used while a new one is asked for
    std::size_t pending_limit = 256;          // packets per address
};

class NeighbourTable {
public:
    using Packet = std::vector<std::uint8_t>;

    explicit NeighbourTable(NeighbourConfig config = {}) : config_{config} {}

    struct Answer {
        std::optional<MacAddress> mac;
        bool ask = false;  // the caller shall send a question now
    };
    /// Where to send a packet for `address`; without a mac the packet has to wait().
    Answer resolve(Ipv4Address address, std::uint64_t now_ns);

    /// Keeps a packet until the address is known; false (counted) when too many wait already.
    bool wait(Ipv4Address address, Packet packet);

    /// Learns from a neighbour's own statement. Returns the packets that waited, oldest first. Addresses that nobody
    /// asked for are kept only when `addressed_to_us`.
    std::vector<Packet> learn(Ipv4Address address, const MacAddress& mac, bool addressed_to_us, std::uint64_t now_ns);

    /// Addresses to ask for again now; gives up the ones asked too often.
    std::vector<Ipv4Address> due(std::uint64_t now_ns);

    [[nodiscard]] std::uint64_t unresolved_drops() const { return unresolved_drops_; }
    [[nodiscard]] bool has_questions() const { return questions_ != 0; }

private:
    struct Entry {
        std::optional<MacAddress> mac;
        std::uint64_t confirmed_ns = 0;
        std::uint64_t asked_ns = 0;
        unsigned attempts = 0;  // questions without an answer; 0 when none is open
        std::deque<Packet> pending;
    };

    void ask(Entry& entry, std::uint64_t now_ns);

    NeighbourConfig config_;
    std::unordered_map<Ipv4Address, Entry> entries_;
    std::size_t questions_ = 0;
    std::uint64_t unresolved_drops_ = 0;
};

}  // namespace nfvcert::functions
