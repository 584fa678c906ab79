#include "switch/rule_table.hpp"

#include <algorithm>
#include <bit>

namespace nfvcert::switching {

CompiledRules::CompiledRules(const std::map<std::string, Rule>& rules, Identity identity) {
    by_id_.fill(no_port);
    std::vector<const Rule*> ranges;
    std::size_t exceptions = 0;
    for (const auto& [name, rule] : rules) {
        if (rule.range) {
            ranges.push_back(&rule);
        } else {
            ++exceptions;
        }
    }
    std::sort(ranges.begin(), ranges.end(), [](const Rule* a, const Rule* b) { return a->priority < b->priority; });
    for (const auto* rule : ranges) {
        for (std::size_t id = rule->range->low; id <= rule->range->high; ++id) {
            by_id_[id] = rule->port;
        }
    }
    exceptions_.resize(std::bit_ceil(std::max<std::size_t>(exceptions * 4, 64)));
    mask_ = exceptions_.size() - 1;
    for (const auto& [name, rule] : rules) {
        if (rule.flow) {
            const auto id = flow_id(*rule.flow, identity);
            excepted_[id / 64U] |= std::uint64_t{1} << (id % 64U);
            auto at = hash_of(*rule.flow) & mask_;
            while (exceptions_[at].port != no_port) {
                at = (at + 1) & mask_;
            }
            exceptions_[at] = {*rule.flow, rule.port};
        }
    }
}

void RuleTable::remove(const std::string& name) {
    const auto found = rules_.find(name);
    if (found == rules_.end()) {
        throw RuleRefusal{"unknown-rule", "there is no rule '" + name + "'", name};
    }
    if (const auto& range = found->second.range) {
        ranges_.erase({found->second.priority, range->low});
    } else {
        flows_.erase(*found->second.flow);
    }
    rules_.erase(found);
}

void RuleTable::add(Rule rule) {
    if (rules_.contains(rule.name)) {
        throw RuleRefusal{"duplicate-rule", "there is a rule '" + rule.name + "' already", rule.name};
    }
    if (rule.range) {
        rule.range = policy_->covered(*rule.range);
        if (const auto* other = overlapping(rule)) {
            throw RuleRefusal{"overlap", "'" + rule.name + "' overlaps with '" + other->name + "' of the same priority",
                              rule.name};
        }
    } else if (flows_.contains(*rule.flow)) {
        throw RuleRefusal{"overlap", "the flow of '" + rule.name + "' has an exception already", rule.name};
    }
    if (!policy_->has_room(rules_.size(), capacity_)) {
        const auto evicted = policy_->evicted(rules_);
        if (!evicted) {
            throw RuleRefusal{"table-full",
                              "all " + std::to_string(capacity_) + " entries of the table are taken; '" + rule.name +
                                  "' has no place",
                              rule.name};
        }
        remove(*evicted);
    }
    if (!policy_->installs(rule, rules_.size(), capacity_)) {
        return;
    }
    if (rule.range) {
        ranges_[{rule.priority, rule.range->low}] = {rule.range->high, rule.name};
    } else {
        flows_.insert(*rule.flow);
    }
    const auto name = rule.name;
    rules_.emplace(name, std::move(rule));
}

void RuleTable::change(const std::vector<std::string>& removed, const std::vector<Rule>& added) {
    auto changed = *this;
    for (const auto& name : removed) {
        changed.remove(name);
    }
    for (const auto& rule : added) {
        changed.add(rule);
    }
    *this = std::move(changed);
}

std::unique_ptr<CompiledRules> RuleTable::compile() const { return std::make_unique<CompiledRules>(rules_, identity_); }

const Rule* RuleTable::overlapping(const Rule& rule) const {
    // the last range of this priority that begins no later than the new one ends is the only candidate
    auto after = ranges_.upper_bound({rule.priority, rule.range->high});
    if (after == ranges_.begin()) {
        return nullptr;
    }
    --after;
    const auto& [place, range] = *after;
    if (place.first != rule.priority || range.first < rule.range->low) {
        return nullptr;
    }
    return &rules_.at(range.second);
}

}  // namespace nfvcert::switching
