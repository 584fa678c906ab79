#pragma once
// Finding the network interfaces of this process's namespace.

#include <optional>
#include <string>

#include "packet/address.hpp"

namespace nfvcert::runtime {

struct Interface {
    int index = 0;
    std::string name;
    packet::MacAddress mac;
    bool up = false;
};

/// The interface with link address `mac` when one is given and present, else the one called `name`.
std::optional<Interface> find_interface(const std::optional<packet::MacAddress>& mac, const std::string& name);

}  // namespace nfvcert::runtime
