#include "generator/engine/flow_session.hpp"

#include <rte_mbuf.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "dpdk/port.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::uint64_t never = ~std::uint64_t{0};
constexpr std::uint64_t grace_ns = 50'000'000;  // for what is due at the end and not sent yet
constexpr std::uint64_t given_up_ns = 100'000'000;  // without any packet: those on their way will not come
constexpr std::size_t least_pattern = 1021;  // frames before the pattern of sizes begins anew

std::vector<std::uint8_t> make_pattern(const std::vector<FrameShare>& frames, std::uint64_t seed) {
    std::uint32_t common = 0;
    for (const auto& share : frames) {
        common = std::gcd(common, share.weight);
    }
    std::vector<std::uint8_t> pattern;
    while (pattern.size() < least_pattern) {
        for (std::size_t shape = 0; shape < frames.size(); ++shape) {
            pattern.insert(pattern.end(), frames[shape].weight / common, static_cast<std::uint8_t>(shape));
        }
    }
    Random random{seed};
    for (auto i = pattern.size(); i > 1; --i) {
        std::swap(pattern[i - 1], pattern[random.below(i)]);
    }
    return pattern;
}

}  // namespace

FlowSession::FlowSession(const FlowPlan& plan, TemplatePools& pools)
    : plan_{plan}, population_{plan}, ledger_{plan.most_flows}, pattern_{make_pattern(plan.frames, plan.seed)} {
    for (const auto& share : plan.frames) {
        shapes_.emplace_back(share.frame, plan.addresses, plan.checksum);
        templates_.push_back(pools.take(shapes_.back().octets));
        if (!templates_.back()) {
            throw Refusal{"no-memory", "flow_prepare: no buffers left for frames of " + std::to_string(share.frame) + " octets"};
        }
    }
    for (auto& tally : owned_) {
        tally = std::make_unique<Tally>();
        spare_.put(tally.get());
    }
    open_pages();
}

FlowSession::~FlowSession() = default;

void FlowSession::open_pages() {
    for (; pages_ < population_.born(); ++pages_) {
        ledger_.open(pages_);
    }
}

void FlowSession::begin(std::uint64_t now_ns) {
    progress_.begin_ns = now_ns;
    ledger_.begin(now_ns);
    if (plan_.packets_per_second) {
        pacer_.begin(*plan_.packets_per_second, now_ns);
    } else {
        pacer_.begin_unlimited(now_ns);
    }
    tally_ = *spare_.take();
    tally_->begin_ns = now_ns;
    stretch_end_ns_ = now_ns + plan_.interval_ms * std::uint64_t{1'000'000};
    stop_ns_ = plan_.duration_s ? now_ns + static_cast<std::uint64_t>(*plan_.duration_s * 1e9) : never;
    sending_ = true;
    accounting_ = true;
    next_care();
}

void FlowSession::next_care() {
    care_ns_ = stretch_end_ns_;
    if (sending_) {
        care_ns_ = std::min({care_ns_, stop_ns_, progress_.begin_ns + std::min(population_.next_ns(), never / 2)});
    }
}

void FlowSession::care(std::uint64_t now_ns) {
    if (sending_) {
        population_.advance(now_ns - progress_.begin_ns);
        open_pages();
        if (now_ns >= stop_ns_) {
            finish_sending(stop_ns_);
        }
    }
    if (now_ns >= stretch_end_ns_ && accounting_) {
        if (const auto spare = spare_.take()) {  // else nobody reads: the stretch goes on, nothing is lost
            end_stretch(now_ns, *spare);
        }
    }
    next_care();
}

unsigned FlowSession::send(dpdk::Port& port, std::uint64_t now_ns) {
    if (now_ns >= care_ns_) {
        care(now_ns);
    }
    if (!sending_) {
        return 0;
    }
    if (finishing_ && (pacer_.finished() || now_ns > asked_end_ns_ + grace_ns)) {
        end_sending(now_ns);
        return 0;
    }
    const auto wanted = pacer_.due(now_ns);
    if (wanted == 0 || !has_window(now_ns) || population_.sending().size() == 0) {
        return 0;
    }
    const auto alike = shapes_.size() == 1 && population_.sending().size() >= wanted;
    return alike ? send_alike(port, wanted, now_ns) : send_mixed(port, wanted, now_ns);
}

/// Whether a burst more may be on its way. What a later packet of its flow has overtaken is lost, and so is everything when
/// nothing comes for long; a device that was away for some milliseconds has lost nothing.
bool FlowSession::has_window(std::uint64_t now_ns) {
    if (plan_.most_outstanding == 0) {
        return true;
    }
    const auto settled = progress_.received + ledger_.missing() + written_off_;
    const auto outstanding = progress_.sent > settled ? progress_.sent - settled : 0;
    if (outstanding + Pacer::largest_burst <= plan_.most_outstanding) {
        return true;
    }
    if (now_ns > std::max(last_sent_ns_, progress_.last_arrival_ns) + given_up_ns) {
        written_off_ += outstanding;
    }
    return false;
}

NFVCERT_PROCESSOR_CLONES void FlowSession::write_alike(rte_mbuf** packets, unsigned count, std::uint64_t now_ns) {
    auto& living = population_.sending();
    const auto& shape = shapes_.front();
    const Stamp stamp{now_ns};
    auto place = living.turn();
    for (unsigned i = 0; i < count; ++i) {
        auto& record = living.at(place);
        __builtin_prefetch(&record + Pacer::largest_burst, 1);
        write_packet(rte_pktmbuf_mtod(packets[i], std::uint8_t*), shape, record, record.sequence, stamp);
        if (__builtin_expect(record.sequence == 0, 0)) {
            population_.record(record.flow).first_tx_ns = now_ns;
        }
        ++record.sequence;
        last_before_[i] = std::exchange(record.last_ns, now_ns);
        place = place + 1 == living.size() ? 0 : place + 1;
    }
}

unsigned FlowSession::send_alike(dpdk::Port& port, unsigned wanted, std::uint64_t now_ns) {
    auto& pool = *templates_.front();
    const auto count = pool.prepare(wanted);
    if (count == 0) {
        ++progress_.no_buffers;
        return 0;
    }
    write_alike(pool.stash(), count, now_ns);
    const auto octets = shapes_.front().octets.size();
    const auto sent = port.tx_alike(pool.stash(), static_cast<std::uint16_t>(count), static_cast<std::uint32_t>(octets));
    pool.gone(sent);
    progress_.tx_refused += count - sent;
    progress_.sent_octets += sent * octets;
    if (sent < count) {
        take_back(sent, count);
    }
    advance(sent, now_ns);
    return sent;
}

/// Packets of the burst from `first` on have been written and not been sent.
void FlowSession::take_back(unsigned first, unsigned count) {
    auto& living = population_.sending();
    for (auto i = first; i < count; ++i) {
        auto& record = living.at((living.turn() + i) % living.size());
        record.last_ns = last_before_[i];
        if (--record.sequence == 0) {
            population_.record(record.flow).first_tx_ns = 0;
        }
    }
}

unsigned FlowSession::send_mixed(dpdk::Port& port, unsigned wanted, std::uint64_t now_ns) {
    auto& living = population_.sending();
    std::array<rte_mbuf*, Pacer::largest_burst> packets;     // NOLINT: filled below
    std::array<std::uint8_t, TemplatePools::most> used{};    // of each shape's stash
    const Stamp stamp{now_ns};
    unsigned count = 0;
    auto place = living.turn();
    std::uint32_t laps = 0;
    auto at = pattern_at_;
    for (; count < wanted; ++count) {
        const auto shape = pattern_[at];
        auto& pool = *templates_[shape];
        if (pool.prepare(used[shape] + 1U) <= used[shape]) {
            ++progress_.no_buffers;
            break;
        }
        packets[count] = pool.stash()[used[shape]++];
        const auto& record = living.at(place);
        write_packet(rte_pktmbuf_mtod(packets[count], std::uint8_t*), shapes_[shape], record, record.sequence + laps, stamp);
        at = at + 1 == pattern_.size() ? 0 : at + 1;
        place = place + 1 == living.size() ? 0 : place + 1;
        laps += place == living.turn() ? 1 : 0;
    }
    const auto sent = count == 0 ? std::uint16_t{0} : port.tx(packets.data(), static_cast<std::uint16_t>(count));
    progress_.tx_refused += count - sent;
    used.fill(0);
    for (unsigned i = 0; i < sent; ++i) {
        const auto shape = pattern_[pattern_at_];
        ++used[shape];
        progress_.sent_octets += shapes_[shape].octets.size();
        pattern_at_ = pattern_at_ + 1 == pattern_.size() ? 0 : pattern_at_ + 1;
    }
    for (std::size_t shape = 0; shape < templates_.size(); ++shape) {
        templates_[shape]->gone(used[shape]);
    }
    count_sent(sent, now_ns);
    return sent;
}

void FlowSession::count_sent(unsigned count, std::uint64_t now_ns) {
    auto& living = population_.sending();
    auto place = living.turn();
    for (unsigned i = 0; i < count; ++i) {
        auto& record = living.at(place);
        if (__builtin_expect(record.sequence == 0, 0)) {
            population_.record(record.flow).first_tx_ns = now_ns;
        }
        ++record.sequence;
        record.last_ns = now_ns;
        place = place + 1 == living.size() ? 0 : place + 1;
    }
    advance(count, now_ns);
}

void FlowSession::advance(unsigned count, std::uint64_t now_ns) {
    population_.sending().advance(count);
    pacer_.issued(count);
    progress_.sent += count;
    last_sent_ns_ = count > 0 ? now_ns : last_sent_ns_;
}

void FlowSession::set_rate(double packets_per_second, std::uint64_t now_ns) {
    if (pacer_.unlimited()) {
        const auto issued = pacer_.issued_so_far();
        pacer_.begin(packets_per_second, now_ns);
        pacer_.resume_count(issued);
    } else {
        pacer_.set_rate(packets_per_second, now_ns);
    }
}

void FlowSession::set_new_per_second(double per_second, std::uint64_t now_ns) {
    population_.set_new_per_second(per_second, now_ns - progress_.begin_ns);
    next_care();
}

void FlowSession::add_arrivals(std::uint64_t duration_ns, double per_second, std::uint64_t now_ns) {
    population_.add_arrivals({now_ns - progress_.begin_ns, duration_ns, per_second});
    next_care();
}

void FlowSession::finish_sending(std::uint64_t now_ns) {
    if (sending_ && !finishing_) {
        finishing_ = true;
        asked_end_ns_ = now_ns;
        stop_ns_ = never;
        pacer_.finish(now_ns);
        next_care();
    }
}

void FlowSession::stop_sending(std::uint64_t now_ns) {
    stopped_early_ = stopped_early_ || (sending_ && !finishing_);
    finish_sending(now_ns);
}

void FlowSession::end_sending(std::uint64_t now_ns) {
    sending_ = false;
    progress_.intended = pacer_.intended();
    progress_.given_up = pacer_.given_up();
    // the last packet was due at the asked end at the latest; sending on after it is what stretched the trial
    progress_.end_ns = last_sent_ns_ > asked_end_ns_ ? last_sent_ns_ : asked_end_ns_;
    sending_over_.store(now_ns, std::memory_order_release);
    next_care();
}

}  // namespace nfvcert::engine
