#pragma once
// Flows as the switches see them, the 16-bit id that groups them, and sets of flows.

#include <compare>
#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace nfvcert::nf {

/// The five-tuple of a packet; host byte order. Ports of ICMP echo: identifier and 0.
struct FlowKey {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 0;

    auto operator<=>(const FlowKey&) const = default;
};

struct FlowKeyHash {
    std::size_t operator()(const FlowKey& key) const noexcept;
};

struct FlowCounters {
    FlowKey flow;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    bool frozen = false;
};

/// Castagnoli's CRC (initial value and final exclusive or all ones).
std::uint32_t crc32c(const std::uint8_t* octets, std::size_t count, std::uint32_t crc = 0);

/// What of a packet gives the id of its flow.
enum class Identity : std::uint8_t { five_tuple, addresses, source_port };

/// "five-tuple", "addresses" or "source-port"; throws std::invalid_argument naming them.
Identity identity_of(std::string_view name);

/// Id of the flow in 0..65535: source port, or crc32c over the fields in network order, folded: (crc ^ crc >> 16) & 0xffff.
std::uint16_t flow_id(const FlowKey& flow, Identity identity);

struct IdRange {
    std::uint16_t first = 0;
    std::uint16_t last = 0;  // inclusive
};

/// All flows, listed ones, or those whose ids lie in ranges.
class FlowSelector {
public:
    static FlowSelector all() { return FlowSelector{}; }
    static FlowSelector listed(const std::vector<FlowKey>& flows);
    static FlowSelector ranges(const std::vector<IdRange>& ranges, Identity identity);

    [[nodiscard]] bool matches(const FlowKey& flow) const;

private:
    enum class Kind : std::uint8_t { all, listed, ranges };
    Kind kind_ = Kind::all;
    Identity identity_ = Identity::five_tuple;
    std::unordered_set<FlowKey, FlowKeyHash> flows_;
    std::vector<bool> ids_;
};

}  // namespace nfvcert::nf
