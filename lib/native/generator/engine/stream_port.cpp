#include "generator/engine/stream_port.hpp"

#include <rte_mbuf.h>

#include <algorithm>
#include <functional>

#include "dpdk/port.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::uint64_t never = ~std::uint64_t{0};
constexpr std::uint64_t grace_ns = 50'000'000;  // for what is due at the end and not sent yet
constexpr unsigned bursts_at_once = 4;

}  // namespace

Profile::Profile(std::vector<std::unique_ptr<Stream>> streams) : streams_{std::move(streams)} {
    std::vector<const StreamPlan*> plans;
    for (const auto& stream : streams_) {
        plans.push_back(&stream->plan);
    }
    peak_rate_ = engine::peak_rate(plans);
    for (const auto& stream : streams_) {
        if (stream->plan.next) {
            const auto found = std::find_if(streams_.begin(), streams_.end(),
                                            [&](const auto& other) { return other->plan.id == *stream->plan.next; });
            stream->next = found == streams_.end() ? nullptr : found->get();
        }
    }
}

void Profile::push(Stream& stream) {
    turns_.emplace_back(stream.schedule.wake(), &stream);
    std::push_heap(turns_.begin(), turns_.end(), std::greater<>{});
}

void Profile::gather_turns() {
    turns_.clear();
    for (const auto& stream : streams_) {
        if (stream->schedule.running() && !stream->paused) {
            push(*stream);
        }
    }
}

void Profile::begin_stream(Stream& stream, double at) {
    stream.schedule.start(at);
    stream.schedule.set_multiplier(multiplier_ * stream.multiplier, at);
    stream.paused = stream.plan.start_paused;
    if (stream.paused) {
        stream.schedule.pause(at);
    } else {
        push(stream);
    }
}

void Profile::start(double multiplier, double duration_s, std::uint64_t now_ns) {
    epoch_ns_ = now_ns;
    last_ns_ = now_ns;
    stop_ns_ = duration_s < 0 ? never : now_ns + static_cast<std::uint64_t>(duration_s * 1e9);
    multiplier_ = multiplier;
    sent_ = 0;
    active_ = 0;
    running_ = true;
    turns_.clear();
    for (const auto& stream : streams_) {
        stream->schedule = StreamSchedule{stream->plan};
        stream->plan.program.restart();
        stream->multiplier = 1;
        stream->changed = 0;
        stream->sent = 0;
        if (stream->plan.self_start) {
            ++active_;
            begin_stream(*stream, 0);
        }
    }
}

void Profile::stop() {
    running_ = false;
    turns_.clear();
    for (const auto& stream : streams_) {
        stream->schedule.stop();
        if (stream->pool) {
            stream->pool->give_back();
        }
        stream->changed = 0;
    }
}

bool Profile::chosen(const Stream& stream, const std::vector<std::int64_t>& ids) {
    return ids.empty() || std::find(ids.begin(), ids.end(), stream.plan.id) != ids.end();
}

bool Profile::knows(std::int64_t id) const {
    return std::any_of(streams_.begin(), streams_.end(), [&](const auto& stream) { return stream->plan.id == id; });
}

void Profile::set_multiplier(double multiplier, std::uint64_t now_ns) {
    multiplier_ = multiplier;
    set_multiplier_of({}, 0, now_ns);
}

void Profile::set_multiplier_of(const std::vector<std::int64_t>& ids, double multiplier, std::uint64_t now_ns) {
    for (const auto& stream : streams_) {
        if (chosen(*stream, ids)) {
            stream->multiplier = ids.empty() ? stream->multiplier : multiplier;
            stream->schedule.set_multiplier(multiplier_ * stream->multiplier, relative(now_ns));
        }
    }
    gather_turns();
}

void Profile::pause(const std::vector<std::int64_t>& ids, std::uint64_t now_ns) {
    for (const auto& stream : streams_) {
        if (chosen(*stream, ids) && !stream->paused && stream->schedule.running()) {
            stream->paused = true;
            stream->schedule.pause(relative(now_ns));
        }
    }
    gather_turns();
}

void Profile::resume(const std::vector<std::int64_t>& ids, std::uint64_t now_ns) {
    for (const auto& stream : streams_) {
        if (chosen(*stream, ids) && stream->paused) {
            stream->paused = false;
            stream->schedule.resume(relative(now_ns));
        }
    }
    gather_turns();
}

bool Profile::uses(const Group& group) const {
    return std::any_of(streams_.begin(), streams_.end(), [&](const auto& stream) { return stream->group == &group; });
}

std::uint64_t Profile::given_up() const {
    std::uint64_t sum = 0;
    for (const auto& stream : streams_) {
        sum += stream->plan.dummy ? 0 : stream->schedule.given_up();
    }
    return sum;
}

bool Profile::poll(Output& output, std::uint64_t now_ns, unsigned& handled) {
    if (now_ns >= stop_ns_) {
        return finish(output, now_ns, handled);
    }
    const auto now = relative(now_ns);
    for (unsigned i = 0; i < bursts_at_once && !turns_.empty() && turns_.front().first <= now; ++i) {
        auto& stream = *turns_.front().second;
        std::pop_heap(turns_.begin(), turns_.end(), std::greater<>{});
        turns_.pop_back();
        const auto before = sent_;
        const auto wanted = stream.schedule.due(now);
        const auto all = wanted == 0 || send(stream, wanted, output, now_ns);
        handled += static_cast<unsigned>(sent_ - before);
        if (stream.schedule.running()) {
            push(stream);
        }
        if (!all) {
            break;
        }
    }
    if (active_ == 0) {
        stop();
        return true;
    }
    return false;
}

bool Profile::finish(Output& output, std::uint64_t now_ns, unsigned& handled) {
    // what was due until the end is still sent, for a short while
    const auto end = relative(stop_ns_);
    if (now_ns < stop_ns_ + grace_ns) {
        for (const auto& stream : streams_) {
            while (!stream->paused && stream->schedule.owed(end) != 0) {
                const auto wanted = static_cast<unsigned>(std::min<std::uint64_t>(stream->schedule.owed(end), Pacer::largest_burst));
                const auto before = sent_;
                const auto all = send(*stream, wanted, output, now_ns);
                handled += static_cast<unsigned>(sent_ - before);
                if (!all) {
                    return false;
                }
            }
        }
    }
    stop();
    return true;
}

void Profile::count(Stream& stream, unsigned packets) {
    if (!stream.schedule.sent(packets)) {
        return;
    }
    // the stream has ended: the one behind starts, or there is one less
    auto* next = stream.next;
    if (next != nullptr && !next->schedule.running() && stream.schedule.may_go_on()) {
        begin_stream(*next, stream.schedule.ended_at());
    } else {
        --active_;
    }
}

bool Profile::send(Stream& stream, unsigned wanted, Output& output, std::uint64_t now_ns) {
    if (stream.plan.dummy) {
        count(stream, wanted);
        return true;
    }
    std::array<rte_mbuf*, Pacer::largest_burst> copies;       // NOLINT: filled below
    std::array<std::uint16_t, Pacer::largest_burst> lengths;  // NOLINT: filled below
    auto** packets = copies.data();
    auto number = wanted;
    auto& program = stream.plan.program;
    const auto length = static_cast<std::uint16_t>(stream.plan.packet.size());
    if (stream.pool) {
        number = stream.pool->prepare(wanted);
        packets = stream.pool->stash();
    } else if (rte_pktmbuf_alloc_bulk(output.buffers, packets, wanted) == 0) {
        stream.changed = 0;
        for (unsigned i = 0; i < wanted; ++i) {
            std::memcpy(rte_pktmbuf_mtod(packets[i], void*), stream.plan.packet.data(), length);
            packets[i]->data_len = length;
            packets[i]->pkt_len = length;
        }
    } else {
        number = 0;
    }
    if (number == 0) {
        ++output.no_buffers;
        return false;
    }
    if (!program.empty()) {
        for (; stream.changed < number; ++stream.changed) {
            auto* packet = packets[stream.changed];
            const auto octets = program.run(rte_pktmbuf_mtod(packet, std::uint8_t*));
            packet->data_len = octets;
            packet->pkt_len = octets;
        }
    }
    auto* group = stream.group;
    const auto stamped = group != nullptr && group->kind == GroupKind::latency;
    for (unsigned i = 0; i < number; ++i) {
        lengths[i] = program.trims() ? packets[i]->data_len : length;
        if (stamped) {
            Groups::write_trailer(*group, rte_pktmbuf_mtod(packets[i], std::uint8_t*), lengths[i], group->next_sequence + i, now_ns);
        }
    }
    const auto sent = output.port.tx(packets, static_cast<std::uint16_t>(number));
    if (stream.pool) {
        stream.pool->gone(sent);
        stream.changed -= std::min<unsigned>(stream.changed, sent);
    } else if (sent < number) {
        rte_pktmbuf_free_bulk(packets + sent, number - sent);
    }
    if (group != nullptr) {
        auto& counted = group->sent[output.index];
        counted.packets += sent;
        for (unsigned i = 0; i < sent; ++i) {
            counted.octets += lengths[i];
        }
        group->next_sequence += sent;
    }
    output.refused += number - sent;
    sent_ += sent;
    stream.sent += sent;
    last_ns_ = sent > 0 ? now_ns : last_ns_;
    count(stream, sent);
    return sent == wanted;
}

}  // namespace nfvcert::engine
