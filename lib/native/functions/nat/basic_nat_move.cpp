// Moving mappings of the basic translator between instances.
//
// Record: protocol u8 | inside u32 u16 | external u32 u16 | first remote u32 u16 | idle ns u64 | packets outbound, inbound
// u64 u64 | octets outbound, inbound u64 u64.

#include <algorithm>

#include "functions/nat/basic_nat.hpp"

namespace nfvcert::nf {
namespace {

constexpr std::size_t most_adopted_addresses = 256;

}  // namespace

std::size_t BasicNat::export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                                   StateWriter& out) {
    std::size_t count = 0;
    for (auto i = range.begin; i < std::min(range.end, records_.size()); ++i) {
        auto& record = records_[i];
        if (record.protocol == 0 || expired(record, now_ns) || !selector.matches(record.flow())) {
            continue;
        }
        record.frozen = record.frozen || freeze;
        out.u8(record.protocol);
        out.u32(record.inside);
        out.u16(record.inside_port);
        out.u32(record.external);
        out.u16(record.external_port);
        out.u32(record.first_remote);
        out.u16(record.first_remote_port);
        out.u64(now_ns > record.last_ns ? now_ns - record.last_ns : 0);
        for (const auto counter : {record.packets[0], record.packets[1], record.bytes[0], record.bytes[1]}) {
            out.u64(counter);
        }
        out.end_record();
        ++count;
    }
    return count;
}

bool BasicNat::import_record(StateReader& reader, std::uint64_t now_ns) {
    Record given;
    given.protocol = reader.u8();
    given.inside = reader.u32();
    given.inside_port = reader.u16();
    given.external = reader.u32();
    given.external_port = reader.u16();
    given.first_remote = reader.u32();
    given.first_remote_port = reader.u16();
    const auto idle = reader.u64();
    for (auto* const counter : {&given.packets[0], &given.packets[1], &given.bytes[0], &given.bytes[1]}) {
        *counter = reader.u64();
    }
    given.last_ns = now_ns > idle ? now_ns - idle : 0;
    const bool known_protocol = given.protocol == protocol::tcp || given.protocol == protocol::udp || given.protocol == protocol::icmp;
    if (!known_protocol || !is_unicast(given.inside) || !is_unicast(given.external)) {
        throw StateError("state: a mapping with a protocol or address that cannot be");
    }
    const auto by_inside = find(true, given.protocol, given.inside, given.inside_port,
                                hash_of(true, given.protocol, given.inside, given.inside_port));
    const auto by_external = find(false, given.protocol, given.external, given.external_port,
                                  hash_of(false, given.protocol, given.external, given.external_port));
    if (by_inside != by_external) {
        return false;
    }
    if (by_inside != no_record) {  // the same move once more, or a move back: the longer history is the true one
        auto& here = records_[by_inside];
        if (here.packets[0] + here.packets[1] <= given.packets[0] + given.packets[1]) {
            here = given;
        }
        return true;
    }
    const bool foreign = !is_external(given.external);
    if (free_.empty() || (foreign && adopted_.size() >= most_adopted_addresses) ||
        !ports_.reserve(given.protocol, {given.external, given.external_port})) {
        return false;
    }
    if (foreign) {
        adopted_.push_back(given.external);
    }
    add(given, now_ns);
    return true;
}

std::size_t BasicNat::release_slice(const FlowSelector& selector, SlotRange range) {
    std::size_t count = 0;
    for (auto i = range.begin; i < std::min(range.end, records_.size()); ++i) {
        const auto& record = records_[i];
        if (record.protocol != 0 && record.frozen && selector.matches(record.flow())) {
            close(static_cast<std::uint32_t>(i), record.last_ns, true);
            ++count;
        }
    }
    return count;
}

std::size_t BasicNat::resume_slice(const FlowSelector& selector, SlotRange range) {
    std::size_t count = 0;
    for (auto i = range.begin; i < std::min(range.end, records_.size()); ++i) {
        auto& record = records_[i];
        if (record.protocol != 0 && record.frozen && selector.matches(record.flow())) {
            record.frozen = false;
            ++count;
        }
    }
    return count;
}

void BasicNat::list_slice(SlotRange range, std::uint64_t now_ns, std::vector<FlowCounters>& out) const {
    for (auto i = range.begin; i < std::min(range.end, records_.size()); ++i) {
        const auto& record = records_[i];
        if (record.protocol != 0 && !expired(record, now_ns)) {
            out.push_back({record.flow(), record.packets[0] + record.packets[1], record.bytes[0] + record.bytes[1], 0,
                           record.last_ns, record.frozen});
        }
    }
}

}  // namespace nfvcert::nf
