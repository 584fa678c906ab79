#pragma once
// A network function as a pure function of packets, state, time and random numbers: no I/O, no clock, no sockets, so that
// the polling runtime, the event loop, tests, fuzzers and replay run the same code and get the same result.

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "functions/common/flow_selector.hpp"
#include "functions/common/state_block.hpp"
#include "functions/drop_reason.hpp"

namespace nfvcert::nf {

/// One Ethernet frame (without check sequence) in a buffer of the caller's. Who holds the PacketRef holds the buffer.
struct PacketRef {
    std::uint8_t* data = nullptr;
    std::uint16_t length = 0;
    std::uint16_t capacity = 0;  // octets from `data` that may be written
    std::uint16_t port = 0;      // came in by; in `forwarded`: to leave by
    void* handle = nullptr;      // the caller's, carried along
};

/// What became of packets. Filled by a function, emptied by its caller, reused so that nothing is allocated on the way.
struct Emission {
    std::vector<PacketRef> forwarded;
    std::vector<std::pair<PacketRef, DropReason>> dropped;

    void clear() {
        forwarded.clear();
        dropped.clear();
    }
};

/// Parameters that a function cannot work with; what() names the parameter, what was found and what is known.
struct ParameterError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

struct ImportReport {
    std::size_t flows = 0;      // taken over
    std::size_t conflicts = 0;  // refused: tuple, mapping or port used otherwise, or table full
};

/// State lives in numbered slots, so that the state of many flows can be handled a slice at a time between two bursts.
struct SlotRange {
    std::size_t begin = 0;
    std::size_t end = 0;
};

class NetworkFunction {
public:
    virtual ~NetworkFunction() = default;
    NetworkFunction(const NetworkFunction&) = delete;
    NetworkFunction& operator=(const NetworkFunction&) = delete;

    /// Takes the packets of `burst`; each comes out once, by `out` of this call or of a later one. `now_ns` never goes
    /// back; `random` is used where the function throws dice, so that the same arguments give the same result.
    virtual void process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) = 0;
    /// Timers and queued packets; to be called often (each polling round, or every few milliseconds). A call does a
    /// bounded amount of work.
    virtual void advance(std::uint64_t /*now_ns*/, Emission& /*out*/) {}
    /// Gives all packets back that are held inside, undecided, as forwarded.
    virtual void flush(Emission& /*out*/) {}

    [[nodiscard]] virtual std::string_view name() const = 0;
    /// Living flows (or mappings); 0 for functions without state of flows.
    [[nodiscard]] virtual std::size_t flows() const { return 0; }
    /// {packets, forwarded, dropped: {reason: n}, flows, and what the function adds}; cheap enough for between two bursts.
    [[nodiscard]] nlohmann::json statistics() const;
    /// Changes what may change while packets pass, all of it or nothing. Throws ParameterError.
    virtual void configure(const nlohmann::json& change);

    /// Slots that may hold state of flows; 0 for functions without such state.
    [[nodiscard]] virtual std::size_t slots() const { return 0; }
    /// Appends the state of the selected flows in `range` to `out`, and freezes these flows here when `freeze`: their
    /// packets are dropped as `state_exported` until release or resume, so that the copy given away stays the true one.
    virtual std::size_t export_slice(const FlowSelector&, SlotRange, std::uint64_t /*now_ns*/, bool /*freeze*/,
                                     StateWriter&) {
        return 0;
    }
    /// Takes over one record. False when it is in conflict with what is here. Throws StateError for senseless content.
    virtual bool import_record(StateReader& record, std::uint64_t now_ns);
    /// Forgets the selected frozen flows, whose state another instance has acknowledged.
    virtual std::size_t release_slice(const FlowSelector&, SlotRange) { return 0; }
    /// Thaws the selected frozen flows: the move has been given up.
    virtual std::size_t resume_slice(const FlowSelector&, SlotRange) { return 0; }
    /// Flow of each record that is alive in `range`, with its counters.
    virtual void list_slice(SlotRange, std::uint64_t /*now_ns*/, std::vector<FlowCounters>&) const {}

    // The same over all slots at once.
    [[nodiscard]] std::vector<std::uint8_t> export_state(const FlowSelector& selector, std::uint64_t now_ns);
    ImportReport import_state(std::span<const std::uint8_t> state, std::uint64_t now_ns);
    std::size_t release_state(const FlowSelector& selector) { return release_slice(selector, {0, slots()}); }
    std::size_t resume_state(const FlowSelector& selector) { return resume_slice(selector, {0, slots()}); }
    [[nodiscard]] std::vector<FlowCounters> list_flows(std::uint64_t now_ns) const;

    /// Marks blocks of state, so that none is read by another function.
    [[nodiscard]] virtual std::uint8_t state_code() const { return 0; }

    [[nodiscard]] std::uint64_t packets() const { return packets_; }
    [[nodiscard]] std::uint64_t forwarded() const { return forwarded_; }
    [[nodiscard]] std::uint64_t dropped(DropReason reason) const { return dropped_[static_cast<std::size_t>(reason)]; }

protected:
    /// `ports`: 1 (packets leave where they came in) or 2 (they leave by the other one).
    explicit NetworkFunction(unsigned ports) : two_armed_{ports == 2} {}

    virtual void add_statistics(nlohmann::json& /*statistics*/) const {}

    void count_in(std::size_t packets) { packets_ += packets; }
    void forward(PacketRef packet, Emission& out) {
        packet.port = two_armed_ ? static_cast<std::uint16_t>(packet.port ^ 1U) : packet.port;
        send_back(packet, out);
    }
    /// Out by the port that the packet came in by.
    void send_back(const PacketRef& packet, Emission& out) {
        ++forwarded_;
        out.forwarded.push_back(packet);
    }
    void drop(const PacketRef& packet, DropReason reason, Emission& out) {
        ++dropped_[static_cast<std::size_t>(reason)];
        out.dropped.emplace_back(packet, reason);
    }
    /// Forwards, or drops for a `reason` other than none.
    void settle(const PacketRef& packet, DropReason reason, Emission& out) {
        if (reason == DropReason::none) {
            forward(packet, out);
        } else {
            drop(packet, reason, out);
        }
    }

private:
    bool two_armed_;
    std::uint64_t packets_ = 0;
    std::uint64_t forwarded_ = 0;
    std::array<std::uint64_t, drop_reason_count> dropped_{};
};

/// name: "nat" | "basic-nat" | "wan-optimiser" | "monitor" | "qos" | "load-balancer". Throws ParameterError.
std::unique_ptr<NetworkFunction> make_function(std::string_view name, const nlohmann::json& parameters);

/// The names that make_function() knows.
std::span<const std::string_view> function_names();

}  // namespace nfvcert::nf
