#pragma once
// A network interface as a place to receive and send Ethernet frames: AF_PACKET with batched system calls.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "packet/bytes.hpp"
#include "runtime/interfaces.hpp"
#include "runtime/unique_fd.hpp"

namespace nfvcert::runtime {

class PacketPort {
public:
    struct Counters {
        std::uint64_t received = 0;
        std::uint64_t sent = 0;
        std::uint64_t receive_overruns = 0;  // lost in the kernel because this process was too slow
        std::uint64_t oversized = 0;         // frames longer than a buffer
        std::uint64_t send_retries = 0;      // the kernel had no room, tried again
        std::uint64_t send_drops = 0;        // given up
    };
    using Receiver = std::function<void(packet::Bytes frame)>;

    /// Receives ARP and what is addressed to the interface; throws std::system_error when the socket cannot be made.
    explicit PacketPort(const Interface& interface);
    ~PacketPort();
    PacketPort(const PacketPort&) = delete;
    PacketPort& operator=(const PacketPort&) = delete;

    [[nodiscard]] int fd() const { return socket_.get(); }
    [[nodiscard]] const packet::MacAddress& mac() const { return interface_.mac; }
    [[nodiscard]] const std::string& name() const { return interface_.name; }

    /// Passes one batch of waiting frames to `receiver` (the octets may be changed); returns how many there were.
    std::size_t receive(const Receiver& receiver);
    /// Copies the frame into the next batch; order is kept.
    void send(packet::ConstBytes frame);
    /// Hands the batch to the kernel. Waits up to 20 ms for room before frames are dropped and counted.
    void flush();

    [[nodiscard]] Counters counters();

    static constexpr std::size_t batch = 64;
    static constexpr std::size_t frame_size = 2048;

private:
    struct Buffers;
    void update_overruns();

    Interface interface_;
    UniqueFd socket_;
    std::unique_ptr<Buffers> buffers_;
    std::size_t queued_ = 0;
    Counters counters_;
};

}  // namespace nfvcert::runtime
