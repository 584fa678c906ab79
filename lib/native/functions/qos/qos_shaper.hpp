#pragma once
// Shapes traffic by class of service: the class is read from the DSCP, each class has a token bucket and a queue, the link may
// have a bucket of its own. Classes are served in the order of the configuration (strict priority); order within a class is
// kept. Queues drop early (RED, Floyd and Jacobson 1993) and at their end. Packets wait inside until advance() lets them go.
//
// A frame that is no IPv4 goes to the default class. There is no state of flows.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "functions/common/frame_view.hpp"
#include "functions/network_function.hpp"
#include "functions/qos/token_bucket.hpp"

namespace nfvcert::nf {

/// Keys of a class: name, dscp [values; none: the default class], rate_bps, burst_bytes, queue_packets, red_min, red_max
/// (packets of average queue; red_max 0: no early drop), red_probability (at red_max).
struct ClassConfig {
    std::string name;
    std::vector<std::uint8_t> dscp;
    std::uint64_t rate_bps = 0;
    std::uint64_t burst_bytes = 15'180;
    std::size_t queue_packets = 256;
    std::size_t red_min = 0;
    std::size_t red_max = 0;
    double red_probability = 0.1;
};

/// Keys: classes, link_rate_bps (0: not limited), link_burst_bytes, overhead_bytes (counted for each frame beside its own
/// octets: 24 for check sequence, preamble and gap), ports. Without classes everything passes in one of 10 Gbit/s.
struct ShaperConfig {
    std::vector<ClassConfig> classes;
    std::uint64_t link_rate_bps = 0;
    std::uint64_t link_burst_bytes = 15'180;
    std::uint64_t overhead_bytes = 0;
    unsigned ports = 1;

    static ShaperConfig read(const nlohmann::json& parameters);
};

class QosShaper final : public NetworkFunction {
public:
    explicit QosShaper(const ShaperConfig& config);

    [[nodiscard]] std::string_view name() const override { return "qos"; }
    void process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) override;
    void advance(std::uint64_t now_ns, Emission& out) override;
    void flush(Emission& out) override;

    [[nodiscard]] std::size_t queued() const { return queued_; }

private:
    struct Class {
        explicit Class(const ClassConfig& given);

        ClassConfig config;
        TokenBucket bucket;
        std::vector<PacketRef> queue;  // ring
        std::size_t head = 0;
        std::size_t count = 0;
        std::uint64_t average = 0;     // of the queue's length, weight 1/16, in units of 1/65536 packet
        std::uint64_t passed = 0;
        std::uint64_t passed_bytes = 0;
        std::uint64_t dropped = 0;
    };

    [[nodiscard]] std::size_t class_of(const PacketRef& packet) const;
    void accept(Class& chosen, const PacketRef& packet, std::uint64_t dice, Emission& out);
    [[nodiscard]] static bool drops_early(const Class& chosen, std::uint64_t dice);
    [[nodiscard]] bool may_go(const Class& chosen, std::uint64_t bytes) const;
    void go(Class& chosen, const PacketRef& packet, Emission& out);
    void serve(Emission& out);
    void add_statistics(nlohmann::json& statistics) const override;

    ShaperConfig config_;
    std::vector<Class> classes_;
    std::optional<TokenBucket> link_;
    std::array<std::uint8_t, 64> class_of_dscp_{};
    std::size_t default_class_ = 0;
    std::size_t queued_ = 0;
};

}  // namespace nfvcert::nf
