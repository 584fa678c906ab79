#pragma once
// The table of a hardware switch: ranges over the flow id and exceptions for single flows, strictly limited.
//
// What is looked up is compiled apart, so that a change takes effect between two packets, whole.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

#include "switch/identity.hpp"

namespace nfvcert::switching {

using PortIndex = std::uint8_t;
inline constexpr PortIndex no_port = 0xff;

struct IdRange {
    std::uint16_t low = 0;
    std::uint16_t high = 0;  // included
};

/// One entry: a range (of the ids that it matches, the range with the highest priority decides) or an exception.
struct Rule {
    std::string name;
    std::string owner;
    PortIndex port = no_port;
    std::int32_t priority = 0;
    std::optional<IdRange> range;
    std::optional<FlowKey> flow;
};

/// A change that the table does not take; `code` is table-full, unknown-rule, duplicate-rule or overlap.
struct RuleRefusal : std::runtime_error {
    RuleRefusal(std::string code_, const std::string& text, std::string rule_ = {})
        : std::runtime_error{text}, code{std::move(code_)}, rule{std::move(rule_)} {}
    std::string code;
    std::string rule;
};

/// What the packet way looks at.
class CompiledRules {
public:
    explicit CompiledRules(const std::map<std::string, Rule>& rules, Identity identity);

    [[nodiscard]] PortIndex port_of(const FlowKey& key, std::uint16_t id) const {
        if ((excepted_[id / 64U] >> (id % 64U) & 1U) != 0) {
            for (auto at = hash_of(key) & mask_; exceptions_[at].port != no_port; at = (at + 1) & mask_) {
                if (exceptions_[at].key == key) {
                    return exceptions_[at].port;
                }
            }
        }
        return by_id_[id];
    }
    void prefetch(std::uint16_t id) const { __builtin_prefetch(&by_id_[id]); }

private:
    struct Exception {
        FlowKey key;
        PortIndex port = no_port;
    };

    std::array<PortIndex, id_count> by_id_;
    std::array<std::uint64_t, id_count / 64> excepted_{};  // ids with an exception
    std::vector<Exception> exceptions_;
    std::uint64_t mask_;
};

/// What a switch does with changes; a seeded defect overrides one decision.
struct RulePolicy {
    virtual ~RulePolicy() = default;
    /// Whether there is room for one more rule.
    [[nodiscard]] virtual bool has_room(std::size_t used, std::size_t capacity) const { return used < capacity; }
    /// Which rule goes to make room when there is none; none: the change is refused.
    [[nodiscard]] virtual std::optional<std::string> evicted(const std::map<std::string, Rule>&) const { return {}; }
    /// Whether a rule that was accepted gets into the table.
    [[nodiscard]] virtual bool installs(const Rule&, std::size_t, std::size_t) const { return true; }
    /// The ids that a range covers.
    [[nodiscard]] virtual IdRange covered(const IdRange& range) const { return range; }
};

/// The rules. Whoever has to be able to take a change back makes it to a copy.
class RuleTable {
public:
    RuleTable(std::size_t capacity, Identity identity, const RulePolicy& policy)
        : capacity_{capacity}, identity_{identity}, policy_{&policy} {}

    /// Throw RuleRefusal; the table is as it was then.
    void remove(const std::string& name);
    void add(Rule rule);
    /// All of it or nothing, removals first.
    void change(const std::vector<std::string>& removed, const std::vector<Rule>& added);

    [[nodiscard]] std::unique_ptr<CompiledRules> compile() const;
    [[nodiscard]] const std::map<std::string, Rule>& rules() const { return rules_; }
    [[nodiscard]] std::size_t used() const { return rules_.size(); }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

private:
    [[nodiscard]] const Rule* overlapping(const Rule& rule) const;

    std::size_t capacity_;
    Identity identity_;
    const RulePolicy* policy_;
    std::map<std::string, Rule> rules_;
    std::map<std::pair<std::int32_t, std::uint16_t>, std::pair<std::uint16_t, std::string>> ranges_;  // (priority, low)
    std::unordered_set<FlowKey, FlowKeyHash> flows_;  // that have an exception
};

}  // namespace nfvcert::switching
