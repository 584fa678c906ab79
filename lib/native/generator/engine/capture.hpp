#pragma once
// Captures: copies of packets that pass ports, kept until they are fetched. The polling thread puts them in; it asks the
// filter of each capture of the port and copies, and does nothing at all on ports without captures.

#include <pcap/pcap.h>

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dpdk/port.hpp"
#include "generator/engine/fields.hpp"
#include "generator/engine/groups.hpp"
#include "generator/engine/lazy_array.hpp"

namespace nfvcert::dpdk {
class TscClock;
}

namespace nfvcert::engine {

struct CaptureWish {
    std::bitset<most_ports> tx;   // ports whose sent packets are wanted
    std::bitset<most_ports> rx;
    std::uint32_t limit;          // packets kept
    bool cyclic;                  // when full the oldest go; else nothing more is kept
    std::uint32_t snap_length;    // octets kept of each packet
    std::string filter;           // pcap-filter(7); empty: every packet
};

/// Reads an order {"tx", "rx", "limit", "mode", "filter", "snaplen"}. Throws Refusal "bad-input".
CaptureWish read_capture_wish(const Fields& order, unsigned ports);

struct CapturedPacket {
    static constexpr std::uint32_t largest = 2016;  // octets kept at most
    std::uint64_t t_ns;    // of the burst that it came or went with
    std::uint64_t index;   // of those that matched, from 1
    std::uint32_t wire_octets;
    std::uint16_t octets;
    std::uint8_t port;
    bool sent;
    std::uint64_t spare;
    std::array<std::uint8_t, largest> data;
};
static_assert(sizeof(CapturedPacket) == 2048);

class Capture {
public:
    /// Throws Refusal "bad-input" when the filter is no filter, with what libpcap says.
    explicit Capture(const CaptureWish& wish);
    ~Capture();
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    [[nodiscard]] const CaptureWish& wish() const { return wish_; }

    // polling thread, or none polls
    void offer(const CapturedPacket& packet);
    void offer(const std::uint8_t* data, std::uint32_t kept, std::uint32_t wire_octets, unsigned port, bool sent, std::uint64_t t_ns);
    /// Moves up to `most` of the oldest packets to the end of `to`.
    void take(std::vector<CapturedPacket>& to, std::size_t most);
    [[nodiscard]] std::uint64_t matched() const { return matched_; }
    [[nodiscard]] std::uint64_t kept_octets() const { return kept_octets_; }
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(tail_ - head_); }

private:
    CaptureWish wish_;
    bpf_program filter_{};
    LazyArray<CapturedPacket> packets_;
    std::uint64_t head_ = 0;  // oldest
    std::uint64_t tail_ = 0;  // next
    std::uint64_t matched_ = 0;
    std::uint64_t kept_octets_ = 0;
};

/// Shows the packets of a port to its captures.
class PortTap : public dpdk::Tap {
public:
    PortTap(const dpdk::TscClock& clock, unsigned port) : clock_{clock}, port_{port} {}

    // polling thread
    void attach(Capture& capture);
    void detach(const Capture& capture);
    [[nodiscard]] bool used() const { return !sending_.empty() || !receiving_.empty(); }

    void received(rte_mbuf* const* burst, std::uint16_t count) override;
    void sending(rte_mbuf* const* burst, std::uint16_t count) override;
    void sent(std::uint16_t count) override;

private:
    const dpdk::TscClock& clock_;
    unsigned port_;
    std::vector<Capture*> sending_;
    std::vector<Capture*> receiving_;
    std::vector<CapturedPacket> offered_;  // to the driver, which may have them no longer when it says how many it took
};

}  // namespace nfvcert::engine
