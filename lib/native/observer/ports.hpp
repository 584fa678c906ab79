#pragma once
// The observed ports of a host: their taps, and what was counted at them, also of those that are gone.

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "observer/tap.hpp"

namespace nfvcert::observer {

class Ports {
public:
    /// Observe an interface under the id of its port. Throws when it cannot be observed or the port is observed already,
    /// unless the interface by which it was observed is gone. Records of a port go on where they ended.
    /// With `mac`, frames that the network only flooded to the port are counted, but make no record.
    void add(const std::string& ifname, const std::string& port, const std::string& mac);
    /// Stop observing; the records stay until they are cleared. An unknown port is no error: it may be gone already.
    void remove(const std::string& port);
    /// Write all records to a file; throws when that fails.
    nlohmann::json dump(const std::string& path, bool clear);
    nlohmann::json counters();
    /// Count what waits in the rings.
    void drain();

private:
    struct Port {
        std::unique_ptr<Tap> tap;
        Records records;
        std::array<Counter, 2> counters{};
        std::uint64_t drops = 0;
    };

    void drain_to_now();
    static void let_go(Port& port);

    std::map<std::string, Port> ports_;
};

}  // namespace nfvcert::observer
