#pragma once
// One leg of the generator: a raw socket on an interface, read and written in batches.

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "packet/address.hpp"

namespace nfvcert::generator {

class Leg {
public:
    /// Throws std::system_error when the interface is not there or may not be opened.
    explicit Leg(const std::string& ifname);
    ~Leg();
    Leg(const Leg&) = delete;
    Leg& operator=(const Leg&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] const packet::MacAddress& mac() const { return mac_; }

    /// A frame of `length` octets to be filled and sent with the next flush; the batch is flushed when it is full, so
    /// whoever needs to know which frames failed flushes every `batch` frames.
    packet::Bytes compose(std::size_t length);
    /// Send what was composed. Returns how many frames, the last ones, could not be sent although it was tried for 5 ms.
    std::uint64_t flush();
    /// Read everything that has arrived for this interface or for all and hand it over with the time (CLOCK_MONOTONIC, ns) at which the kernel got it.
    void drain(const std::function<void(packet::Bytes, std::uint64_t)>& handler);
    /// Frames that the socket itself dropped since the last call.
    std::uint64_t dropped();

    static constexpr std::size_t batch = 64;

private:
    static constexpr std::size_t room = 2048;

    int descriptor_ = -1;
    packet::MacAddress mac_;
    std::vector<std::array<std::uint8_t, room>> out_;
    std::vector<std::array<std::uint8_t, room>> in_;
    std::array<std::size_t, batch> lengths_{};
    std::size_t waiting_ = 0;
    std::uint64_t unsent_ = 0;
};

}  // namespace nfvcert::generator
