#include "generator/ledger.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

namespace nfvcert::generator {

namespace {

/// Sets the flag at `index`; the value it had before.
bool test_and_set(std::vector<bool>& flags, std::size_t index) {
    if (index >= flags.size()) {
        flags.resize(index + 1);
    }
    const bool before = flags[index];
    flags[index] = true;
    return before;
}

nlohmann::json by_dscp(const std::map<int, std::uint64_t>& counts) {
    auto object = nlohmann::json::object();
    for (const auto& [dscp, count] : counts) {
        object[std::to_string(dscp)] = count;
    }
    return object;
}

/// Nothing of the flow arrived between two times.
void note_gap(Flow& flow, std::uint64_t from, std::uint64_t to) {
    if (to > from && to - from > flow.longest_gap) {
        flow.longest_gap = to - from;
        flow.longest_gap_at = to;
    }
}

double microseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1000.0; }

}  // namespace

Interval& Ledger::at(std::uint64_t now) {
    const auto index = now <= start_ ? 0 : static_cast<std::size_t>((now - start_) / interval_ns);
    if (index >= intervals_.size()) {
        intervals_.resize(index + 1);
    }
    return intervals_[index];
}

void Ledger::sent(Flow& flow, std::uint64_t now) {
    auto& interval = at(now);
    ++interval.sent;
    ++totals_.sent;
    if (flow.sent == 0) {
        flow.first_tx = now;
        ++interval.new_flows;
        flow.continues = test_and_set(users_seen_, flow.user);
        interval.new_users += flow.continues ? 0 : 1;
    }
    flow.last_tx = now;
    ++flow.sent;
}

void Ledger::not_sent(Flow& flow, std::uint64_t now, std::uint64_t before) {
    auto& interval = at(now);
    --interval.sent;
    --totals_.sent;
    --flow.sent;
    flow.last_tx = before;
    if (flow.sent == 0) {
        flow.first_tx = 0;
        --interval.new_flows;
        const bool returning = flow.continues;
        interval.new_users -= returning ? 0 : 1;
        users_seen_[flow.user] = returning;
    }
}

bool Ledger::received(std::vector<Flow>& flows, const Received& packet, std::uint64_t now, std::uint32_t return_every) {
    if (packet.mark.flow >= flows.size() || packet.mark.sequence >= flows[packet.mark.flow].sent ||
        packet.mark.sent < start_ || packet.mark.sent > flows[packet.mark.flow].last_tx) {
        ++totals_.foreign;
        return false;
    }
    if (!packet.intact) {
        ++totals_.bad_checksums;
        return false;
    }
    auto& flow = flows[packet.mark.flow];
    auto& interval = at(packet.mark.sent);
    if (test_and_set(flow.seen, packet.mark.sequence)) {
        ++flow.duplicates;
        ++totals_.duplicates;
        ++interval.duplicates;
        return false;
    }
    ++flow.received;
    ++totals_.received;
    ++interval.received;
    if (interval.reported) {
        ++late_[static_cast<std::size_t>((packet.mark.sent - start_) / interval_ns)];
    }
    if (flow.received > 1 && packet.mark.sequence < flow.highest) {
        ++flow.reordered;
        ++totals_.reordered;
        ++interval.reordered;
    }
    flow.highest = std::max(flow.highest, packet.mark.sequence);
    const auto latency = now > packet.mark.sent ? now - packet.mark.sent : 0;
    flow.highest_latency = std::max(flow.highest_latency, latency);
    latency_.add(latency);
    if (!interval.reported) {
        interval.latency.add(latency);
    }
    if (flow.first_rx == 0) {
        note_gap(flow, flow.first_tx, now);
        flow.first_rx = now;
        flow.first_dscp = packet.dscp;
        flow.translated = packet.source;
        if (!test_and_set(users_answered_, flow.user)) {
            ++at(flow.first_tx).new_users_by_dscp[packet.dscp];
        }
    } else {
        note_gap(flow, flow.last_rx, now);
        flow.dscp_changes += flow.last_dscp != packet.dscp ? 1 : 0;
        flow.translated_changes += flow.translated != packet.source ? 1 : 0;
        flow.translated = packet.source;
    }
    flow.last_rx = now;
    flow.last_dscp = packet.dscp;
    ++at(now).arrived_by_dscp[packet.dscp];
    return return_every != 0 && packet.mark.sequence % return_every == 0;
}

void Ledger::sent_back(Flow& flow) {
    ++flow.return_sent;
    ++totals_.return_sent;
}

void Ledger::returned(std::vector<Flow>& flows, const Received& packet) {
    if (packet.mark.flow >= flows.size() || !packet.intact) {
        ++(packet.intact ? totals_.foreign : totals_.bad_checksums);
        return;
    }
    auto& flow = flows[packet.mark.flow];
    if (packet.destination != flow.source || packet.mark.sequence >= flow.sent || packet.mark.sent < start_) {
        ++totals_.foreign;
    } else if (!test_and_set(flow.seen_back, packet.mark.sequence)) {
        ++flow.return_received;
        ++totals_.return_received;
    }
}

nlohmann::json Ledger::late_json() const {
    auto list = nlohmann::json::array();
    for (const auto& [index, count] : late_) {
        list.push_back({start_ + index * interval_ns, count});
    }
    return list;
}

nlohmann::json Ledger::report(std::size_t index) {
    auto& interval = intervals_.at(index);
    const auto latency = std::exchange(interval.latency, {});
    interval.reported = true;
    const auto begin = start_ + index * interval_ns;
    return {{"event", "interval"},
            {"t0", begin},
            {"t1", begin + interval_ns},
            {"tx", interval.sent},
            {"rx", interval.received},
            {"lost", interval.sent - interval.received},
            {"dup", interval.duplicates},
            {"reordered", interval.reordered},
            {"by_dscp", by_dscp(interval.arrived_by_dscp)},
            {"new_users", interval.new_users},
            {"new_flows", interval.new_flows},
            {"new_users_by_dscp", by_dscp(interval.new_users_by_dscp)},
            {"lat_us",
             {{"p50", microseconds(latency.percentile(0.5))},
              {"p99", microseconds(latency.percentile(0.99))},
              {"max", microseconds(latency.highest())}}}};
}

bool write_flows(const std::string& path, std::vector<Flow>& flows) {
    std::ofstream out(path);
    out << "flow_id,user,src,sport,dst,dport,first_tx_ns,last_tx_ns,sent,received,duplicates,reordered,max_gap_ns,"
           "max_gap_at_ns,first_rx_ns,last_rx_ns,first_dscp,last_dscp,dscp_changes,ext_ip,ext_port,ext_changes,"
           "return_sent,return_received,lat_max_us\n";
    for (auto& flow : flows) {
        if (flow.sent == 0) {
            continue;
        }
        // What was sent last and never arrived is a gap, too.
        note_gap(flow, flow.last_rx == 0 ? flow.first_tx : flow.last_rx, flow.last_tx);
        const auto user = flow.source.address.text() + (flow.round == 0 ? "" : "#" + std::to_string(flow.round));
        out << flow.id << ',' << user << ',' << flow.source.address.text() << ','
            << flow.source.port << ',' << flow.destination.address.text() << ',' << flow.destination.port << ','
            << flow.first_tx << ',' << flow.last_tx << ',' << flow.sent << ',' << flow.received << ','
            << flow.duplicates << ',' << flow.reordered << ',' << flow.longest_gap << ',' << flow.longest_gap_at << ','
            << flow.first_rx << ',' << flow.last_rx << ',' << flow.first_dscp << ',' << flow.last_dscp << ','
            << flow.dscp_changes << ',' << flow.translated.address.text() << ',' << flow.translated.port << ','
            << flow.translated_changes << ',' << flow.return_sent << ',' << flow.return_received << ','
            << static_cast<double>(flow.highest_latency) / 1000.0 << '\n';
    }
    out.flush();
    return out.good();
}

}  // namespace nfvcert::generator
