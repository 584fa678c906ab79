#include "generator/engine/capture.hpp"

#include <rte_mbuf.h>

#include <algorithm>
#include <cstring>

#include "dpdk/clock.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::int64_t most_kept = 100'000;
constexpr std::size_t longest_filter = 4096;

std::bitset<most_ports> read_ports(const Fields& order, const char* key, unsigned ports) {
    std::bitset<most_ports> chosen;
    for (const auto port : order.wholes(key, "ports", 0, static_cast<std::int64_t>(ports) - 1)) {
        chosen.set(static_cast<std::size_t>(port));
    }
    return chosen;
}

}  // namespace

CaptureWish read_capture_wish(const Fields& order, unsigned ports) {
    CaptureWish wish{};
    wish.tx = read_ports(order, "tx", ports);
    wish.rx = read_ports(order, "rx", ports);
    if (wish.tx.none() && wish.rx.none()) {
        order.refuse("neither 'tx' nor 'rx' names a port");
    }
    wish.limit = static_cast<std::uint32_t>(order.whole("limit", 1, most_kept));
    const auto mode = order.text_or("mode", "fixed");
    if (mode != "fixed" && mode != "cyclic") {
        order.refuse("mode '" + mode + "' is not known; known are fixed, cyclic");
    }
    wish.cyclic = mode == "cyclic";
    wish.snap_length = static_cast<std::uint32_t>(
        order.whole_or("snaplen", 1, CapturedPacket::largest, CapturedPacket::largest));
    wish.filter = order.text_or("filter", "");
    if (wish.filter.size() > longest_filter) {
        order.refuse("'filter' has more than " + std::to_string(longest_filter) + " octets");
    }
    return wish;
}

Capture::Capture(const CaptureWish& wish) : wish_{wish}, packets_{wish.limit} {
    if (wish_.filter.empty()) {
        return;
    }
    auto* reader = ::pcap_open_dead(DLT_EN10MB, CapturedPacket::largest);
    const auto compiled = ::pcap_compile(reader, &filter_, wish_.filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) == 0;
    const std::string reason = compiled ? "" : ::pcap_geterr(reader);
    ::pcap_close(reader);
    if (!compiled) {
        refuse("capture_start", "filter '" + wish_.filter + "': " + reason);
    }
}

Capture::~Capture() { ::pcap_freecode(&filter_); }

void Capture::offer(const CapturedPacket& packet) {
    offer(packet.data.data(), packet.octets, packet.wire_octets, packet.port, packet.sent, packet.t_ns);
}

void Capture::offer(const std::uint8_t* data, std::uint32_t kept, std::uint32_t wire_octets, unsigned port, bool sent,
                    std::uint64_t t_ns) {
    const pcap_pkthdr header{{}, kept, wire_octets};
    if (filter_.bf_insns != nullptr && ::pcap_offline_filter(&filter_, &header, data) == 0) {
        return;
    }
    ++matched_;
    if (size() == wish_.limit) {
        if (!wish_.cyclic) {
            return;
        }
        kept_octets_ -= packets_[head_++ % wish_.limit].octets;
    }
    auto& packet = packets_[tail_++ % wish_.limit];
    packet.t_ns = t_ns;
    packet.index = matched_;
    packet.wire_octets = wire_octets;
    packet.octets = static_cast<std::uint16_t>(std::min({kept, wish_.snap_length, CapturedPacket::largest}));
    packet.port = static_cast<std::uint8_t>(port);
    packet.sent = sent;
    std::memcpy(packet.data.data(), data, packet.octets);
    kept_octets_ += packet.octets;
}

void Capture::take(std::vector<CapturedPacket>& to, std::size_t most) {
    for (auto left = std::min(most, size()); left > 0; --left) {
        to.push_back(packets_[head_++ % wish_.limit]);
        kept_octets_ -= to.back().octets;
    }
}

void PortTap::attach(Capture& capture) {
    if (capture.wish().tx.test(port_)) {
        sending_.push_back(&capture);
    }
    if (capture.wish().rx.test(port_)) {
        receiving_.push_back(&capture);
    }
}

void PortTap::detach(const Capture& capture) {
    std::erase(sending_, &capture);
    std::erase(receiving_, &capture);
}

void PortTap::received(rte_mbuf* const* burst, std::uint16_t count) {
    if (receiving_.empty()) {
        return;
    }
    const auto t_ns = clock_.now_ns();
    for (std::uint16_t i = 0; i < count; ++i) {
        const auto* packet = burst[i];
        for (auto* capture : receiving_) {
            capture->offer(rte_pktmbuf_mtod(packet, const std::uint8_t*), packet->data_len, packet->pkt_len, port_, false, t_ns);
        }
    }
}

void PortTap::sending(rte_mbuf* const* burst, std::uint16_t count) {
    offered_.clear();
    if (sending_.empty()) {
        return;
    }
    offered_.resize(count);
    const auto t_ns = clock_.now_ns();
    for (std::uint16_t i = 0; i < count; ++i) {
        const auto* packet = burst[i];
        auto& copy = offered_[i];
        copy.t_ns = t_ns;
        copy.wire_octets = packet->pkt_len;
        copy.octets = static_cast<std::uint16_t>(std::min<std::uint32_t>(packet->data_len, CapturedPacket::largest));
        copy.port = static_cast<std::uint8_t>(port_);
        copy.sent = true;
        std::memcpy(copy.data.data(), rte_pktmbuf_mtod(packet, const std::uint8_t*), copy.octets);
    }
}

void PortTap::sent(std::uint16_t count) {
    for (std::size_t i = 0; i < std::min<std::size_t>(count, offered_.size()); ++i) {
        for (auto* capture : sending_) {
            capture->offer(offered_[i]);
        }
    }
}

}  // namespace nfvcert::engine
