#pragma once
// A port of the dataplane: one receive and one transmit queue of any driver, named by a short text.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

struct rte_mbuf;
struct rte_mempool;

namespace nfvcert::dpdk {

/// KIND:key=value,key=value
///   memif:socket=PATH,role=server|client,id=0,ring=1024    shared memory; ring is a power of two, packets;
///         [rx_queues=1]                                      for peers that send by more than one queue
///   af_packet:iface=NAME[,qdisc_bypass=1]                  raw socket on a network interface
///   af_xdp:iface=NAME[,queue=0]                            XDP socket on a network interface
///   ring:name=NAME                                         own transmit queue looped to the receive queue
///   pcap:rx=FILE,tx=FILE                                   packets of a file, once; what is sent goes to a file
///   pci:address=0000:00:1f.0                               a device that the environment was given
struct PortSpec {
    std::string kind;
    std::map<std::string, std::string> values;

    /// Throws std::runtime_error naming what was found and what is known.
    static PortSpec parse(std::string_view text);
    /// The device string for DPDK; `device` is the name that the device gets.
    [[nodiscard]] std::string device_arguments() const;
    [[nodiscard]] std::string driver() const;
    [[nodiscard]] unsigned descriptors() const;
    [[nodiscard]] unsigned rx_queues() const;
};

struct PortCounters {
    std::uint64_t rx_packets = 0;
    std::uint64_t rx_bytes = 0;   // of frames without their check sequence
    std::uint64_t tx_packets = 0;
    std::uint64_t tx_bytes = 0;
    std::uint64_t rx_errors = 0;  // told by the driver
    std::uint64_t rx_missed = 0;  // told by the driver: no room in the receive queue
    std::uint64_t tx_dropped = 0; // refused by the driver, dropped here
};

/// Sees the packets that pass a port. Polling thread.
class Tap {
public:
    virtual ~Tap() = default;
    virtual void received(rte_mbuf* const* burst, std::uint16_t count) = 0;
    /// They are offered to the driver; sent() tells how many of them it took, which are gone by then.
    virtual void sending(rte_mbuf* const* burst, std::uint16_t count) = 0;
    virtual void sent(std::uint16_t count) = 0;
};

class Port {
public:
    /// Creates the device, configures its queues and starts it; the link may come up later.
    static std::unique_ptr<Port> open(std::string name, std::string_view spec, rte_mempool* pool);
    ~Port();
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    /// At most `room` packets that have come; they are the caller's.
    std::uint16_t rx(rte_mbuf** burst, std::uint16_t room);
    /// Sends; answers how many were taken, the others stay the caller's.
    std::uint16_t tx(rte_mbuf** burst, std::uint16_t count);
    /// The same for packets that all have `octets_each`.
    std::uint16_t tx_alike(rte_mbuf** burst, std::uint16_t count, std::uint32_t octets_each);
    /// Sends; gives way to a peer that has no room, for 20 ms at most, then drops and counts until the peer takes packets
    /// again. Nothing is the caller's afterwards. Answers how many were sent.
    std::uint16_t tx_or_drop(rte_mbuf** burst, std::uint16_t count);

    /// Shows every packet to `tap` from now on; none: to nobody. Polling thread, or none polls.
    void set_tap(Tap* tap) { tap_ = tap; }

    /// Whether the other end is there. A memif client comes back to a server that went and came again by maintain().
    [[nodiscard]] bool link_up() const;
    /// Tries to connect where nobody is connected; called by the polling thread a few times a second.
    void maintain();
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& kind() const { return kind_; }
    [[nodiscard]] std::uint16_t id() const { return id_; }
    [[nodiscard]] PortCounters counters() const;

private:
    Port(std::string name, const PortSpec& spec, std::string device, std::uint16_t id);
    void configure(rte_mempool* pool, unsigned descriptors);
    [[nodiscard]] bool start();
    std::uint16_t offer(rte_mbuf** burst, std::uint16_t count);

    std::string name_;
    std::string kind_;
    std::string device_;
    std::uint16_t id_;
    std::uint64_t patience_;  // counter ticks
    bool congested_ = false;
    Tap* tap_ = nullptr;
    std::string server_;    // socket of the memif server to connect to, which may not be there yet; empty for all others
    std::uint16_t rx_queues_;
    std::uint16_t rx_turn_ = 0;  // queue to be asked next
    bool started_ = false;
    std::chrono::steady_clock::time_point next_try_{};  // connecting takes its time; begun anew on the way it breaks
    PortCounters counted_;  // by the polling thread; read elsewhere for statistics only
};

}  // namespace nfvcert::dpdk
