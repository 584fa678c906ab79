#include "runtime/packet_port.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "packet/ethernet.hpp"
#include "packet/transport.hpp"
#include "runtime/clock.hpp"

namespace nfvcert::runtime {

namespace {

constexpr int receive_buffer_octets = 32 * 1024 * 1024;
constexpr int send_buffer_octets = 8 * 1024 * 1024;
constexpr std::uint64_t send_patience_ns = 20 * ns_per_ms;

[[noreturn]] void fail(const Interface& interface, const char* what) {
    throw std::system_error(errno, std::generic_category(), "interface " + interface.name + ": " + what);
}

template <typename Value>
bool set_option(int socket, int level, int name, const Value& value) {
    return ::setsockopt(socket, level, name, &value, sizeof value) == 0;
}

void set_buffer(int socket, int forced, int plain, int octets) {
    if (!set_option(socket, SOL_SOCKET, forced, octets)) {  // needs CAP_NET_ADMIN
        set_option(socket, SOL_SOCKET, plain, octets);
    }
}

/// Accepts ARP and frames to `mac`; the rest does not wake the process.
void attach_filter(int socket, const packet::MacAddress& mac) {
    const auto low = packet::load32(mac.octets, 2);
    const auto high = packet::load16(mac.octets, 0);
    std::array<sock_filter, 8> program{{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, packet::ethertype_arp, 4, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0x40000),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog filter{program.size(), program.data()};
    set_option(socket, SOL_SOCKET, SO_ATTACH_FILTER, filter);
}

/// Whether the sender left the transport checksum to hardware that does not exist between virtual ports.
bool checksum_missing(const msghdr& message) {
    for (const auto* control = CMSG_FIRSTHDR(&message); control != nullptr;
         control = CMSG_NXTHDR(const_cast<msghdr*>(&message), const_cast<cmsghdr*>(control))) {
        if (control->cmsg_level == SOL_PACKET && control->cmsg_type == PACKET_AUXDATA) {
            tpacket_auxdata data{};
            std::memcpy(&data, CMSG_DATA(control), sizeof data);
            return (data.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
        }
    }
    return false;
}

void complete_checksum(packet::Bytes frame) {
    const auto ethernet = packet::parse_ethernet(frame);
    if (!ethernet || ethernet->ethertype != packet::ethertype_ipv4) {
        return;
    }
    const auto payload = frame.subspan(packet::ethernet_header_length);
    if (const auto header = packet::parse_ipv4(payload)) {
        packet::complete_transport_checksum(payload, *header);
    }
}

}  // namespace

struct PacketPort::Buffers {
    using Frame = std::array<std::uint8_t, frame_size>;
    struct Batch {
        std::array<Frame, batch> frames;
        std::array<iovec, batch> vectors{};
        std::array<mmsghdr, batch> messages{};

        Batch() {
            for (std::size_t i = 0; i < batch; ++i) {
                vectors[i] = {frames[i].data(), frame_size};
                messages[i].msg_hdr.msg_iov = &vectors[i];
                messages[i].msg_hdr.msg_iovlen = 1;
            }
        }
    };
    struct Control {
        alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(tpacket_auxdata))> octets;
    };

    Batch in;
    Batch out;
    std::array<Control, batch> controls;
};

PacketPort::PacketPort(const Interface& interface)
    : interface_{interface},
      socket_{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)},
      buffers_{std::make_unique<Buffers>()} {
    if (!socket_.valid()) {
        fail(interface_, "packet socket (needs CAP_NET_RAW)");
    }
    set_buffer(fd(), SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer_octets);
    set_buffer(fd(), SO_SNDBUFFORCE, SO_SNDBUF, send_buffer_octets);
    set_option(fd(), SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
    set_option(fd(), SOL_PACKET, PACKET_AUXDATA, 1);
    attach_filter(fd(), interface_.mac);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = interface_.index;
    if (::bind(fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fail(interface_, "bind");
    }
}

PacketPort::~PacketPort() = default;

std::size_t PacketPort::receive(const Receiver& receiver) {
    auto& in = buffers_->in;
    for (std::size_t i = 0; i < batch; ++i) {
        in.messages[i].msg_hdr.msg_control = buffers_->controls[i].octets.data();
        in.messages[i].msg_hdr.msg_controllen = sizeof buffers_->controls[i].octets;
    }
    const auto count = ::recvmmsg(fd(), in.messages.data(), batch, MSG_DONTWAIT | MSG_TRUNC, nullptr);
    if (count <= 0) {
        return 0;  // nothing there, or ENETDOWN: the interface went down and reports it once
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        const auto length = in.messages[i].msg_len;
        ++counters_.received;
        if (length > frame_size) {
            ++counters_.oversized;
            continue;
        }
        const packet::Bytes frame{in.frames[i].data(), length};
        if (checksum_missing(in.messages[i].msg_hdr)) {
            complete_checksum(frame);
        }
        receiver(frame);
    }
    return static_cast<std::size_t>(count);
}

void PacketPort::send(packet::ConstBytes frame) {
    if (frame.size() > frame_size) {
        ++counters_.send_drops;
        return;
    }
    if (queued_ == batch) {
        flush();
    }
    auto& out = buffers_->out;
    std::ranges::copy(frame, out.frames[queued_].begin());
    out.vectors[queued_].iov_len = frame.size();
    ++queued_;
}

void PacketPort::flush() {
    auto& out = buffers_->out;
    std::size_t done = 0;
    std::uint64_t deadline = 0;
    while (done < queued_) {
        const auto count = ::sendmmsg(fd(), &out.messages[done], static_cast<unsigned>(queued_ - done), MSG_DONTWAIT);
        if (count > 0) {
            done += static_cast<std::size_t>(count);
            counters_.sent += static_cast<std::uint64_t>(count);
            continue;
        }
        const auto error = errno;
        if (error == EINTR) {
            continue;
        }
        const auto now = monotonic_ns();
        deadline = deadline == 0 ? now + send_patience_ns : deadline;
        if ((error == EAGAIN || error == ENOBUFS) && now < deadline) {
            ++counters_.send_retries;
            pollfd wait{fd(), POLLOUT, 0};
            const timespec pause{0, 200'000};
            // ENOBUFS: a queue below the socket is full and nothing announces room; EAGAIN: the socket will.
            ::ppoll(&wait, error == EAGAIN ? 1 : 0, &pause, nullptr);
            continue;
        }
        ++counters_.send_drops;  // down, gone, or full for too long: the next frame may still pass
        ++done;
    }
    queued_ = 0;
}

void PacketPort::update_overruns() {
    tpacket_stats stats{};
    socklen_t length = sizeof stats;
    if (::getsockopt(fd(), SOL_PACKET, PACKET_STATISTICS, &stats, &length) == 0) {
        counters_.receive_overruns += stats.tp_drops;
    }
}

PacketPort::Counters PacketPort::counters() {
    update_overruns();
    return counters_;
}

}  // namespace nfvcert::runtime
