#include "generator/leg.hpp"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>

#include "packet/ethernet.hpp"

namespace nfvcert::generator {

namespace {

constexpr int receive_buffer = 64 << 20;
constexpr int send_buffer = 16 << 20;
constexpr int patience = 50;  // times
constexpr timespec pause{0, 100'000};

/// CLOCK_REALTIME minus CLOCK_MONOTONIC in ns: the kernel stamps packets with the former.
std::int64_t clock_offset() {
    timespec real{};
    timespec monotonic{};
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return (real.tv_sec - monotonic.tv_sec) * 1'000'000'000LL + (real.tv_nsec - monotonic.tv_nsec);
}

std::uint64_t stamp_of(msghdr& message, std::int64_t offset) {
    for (auto* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            timespec stamp{};
            std::memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
            return static_cast<std::uint64_t>(stamp.tv_sec * 1'000'000'000LL + stamp.tv_nsec - offset);
        }
    }
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec * 1'000'000'000LL + now.tv_nsec);
}

/// A bridge floods frames for neighbours that it does not know to everybody.
bool is_for(packet::ConstBytes frame, const packet::MacAddress& mac) {
    if (frame.size() < packet::ethernet_header_length) {
        return false;
    }
    const auto to = packet::MacAddress::load(frame, 0);
    return to == mac || to.is_group();
}

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

void set_option(int descriptor, int level, int name, int value, const std::string& ifname) {
    if (setsockopt(descriptor, level, name, &value, sizeof value) != 0) {
        fail("interface " + ifname + ": option " + std::to_string(name));
    }
}

}  // namespace

Leg::Leg(const std::string& ifname) : out_(batch), in_(batch) {
    descriptor_ = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor_ < 0) {
        fail("raw socket");
    }
    ifreq request{};
    std::strncpy(request.ifr_name, ifname.c_str(), IFNAMSIZ - 1);
    if (ioctl(descriptor_, SIOCGIFHWADDR, &request) != 0) {
        fail("interface " + ifname);
    }
    std::memcpy(mac_.octets.data(), request.ifr_hwaddr.sa_data, mac_.octets.size());
    set_option(descriptor_, SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer, ifname);
    set_option(descriptor_, SOL_SOCKET, SO_SNDBUFFORCE, send_buffer, ifname);
    set_option(descriptor_, SOL_SOCKET, SO_TIMESTAMPNS, 1, ifname);
    set_option(descriptor_, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, ifname);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(ifname.c_str()));
    if (bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fail("interface " + ifname);
    }
}

Leg::~Leg() { close(descriptor_); }

packet::Bytes Leg::compose(std::size_t length) {
    if (waiting_ == batch) {
        unsent_ += flush();
    }
    lengths_[waiting_] = length;
    auto& frame = out_[waiting_++];
    std::memset(frame.data(), 0, length);
    return {frame.data(), length};
}

std::uint64_t Leg::flush() {
    std::array<mmsghdr, batch> messages{};
    std::array<iovec, batch> vectors{};
    for (std::size_t i = 0; i < waiting_; ++i) {
        vectors[i] = {out_[i].data(), lengths_[i]};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    std::size_t done = 0;
    int refused = 0;
    while (done < waiting_) {
        const int sent = sendmmsg(descriptor_, &messages[done], static_cast<unsigned>(waiting_ - done), 0);
        if (sent > 0) {
            done += static_cast<std::size_t>(sent);
            continue;
        }
        if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) {
            break;
        }
        if (++refused > patience) {
            break;
        }
        nanosleep(&pause, nullptr);
    }
    const auto failed = waiting_ - done + unsent_;
    waiting_ = 0;
    unsent_ = 0;
    return failed;
}

void Leg::drain(const std::function<void(packet::Bytes, std::uint64_t)>& handler) {
    constexpr std::size_t control_room = CMSG_SPACE(sizeof(timespec));
    std::array<mmsghdr, batch> messages{};
    std::array<iovec, batch> vectors{};
    alignas(cmsghdr) std::array<std::array<std::uint8_t, control_room>, batch> controls{};
    const auto offset = clock_offset();
    for (int rounds = 0; rounds < 32; ++rounds) {
        for (std::size_t i = 0; i < batch; ++i) {
            vectors[i] = {in_[i].data(), room};
            messages[i].msg_hdr.msg_iov = &vectors[i];
            messages[i].msg_hdr.msg_iovlen = 1;
            messages[i].msg_hdr.msg_control = controls[i].data();
            messages[i].msg_hdr.msg_controllen = control_room;
        }
        const int count = recvmmsg(descriptor_, messages.data(), batch, MSG_DONTWAIT, nullptr);
        for (int i = 0; i < count; ++i) {
            const auto index = static_cast<std::size_t>(i);
            const packet::Bytes frame{in_[index].data(), messages[index].msg_len};
            if (is_for(frame, mac_)) {
                handler(frame, stamp_of(messages[index].msg_hdr, offset));
            }
        }
        if (count < static_cast<int>(batch)) {
            return;
        }
    }
}

std::uint64_t Leg::dropped() {
    tpacket_stats statistics{};
    socklen_t length = sizeof statistics;
    if (getsockopt(descriptor_, SOL_PACKET, PACKET_STATISTICS, &statistics, &length) != 0) {
        return 0;
    }
    return statistics.tp_drops;
}

}  // namespace nfvcert::generator
