#pragma once
// What a trial of the flow mode tells: an event for each stretch of time, a summary, a row for each flow.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "generator/engine/flow_session.hpp"

namespace nfvcert::engine {

/// {"event": "interval", ...} of one stretch.
nlohmann::json interval_event(const Tally& tally);

/// Sum over all flows; `total` over all stretches. The session is closed.
nlohmann::json flow_summary(FlowSession& session, const Tally& total, std::uint64_t receiver_drops);

/// CSV with a header line, one row for each flow, sent and received packets of all of them. The session is closed. Throws
/// Refusal "file" when it cannot be written.
void write_flows(FlowSession& session, const std::string& path);

}  // namespace nfvcert::engine
