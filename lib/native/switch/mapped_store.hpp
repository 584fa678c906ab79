#pragma once
// Memory for a flow table that outlives the process when it lies in a file.

#include <string>

#include "switch/flow_table.hpp"

namespace nfvcert::switching {

class MappedStore {
public:
    /// Maps `path`, which is made if it is not there; an empty path is memory of the process alone. With `fresh` nothing
    /// is taken up. Throws std::system_error.
    MappedStore(const std::string& path, std::size_t flows, bool fresh);
    ~MappedStore();
    MappedStore(const MappedStore&) = delete;
    MappedStore& operator=(const MappedStore&) = delete;

    [[nodiscard]] FlowStore& store() { return *store_; }

private:
    FlowStore* store_;
    std::size_t octets_;
};

}  // namespace nfvcert::switching
