#pragma once
// A port as a host among its neighbours: who has an IPv4 address answers ARP requests (RFC 826) and echo requests (RFC 792,
// RFC 1122 3.2.2.6). Pure.

#include <cstdint>
#include <vector>

#include "packet/address.hpp"
#include "packet/bytes.hpp"

namespace nfvcert::engine {

struct Host {
    static constexpr std::size_t most_tags = 2;

    packet::MacAddress mac;
    packet::Ipv4Address address;
    std::vector<std::uint16_t> vlans;  // of the tags that its packets have, outermost first

    /// Makes a request into its answer, of the same length; false, and nothing is changed, when none is due.
    [[nodiscard]] bool answer(packet::Bytes frame) const;
};

}  // namespace nfvcert::engine
