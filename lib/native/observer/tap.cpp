#include "observer/tap.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "packet/ethernet.hpp"
#include "packet/ipv4.hpp"
#include "packet/transport.hpp"

namespace nfvcert::observer {

namespace {

// 4 MiB: about a second at 20,000 packets per second. The kernel hands over a block after `retire_ms` however little is
// in it, so it takes many small blocks, not few large ones, to outlast a pause of this process.
constexpr unsigned block_size = 1U << 15;
constexpr unsigned block_count = 128;
constexpr unsigned frame_size = 256;
constexpr unsigned retire_ms = 10;
constexpr unsigned snap_length = 128;
constexpr std::uint32_t measurement_magic = 0x4E465643;
constexpr std::size_t magic_at = 14 + 20 + 8;

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

std::int64_t clock_offset() {
    timespec real{};
    timespec monotonic{};
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return (real.tv_sec - monotonic.tv_sec) * 1'000'000'000LL + (real.tv_nsec - monotonic.tv_nsec);
}

}  // namespace

Tap::Tap(const std::string& ifname, std::optional<packet::MacAddress> mac) : mac_(mac) {
    descriptor_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor_ < 0) {
        fail("raw socket");
    }
    sock_filter whole[] = {BPF_STMT(BPF_RET | BPF_K, snap_length)};
    const sock_fprog program{1, whole};
    const int version = TPACKET_V3;
    tpacket_req3 request{};
    request.tp_block_size = block_size;
    request.tp_block_nr = block_count;
    request.tp_frame_size = frame_size;
    request.tp_frame_nr = block_size / frame_size * block_count;
    request.tp_retire_blk_tov = retire_ms;
    if (setsockopt(descriptor_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
        setsockopt(descriptor_, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
        setsockopt(descriptor_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0) {
        const int error = errno;
        close(descriptor_);
        errno = error;
        fail("ring on " + ifname);
    }
    void* mapped = mmap(nullptr, static_cast<std::size_t>(block_size) * block_count, PROT_READ | PROT_WRITE, MAP_SHARED,
                        descriptor_, 0);
    if (mapped == MAP_FAILED) {
        close(descriptor_);
        fail("ring on " + ifname);
    }
    ring_ = static_cast<std::uint8_t*>(mapped);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(ifname.c_str()));
    ifindex_ = static_cast<unsigned>(address.sll_ifindex);
    if (address.sll_ifindex == 0 || bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        munmap(ring_, static_cast<std::size_t>(block_size) * block_count);
        close(descriptor_);
        errno = error;
        fail("interface " + ifname);
    }
}

Tap::~Tap() {
    munmap(ring_, static_cast<std::size_t>(block_size) * block_count);
    close(descriptor_);
}

void Tap::drain(Records& records, std::array<Counter, 2>& counters) {
    const auto offset = clock_offset();
    for (unsigned turn = 0; turn < block_count; ++turn) {
        auto* block = reinterpret_cast<tpacket_block_desc*>(ring_ + block_ * block_size);
        std::atomic_ref<std::uint32_t> status(block->hdr.bh1.block_status);
        if ((status.load(std::memory_order_acquire) & TP_STATUS_USER) == 0) {
            return;
        }
        auto* at = reinterpret_cast<std::uint8_t*>(block) + block->hdr.bh1.offset_to_first_pkt;
        for (std::uint32_t i = 0; i < block->hdr.bh1.num_pkts; ++i) {
            const auto* header = reinterpret_cast<const tpacket3_hdr*>(at);
            const auto* from = reinterpret_cast<const sockaddr_ll*>(at + TPACKET_ALIGN(sizeof(tpacket3_hdr)));
            const auto real = static_cast<std::int64_t>(header->tp_sec) * 1'000'000'000LL + header->tp_nsec;
            count(at + header->tp_mac, header->tp_snaplen, header->tp_len, from->sll_pkttype == PACKET_OUTGOING,
                  static_cast<std::uint64_t>(real - offset), records, counters);
            at += header->tp_next_offset;
        }
        status.store(TP_STATUS_KERNEL, std::memory_order_release);
        block_ = (block_ + 1) % block_count;
    }
}

void Tap::count(const std::uint8_t* data, std::uint32_t captured, std::uint32_t length, bool outgoing, std::uint64_t t,
                Records& records, std::array<Counter, 2>& counters) {
    const auto direction = outgoing ? Direction::out : Direction::in;
    auto& counter = counters[static_cast<std::size_t>(direction)];
    ++counter.packets;
    counter.bytes += length;
    counter.last = t;
    const packet::ConstBytes frame(data, captured);
    if (outgoing && mac_ && captured >= packet::ethernet_header_length) {
        const auto destination = packet::MacAddress::load(frame, 0);
        if (destination != *mac_ && !destination.is_group()) {
            return;  // flooded by a bridge that has not learned yet: meant for another port
        }
    }
    if (captured < packet::ethernet_header_length + 20 || packet::load16(frame, 12) != packet::ethertype_ipv4) {
        return;
    }
    const auto ip = frame.subspan(packet::ethernet_header_length);
    const auto header = packet::parse_quoted_ipv4(ip);
    if (!header) {
        return;
    }
    Key key{direction, header->protocol, static_cast<std::uint8_t>(ip[1] >> 2), {header->source, 0}, {header->destination, 0}, -1};
    const auto payload = ip.subspan(header->header_length);
    if (!header->is_fragment() && (header->carries(packet::Protocol::udp) || header->carries(packet::Protocol::tcp))) {
        if (const auto ports = packet::parse_quoted_ports(payload)) {
            key.source.port = ports->source;
            key.destination.port = ports->destination;
        }
    } else if (header->carries(packet::Protocol::icmp)) {
        if (const auto icmp = packet::parse_icmp(payload)) {
            key.source.port = icmp->identifier;
        }
    }
    if (captured >= magic_at + 12 && header->header_length == 20 && header->carries(packet::Protocol::udp) &&
        packet::load32(frame, magic_at) == measurement_magic) {
        key.flow = packet::load32(frame, magic_at + 8);
    }
    auto& record = records[key];
    if (record.packets == 0) {
        record.first = t;
    }
    ++record.packets;
    record.bytes += length;
    record.last = t;
}

bool Tap::interface_exists() const {
    std::array<char, IF_NAMESIZE> name{};
    return if_indextoname(ifindex_, name.data()) != nullptr;
}

std::uint64_t Tap::dropped() {
    tpacket_stats_v3 statistics{};
    socklen_t size = sizeof statistics;
    if (getsockopt(descriptor_, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) {
        return 0;
    }
    return statistics.tp_drops;
}

}  // namespace nfvcert::observer
