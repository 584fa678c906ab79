#pragma once
// A tap on one interface: a ring of the kernel's (TPACKET_V3), read block by block.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "observer/records.hpp"

namespace nfvcert::observer {

class Tap {
public:
    /// Throws std::system_error when the interface is not there or may not be observed.
    explicit Tap(const std::string& ifname, std::optional<packet::MacAddress> mac = std::nullopt);
    ~Tap();
    Tap(const Tap&) = delete;
    Tap& operator=(const Tap&) = delete;

    /// False when the interface was deleted; what the ring holds can still be counted.
    [[nodiscard]] bool interface_exists() const;
    /// Count everything that waits in the ring.
    void drain(Records& records, std::array<Counter, 2>& counters);
    /// Packets that the ring had no room for since the last call.
    std::uint64_t dropped();

private:
    void count(const std::uint8_t* packet, std::uint32_t captured, std::uint32_t length, bool outgoing, std::uint64_t t,
               Records& records, std::array<Counter, 2>& counters);

    std::optional<packet::MacAddress> mac_;
    int descriptor_ = -1;
    unsigned ifindex_ = 0;
    std::uint8_t* ring_ = nullptr;
    std::size_t block_ = 0;
};

}  // namespace nfvcert::observer
