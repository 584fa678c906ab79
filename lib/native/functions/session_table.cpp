#include "functions/session_table.hpp"

namespace nfvcert::functions {

Session* SessionTable::find_outbound(Protocol protocol, const Endpoint& inside, const Endpoint& remote) {
    const auto found = outbound_.find({protocol, inside, remote});
    return found == outbound_.end() ? nullptr : &*found->second;
}

Session* SessionTable::find_inbound(Protocol protocol, const Endpoint& external, const Endpoint& remote) {
    const auto found = inbound_.find({protocol, external, remote});
    return found == inbound_.end() ? nullptr : &*found->second;
}

const Endpoint* SessionTable::mapping_of(Protocol protocol, const Endpoint& inside) const {
    const auto found = mappings_.find({protocol, inside});
    return found == mappings_.end() ? nullptr : &found->second.external;
}

bool SessionTable::external_in_use(Protocol protocol, const Endpoint& external) const {
    return externals_.contains({protocol, external});
}

Session* SessionTable::insert(const Session& session) {
    const FlowKey outbound{session.protocol, session.inside, session.remote};
    const FlowKey inbound{session.protocol, session.external, session.remote};
    if (outbound_.contains(outbound) || inbound_.contains(inbound)) {
        return nullptr;
    }
    const auto mapping = mappings_.find({session.protocol, session.inside});
    const auto external = externals_.find({session.protocol, session.external});
    const bool mapping_known = mapping != mappings_.end();
    const bool external_known = external != externals_.end();
    if (mapping_known != external_known || (mapping_known && mapping->second.external != session.external) ||
        (external_known && external->second != session.inside)) {
        return nullptr;
    }
    if (mapping_known) {
        ++mapping->second.sessions;
    } else {
        mappings_[{session.protocol, session.inside}] = {session.external, 1};
        externals_[{session.protocol, session.external}] = session.inside;
    }
    sessions_.push_back(session);
    const auto place = std::prev(sessions_.end());
    outbound_.emplace(outbound, place);
    inbound_.emplace(inbound, place);
    ++sessions_of_user_[session.inside.address];
    return &*place;
}

bool SessionTable::erase(const Session& session) {
    const auto outbound = outbound_.find({session.protocol, session.inside, session.remote});
    const auto place = outbound->second;
    outbound_.erase(outbound);
    inbound_.erase({session.protocol, session.external, session.remote});
    const auto user = sessions_of_user_.find(session.inside.address);
    if (--user->second == 0) {
        sessions_of_user_.erase(user);
    }
    const auto mapping = mappings_.find({session.protocol, session.inside});
    const bool mapping_ended = --mapping->second.sessions == 0;
    if (mapping_ended) {
        externals_.erase({session.protocol, mapping->second.external});
        mappings_.erase(mapping);
    }
    sessions_.erase(place);
    return mapping_ended;
}

}  // namespace nfvcert::functions
