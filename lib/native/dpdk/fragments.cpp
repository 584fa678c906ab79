// The driver for packet sockets asks the kernel to put the fragments of IPv4 datagrams together before it hands them over:
// a generator or a switch would see none of the fragments that passed, and a lone one never. It has no option against
// that, so its request is changed on the way. This definition stands before the C library's for all drivers.

#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

extern "C" int setsockopt(int socket, int level, int option, const void* value, socklen_t length) noexcept {
    constexpr std::uint32_t put_together = std::uint32_t{PACKET_FANOUT_FLAG_DEFRAG} << 16U;
    std::uint32_t fanout = 0;
    if (level == SOL_PACKET && option == PACKET_FANOUT && value != nullptr && length == sizeof fanout) {
        std::memcpy(&fanout, value, sizeof fanout);
        fanout &= ~put_together;
        value = &fanout;
    }
    return static_cast<int>(::syscall(SYS_setsockopt, socket, level, option, value, length));
}
