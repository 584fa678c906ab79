#include "generator/engine/flow_report.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

namespace nfvcert::engine {
namespace {

using nlohmann::json;

constexpr double nanosecond = 1e-9;

json latency_of(const Histogram& histogram, bool detailed) {
    const auto values = histogram.percentiles({0.5, 0.9, 0.99, 0.999, 0.9999});
    json found{{"n", histogram.count()},  {"p50", values[0]}, {"p90", values[1]},
               {"p99", values[2]}, {"max", histogram.greatest()}};
    if (detailed) {
        found["p99.9"] = values[3];
        found["p99.99"] = values[4];
        found["min"] = histogram.least();
        found["mean"] = histogram.mean();
    }
    return found;
}

json instances_of(const Tally& tally) {
    auto instances = json::object();
    for (std::size_t number = 0; number < tally.instances.size(); ++number) {
        const auto& instance = tally.instances[number];
        if (instance.packets != 0) {
            instances[std::to_string(number)] = {{"packets", instance.packets},
                                                 {"bytes", instance.bytes},
                                                 {"detoured", instance.detoured},
                                                 {"late_violations", instance.violations}};
        }
    }
    return instances;
}

json cells_of(const Histogram& histogram) {
    auto cells = json::array();
    for (const auto& [ns, count] : histogram.used()) {
        cells.push_back({ns, count});
    }
    return cells;
}

/// Appends numbers to a line.
class Row {
public:
    explicit Row(std::FILE* file) : file_{file} {}
    Row& add(std::uint64_t value) {
        begin();
        end_ = std::to_chars(end_, line_.data() + line_.size(), value).ptr;
        return *this;
    }
    Row& address(std::uint32_t value) {
        begin();
        for (int shift = 24; shift >= 0; shift -= 8) {
            end_ = std::to_chars(end_, line_.data() + line_.size(), (value >> shift) & 0xff).ptr;
            if (shift != 0) {
                *end_++ = '.';
            }
        }
        return *this;
    }
    void write() {
        *end_++ = '\n';
        std::fwrite(line_.data(), 1, static_cast<std::size_t>(end_ - line_.data()), file_);
        end_ = line_.data();
    }

private:
    void begin() {
        if (end_ != line_.data()) {
            *end_++ = ',';
        }
    }
    std::FILE* file_;
    std::array<char, 1024> line_{};
    char* end_ = line_.data();
};

constexpr const char* header =
    "flow,src,dst,sport,dport,proto,born_ns,ended_ns,first_tx_ns,last_tx_ns,sent,received,lost,duplicates,reordered,"
    "first_instance,owner_packets,other_packets,first_other_ns,last_owner_ns,changes,detoured,last_detoured_ns,longest_gap_ns,"
    "latency_min_ns,latency_mean_ns,latency_max_ns,silence_ms\n";

void add_flow(Row& row, FlowSession& session, std::uint32_t flow) {
    const auto& ledger = session.ledger();
    const auto& hot = ledger.hot(flow);
    const auto& cold = ledger.cold(flow);
    const auto& record = session.population().record(flow);
    const auto begin = session.progress().begin_ns;
    const auto sent = session.population().sent(flow);
    const auto unique = ledger.unique(flow);
    const auto arrived = std::uint64_t{unique} + cold.duplicates + cold.ambiguous;
    constexpr std::uint64_t udp = 17;
    row.add(flow).address(record.tuple.source).address(record.tuple.destination);
    row.add(record.tuple.source_port).add(record.tuple.destination_port).add(udp);
    row.add(begin + record.born_ns).add(record.ended_ns == 0 ? 0 : begin + record.ended_ns);
    row.add(record.first_tx_ns).add(session.population().last_tx_ns(flow));
    row.add(sent).add(unique).add(sent - std::min(unique, sent)).add(cold.duplicates).add(cold.reordered);
    row.add(cold.first_instance).add(arrived - cold.other_packets).add(cold.other_packets).add(cold.first_other_ns);
    row.add(ledger.last_owner_ns(flow)).add(cold.changes).add(cold.detoured).add(cold.last_detoured_ns);
    row.add(std::uint64_t{hot.longest_gap} << Ledger::tick_shift);
    row.add(arrived == 0 ? 0 : hot.latency_least).add(arrived == 0 ? 0 : hot.latency_sum / arrived).add(hot.latency_greatest);
    row.add(record.silence_ms).write();
}

}  // namespace

json interval_event(const Tally& tally) {
    return {{"event", "interval"},
            {"begin_ns", tally.begin_ns},
            {"end_ns", tally.end_ns},
            {"sent", tally.sent},
            {"received", tally.received},
            {"foreign", tally.foreign},
            {"duplicates", tally.duplicates},
            {"reordered", tally.reordered},
            {"detoured", tally.detoured},
            {"living", tally.living},
            {"born", tally.born},
            {"ended", tally.ended},
            {"instances", instances_of(tally)},
            {"latency_ns",
             {{"direct", latency_of(tally.direct, false)}, {"detoured", latency_of(tally.detoured_latency, false)}}},
            {"lost_so_far_estimate", tally.missing}};
}

json flow_summary(FlowSession& session, const Tally& total, std::uint64_t receiver_drops) {
    const auto& progress = session.progress();
    const auto& ledger = session.ledger();
    std::uint64_t lost = 0;
    std::uint64_t violations = 0;
    std::uint64_t flows_lossy = 0;
    std::uint64_t at_others = 0;
    std::uint64_t unique = 0;
    std::uint64_t changes = 0;
    std::uint32_t longest_gap = 0;
    for (std::uint32_t flow = 0; flow < session.population().born(); ++flow) {
        const auto& cold = ledger.cold(flow);
        const auto sent = session.population().sent(flow);
        const auto came = ledger.unique(flow);
        unique += came;
        lost += sent - std::min(came, sent);
        flows_lossy += came < sent ? 1 : 0;
        violations += cold.other_packets != 0 ? 1 : 0;
        at_others += cold.other_packets;
        changes += cold.changes;
        longest_gap = std::max(longest_gap, ledger.hot(flow).longest_gap);
    }
    const auto duration = static_cast<double>(progress.end_ns - progress.begin_ns) * nanosecond;
    const auto& plan = session.plan();
    return {{"begin_ns", progress.begin_ns},
            {"end_ns", progress.end_ns},
            {"intended", progress.intended},
            {"sent", progress.sent},
            {"intended_duration_s", plan.duration_s && !session.stopped_early() ? *plan.duration_s : session.asked_duration_s()},
            {"duration_s", duration},
            {"send_errors", progress.given_up},
            {"tx_refused", progress.tx_refused},
            {"no_buffers", progress.no_buffers},
            {"receiver_drops", receiver_drops},
            {"received", unique},
            {"received_packets", total.received},
            {"lost", lost},
            {"flows_with_loss", flows_lossy},
            {"duplicates", total.duplicates},
            {"reordered", total.reordered},
            {"ambiguous", total.ambiguous},
            {"foreign", session.foreign()},
            {"flows", session.population().born()},
            {"flows_refused", session.population().refused()},
            {"living", session.population().living()},
            {"affinity_violations", violations},
            {"packets_at_other_instances", at_others},
            {"instance_changes", changes},
            {"detoured", total.detoured},
            {"longest_gap_ns", std::uint64_t{longest_gap} << Ledger::tick_shift},
            {"instances", instances_of(total)},
            {"latency_ns", {{"direct", latency_of(total.direct, true)}, {"detoured", latency_of(total.detoured_latency, true)}}},
            {"latency_histogram", {{"direct", cells_of(total.direct)}, {"detoured", cells_of(total.detoured_latency)}}}};
}

void write_flows(FlowSession& session, const std::string& path) {
    const auto failed = [&path] { throw Refusal{"file", "the flows cannot be written to " + path + ": " + std::strerror(errno)}; };
    auto* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) {
        failed();
    }
    std::setvbuf(file, nullptr, _IOFBF, std::size_t{1} << 20);
    std::fputs(header, file);
    Row row{file};
    for (std::uint32_t flow = 0; flow < session.population().born(); ++flow) {
        add_flow(row, session, flow);
    }
    const auto bad = std::ferror(file) != 0;
    if (std::fclose(file) != 0 || bad) {
        failed();
    }
}

}  // namespace nfvcert::engine
