#pragma once
// What the hardware switch decides, and the program with these decisions.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "switch/identity.hpp"
#include "switch/rule_table.hpp"

namespace nfvcert::switching {

/// Decisions of the hardware switch; a seeded defect overrides one.
struct HardwareSwitchPolicy : RulePolicy {
    [[nodiscard]] virtual std::optional<FlowKey> key(const std::uint8_t* frame, std::size_t length, Identity identity) const {
        return key_of(frame, length, identity);
    }
    [[nodiscard]] virtual std::uint16_t id(const FlowKey& key, Identity identity) const { return flow_id(key, identity); }
};

/// The program nfvcert-switch; answers its exit status.
int hardware_switch_main(int argc, char** argv, const HardwareSwitchPolicy& policy = {});

}  // namespace nfvcert::switching
