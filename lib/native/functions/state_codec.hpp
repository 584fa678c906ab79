#pragma once
// State of a NAT44 as JSON, in the two formats that its versions have spoken.
//
// Format 1: {"format": 1, "sessions": [{"protocol", "inside", "external", "remote", "mac", "tcp", "idle_ms"}...]}
//   endpoints as "address:port", protocol and tcp as names.
// Format 2: {"format": 2, "users": [{"address", "mac", "sessions": [[protocol number, inside port, external address,
//   external port, remote address, remote port, tcp number, idle_us]...]}...]}
//   grouped by user, as port blocks are.

#include <set>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include "functions/nat44.hpp"

namespace nfvcert::functions {

/// The state cannot be read or written; what() says which part and why.
struct StateFormatError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class StateCodec {
public:
    /// `native` is the format written when none is asked for.
    StateCodec(std::set<int> imports, std::set<int> exports, int native)
        : imports_{std::move(imports)}, exports_{std::move(exports)}, native_{native} {}

    [[nodiscard]] int native() const { return native_; }
    [[nodiscard]] nlohmann::json encode(const StateSnapshot& state, int format) const;
    [[nodiscard]] StateSnapshot decode(const nlohmann::json& state) const;

private:
    std::set<int> imports_;
    std::set<int> exports_;
    int native_;
};

}  // namespace nfvcert::functions
