#include "runtime/interfaces.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "runtime/unique_fd.hpp"

namespace nfvcert::runtime {

namespace {

std::optional<Interface> describe(int socket, int index, const char* name) {
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (::ioctl(socket, SIOCGIFHWADDR, &request) != 0) {
        return std::nullopt;
    }
    Interface found{index, name, {}, false};
    std::copy_n(reinterpret_cast<const std::uint8_t*>(request.ifr_hwaddr.sa_data), 6, found.mac.octets.begin());
    if (::ioctl(socket, SIOCGIFFLAGS, &request) == 0) {
        found.up = (request.ifr_flags & IFF_UP) != 0;
    }
    return found;
}

}  // namespace

std::optional<Interface> find_interface(const std::optional<packet::MacAddress>& mac, const std::string& name) {
    const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    auto* const all = ::if_nameindex();
    if (!socket.valid() || all == nullptr) {
        return std::nullopt;
    }
    std::optional<Interface> by_mac;
    std::optional<Interface> by_name;
    for (const auto* entry = all; entry->if_index != 0; ++entry) {
        const auto found = describe(socket.get(), static_cast<int>(entry->if_index), entry->if_name);
        if (found && mac && found->mac == *mac) {
            by_mac = found;
        }
        if (found && found->name == name) {
            by_name = found;
        }
    }
    ::if_freenameindex(all);
    return by_mac ? by_mac : by_name;
}

}  // namespace nfvcert::runtime
