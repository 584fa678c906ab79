#pragma once
// Reading the orders of the control socket that name flows, and state as text.

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "functions/common/flow_selector.hpp"

namespace nfvcert::vnf {

/// "flows": [[source u32, destination u32, source port, destination port, protocol], ..] (six members: an id leads), or
/// "ranges": [[first, last], ..] with "identity" (default five-tuple), or "all": true. Throws std::invalid_argument.
nf::FlowSelector selector_of(const nlohmann::json& order);

/// [source, destination, source port, destination port, protocol, packets, bytes, first_ns, last_ns]
nlohmann::json json_of(const nf::FlowCounters& flow);

std::string base64_of(std::span<const std::uint8_t> octets);
/// Throws std::invalid_argument when `text` is no base64 (RFC 4648, padded).
std::vector<std::uint8_t> octets_of_base64(std::string_view text);

}  // namespace nfvcert::vnf
