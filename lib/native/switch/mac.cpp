#include "switch/mac.hpp"

#include <cstdio>
#include <stdexcept>

namespace nfvcert::switching {

Mac mac_of(const std::string& text) {
    unsigned octets[6] = {};
    int read = 0;
    if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%n", &octets[0], &octets[1], &octets[2], &octets[3], &octets[4],
                    &octets[5], &read) != 6 ||
        static_cast<std::size_t>(read) != text.size()) {
        throw std::invalid_argument("'" + text + "' is no MAC address");
    }
    Mac mac = 0;
    for (const auto octet : octets) {
        mac = (mac << 8U) | octet;
    }
    return mac;
}

}  // namespace nfvcert::switching
