// Moving mappings of the basic translator between instances.
//
// Record: protocol u8 | inside u32 u16 | external u32 u16 | first remote u32 u16 | idle ns u64 | packets outbound, inbound
// u64 u64 | octets outbound, inbound u64 u64.

#include "functions/nat/basic_nat.hpp"

namespace nfvcert::nf {

std::size_t BasicNat::export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                                   StateWriter& out) {
    return export_records(
        records_, selector, range, freeze, out, [&](const Record& record) { return expired(record, now_ns); },
        [&](const Record& record) {
            out.u8(record.protocol);
            out.u32(record.inside);
            out.u16(record.inside_port);
            out.u32(record.external);
            out.u16(record.external_port);
            out.u32(record.first_remote);
            out.u16(record.first_remote_port);
            record.write(out, now_ns);
        });
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
    given.read(reader, now_ns);
    if (!protocol::has_flows(given.protocol) || !is_unicast(given.inside) || !is_unicast(given.external)) {
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
        if (here.all_packets() <= given.all_packets()) {
            here = given;
        }
        return true;
    }
    if (records_.full() || !ports_.may_adopt(given.external) ||
        !ports_.reserve(given.protocol, {given.external, given.external_port})) {
        return false;
    }
    ports_.adopt(given.external);
    add(given, now_ns);
    return true;
}

std::size_t BasicNat::release_slice(const FlowSelector& selector, SlotRange range) {
    return for_frozen(records_, selector, range,
                      [&](std::uint32_t number, const Record& record) { close(number, record.last_ns, true); });
}

std::size_t BasicNat::resume_slice(const FlowSelector& selector, SlotRange range) {
    return resume_records(records_, selector, range);
}

void BasicNat::list_slice(SlotRange range, std::uint64_t now_ns, std::vector<FlowCounters>& out) const {
    list_records(records_, range, out, [&](const Record& record) { return expired(record, now_ns); });
}

}  // namespace nfvcert::nf
