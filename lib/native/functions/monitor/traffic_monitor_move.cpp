// Moving flows of the monitor between instances, and listing them.
//
// Record: source u32 u16 | destination u32 u16 | protocol u8 | packets u64 | octets u64 | age of the first packet ns u64 |
// age of the last packet ns u64.

#include <algorithm>

#include "functions/monitor/traffic_monitor.hpp"

namespace nfvcert::nf {
namespace {

std::uint64_t age(std::uint64_t now_ns, std::uint64_t then_ns) { return now_ns > then_ns ? now_ns - then_ns : 0; }

}  // namespace

std::size_t TrafficMonitor::export_slice(const FlowSelector& selector, SlotRange range, std::uint64_t now_ns, bool freeze,
                                         StateWriter& out) {
    std::size_t count = 0;
    for (auto i = range.begin; i < std::min(range.end, records_.size()); ++i) {
        auto& record = records_[i];
        if (!record.used || expired(record, now_ns) || !selector.matches(record.flow)) {
            continue;
        }
        record.frozen = record.frozen || freeze;
        out.u32(record.flow.source);
        out.u16(record.flow.source_port);
        out.u32(record.flow.destination);
        out.u16(record.flow.destination_port);
        out.u8(record.flow.protocol);
        out.u64(record.volume.packets);
        out.u64(record.volume.bytes);
        out.u64(age(now_ns, record.first_ns));
        out.u64(age(now_ns, record.last_ns));
        out.end_record();
        ++count;
    }
    return count;
}

bool TrafficMonitor::import_record(StateReader& reader, std::uint64_t now_ns) {
    Record given;
    given.flow.source = reader.u32();
    given.flow.source_port = reader.u16();
    given.flow.destination = reader.u32();
    given.flow.destination_port = reader.u16();
    given.flow.protocol = reader.u8();
    given.volume.packets = reader.u64();
    given.volume.bytes = reader.u64();
    given.first_ns = age(now_ns, reader.u64());
    given.last_ns = age(now_ns, reader.u64());
    given.adopted = true;
    const auto hash = hash_of(given.flow);
    if (const auto number = find(given.flow, hash); number != no_record) {
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
    if (free_.empty()) {
        return false;
    }
    taken_over_.add(given.volume);
    add(given, hash, now_ns);
    return true;
}

std::size_t TrafficMonitor::release_slice(const FlowSelector& selector, SlotRange range) {
    std::size_t count = 0;
    for (auto i = range.begin; i < std::min(range.end, records_.size()); ++i) {
        const auto& record = records_[i];
        if (record.used && record.frozen && selector.matches(record.flow)) {
            remove(static_cast<std::uint32_t>(i), given_away_);
            ++count;
        }
    }
    return count;
}

std::size_t TrafficMonitor::resume_slice(const FlowSelector& selector, SlotRange range) {
    std::size_t count = 0;
    for (auto i = range.begin; i < std::min(range.end, records_.size()); ++i) {
        auto& record = records_[i];
        if (record.used && record.frozen && selector.matches(record.flow)) {
            record.frozen = false;
            ++count;
        }
    }
    return count;
}

void TrafficMonitor::list_slice(SlotRange range, std::uint64_t, std::vector<FlowCounters>& out) const {
    for (auto i = range.begin; i < std::min(range.end, records_.size()); ++i) {
        const auto& record = records_[i];
        if (record.used) {  // also one that is due to end, so that no packet is missing at any instant
            out.push_back({record.flow, record.volume.packets, record.volume.bytes, record.first_ns, record.last_ns, record.frozen});
        }
    }
}

}  // namespace nfvcert::nf
