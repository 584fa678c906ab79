#pragma once
// Reading the orders of the control socket that name flows, and state as text.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "functions/common/flow_selector.hpp"

namespace nfvcert::vnf {

/// "flows": [[source u32, destination u32, source port, destination port, protocol], ..] (six members: an id leads), or
/// "ranges": [[first, last], ..] with "identity" (default five-tuple), or "all": true. Throws std::invalid_argument.
nf::FlowSelector selector_of(const nlohmann::json& order);

/// [source, destination, source port, destination port, protocol, packets, bytes, first_ns, last_ns]
nlohmann::json json_of(const nf::FlowCounters& flow);

/// What "state" of the order holds in base64. Throws std::invalid_argument when it is none.
std::vector<std::uint8_t> state_of(const nlohmann::json& order);

}  // namespace nfvcert::vnf
