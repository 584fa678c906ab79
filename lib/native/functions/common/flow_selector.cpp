#include "functions/common/flow_selector.hpp"

namespace nfvcert::nf {

FlowSelector FlowSelector::listed(const std::vector<FlowKey>& flows) {
    FlowSelector selector;
    selector.kind_ = Kind::listed;
    selector.flows_.insert(flows.begin(), flows.end());
    return selector;
}

FlowSelector FlowSelector::ranges(const std::vector<IdRange>& ranges, Identity identity) {
    FlowSelector selector;
    selector.kind_ = Kind::ranges;
    selector.identity_ = identity;
    selector.ids_.resize(65536);
    for (const auto& range : ranges) {
        for (std::uint32_t id = range.first; id <= range.last; ++id) {
            selector.ids_[id] = true;
        }
    }
    return selector;
}

bool FlowSelector::matches(const FlowKey& flow) const {
    switch (kind_) {
        case Kind::listed:
            return flows_.contains(flow);
        case Kind::ranges:
            return ids_[flow_id(flow, identity_)];
        case Kind::all:
            break;
    }
    return true;
}

}  // namespace nfvcert::nf
