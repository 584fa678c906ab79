#pragma once
// Addresses of Ethernet frames as 48-bit numbers.

#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "packet/address.hpp"

namespace nfvcert::switching {

using Mac = std::uint64_t;

/// Throws std::invalid_argument unless the text is six octets in hexadecimal with colons between.
inline Mac mac_of(const std::string& text) {
    const auto mac = packet::MacAddress::parse(text);
    if (!mac) {
        throw std::invalid_argument("'" + text + "' is no MAC address");
    }
    return mac->number();
}

inline Mac load_mac(const std::uint8_t* at) {
    std::uint64_t value = 0;
    std::memcpy(&value, at, 6);
    return __builtin_bswap64(value) >> 16U;
}

inline void store_mac(std::uint8_t* at, Mac mac) {
    const auto value = __builtin_bswap64(mac << 16U);
    std::memcpy(at, &value, 6);
}

/// A few addresses and the ports behind them.
class MacTable {
public:
    static constexpr std::uint8_t none = 0xff;

    void set(Mac mac, std::uint8_t port) {
        auto at = place(mac);
        while (ports_[at] != none && macs_[at] != mac) {
            at = (at + 1) % macs_.size();
        }
        macs_[at] = mac;
        ports_[at] = port;
    }
    [[nodiscard]] std::uint8_t find(Mac mac) const {
        for (auto at = place(mac); ports_[at] != none; at = (at + 1) % macs_.size()) {
            if (macs_[at] == mac) {
                return ports_[at];
            }
        }
        return none;
    }

private:
    static std::size_t place(Mac mac) { return (mac * 0x9e37'79b9'7f4a'7c15ULL) >> 57U; }
    static std::array<std::uint8_t, 128> nothing() {
        std::array<std::uint8_t, 128> ports;
        ports.fill(none);
        return ports;
    }

    std::array<Mac, 128> macs_{};  // many more places than ports
    std::array<std::uint8_t, 128> ports_ = nothing();
};

inline constexpr std::size_t destination_mac = 0;  // offsets in a frame
inline constexpr std::size_t source_mac = 6;
inline constexpr std::size_t detour_octet = source_mac + 4;    // how often server switches sent it on to another server
inline constexpr std::size_t instance_octet = source_mac + 5;  // which instance handled it; 0: none yet

}  // namespace nfvcert::switching
