// Moving flows of the monitor between instances, and listing them.
//
// Record: source u32 u16 | destination u32 u16 | protocol u8 | packets u64 | octets u64 | age of the first packet ns u64 |
// age of the last packet ns u64.

#include <algorithm>

#include "functions/monitor/traffic_monitor.hpp"

namespace nfvcert::nf {

std::size_t TrafficMonitor::export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                                         StateWriter& out) {
    return export_records(
        records_, selector, range, freeze, out, [&](const Record& record) { return expired(record, now_ns); },
        [&](const Record& record) {
            out.u32(record.key.source);
            out.u16(record.key.source_port);
            out.u32(record.key.destination);
            out.u16(record.key.destination_port);
            out.u8(record.key.protocol);
            out.u64(record.volume.packets);
            out.u64(record.volume.bytes);
            out.u64(age(now_ns, record.first_ns));
            out.u64(age(now_ns, record.last_ns));
        });
}

bool TrafficMonitor::import_record(StateReader& reader, std::uint64_t now_ns) {
    Record given;
    given.key.source = reader.u32();
    given.key.source_port = reader.u16();
    given.key.destination = reader.u32();
    given.key.destination_port = reader.u16();
    given.key.protocol = reader.u8();
    given.volume.packets = reader.u64();
    given.volume.bytes = reader.u64();
    given.first_ns = age(now_ns, reader.u64());
    given.last_ns = age(now_ns, reader.u64());
    given.adopted = true;
    const auto hash = hash_of(given.key);
    if (const auto number = find(given.key, hash); number != no_record) {
        auto& here = records_[number];
        if (here.frozen) {  // a move back
            taken_over_.packets += given.volume.packets - std::min(given.volume.packets, here.volume.packets);
            taken_over_.bytes += given.volume.bytes - std::min(given.volume.bytes, here.volume.bytes);
            here.volume = given.volume;
            here.last_ns = given.last_ns;
            here.frozen = false;
            return true;
        }
        return here.adopted && here.volume.packets >= given.volume.packets;  // the same move once more
    }
    if (records_.full()) {
        return false;
    }
    taken_over_.add(given.volume);
    add(given, hash, now_ns);
    return true;
}

std::size_t TrafficMonitor::release_slice(const FlowSelector& selector, SlotRange range) {
    return for_frozen(records_, selector, range,
                      [&](std::uint32_t number, const Record&) { remove(number, given_away_); });
}

std::size_t TrafficMonitor::resume_slice(const FlowSelector& selector, SlotRange range) {
    return resume_records(records_, selector, range);
}

void TrafficMonitor::list_slice(SlotRange range, std::uint64_t, std::vector<FlowCounters>& out) const {
    for_living(records_, range, [&](std::uint32_t, const Record& record) {
        // also one that is due to end, so that no packet is missing at any instant
        out.push_back({record.key, record.volume.packets, record.volume.bytes, record.first_ns, record.last_ns, record.frozen});
    });
}

}  // namespace nfvcert::nf
