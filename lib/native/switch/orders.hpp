#pragma once
// Flows and ranges in orders: [source, destination, source port, destination port, protocol] and [low, high].

#include <nlohmann/json.hpp>

#include "switch/identity.hpp"
#include "switch/rule_table.hpp"

namespace nfvcert::switching {

/// Throw dpdk::Refusal "bad-order".
FlowKey key_from_json(const nlohmann::json& raw);
IdRange range_of(const nlohmann::json& raw);
nlohmann::json key_to_json(const FlowKey& key);

}  // namespace nfvcert::switching
