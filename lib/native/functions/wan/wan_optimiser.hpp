#pragma once
// Redundancy elimination on a WAN link (in the manner of Spring and Wetherall 2000): what an encoder sent before is replaced by
// references, the decoder at the other end puts it back. Both keep the contents of the last packets.
//
// Nothing is guessed: a decoder that lacks a referenced content, or whose result has another sum, asks for the packet again and
// gets it whole. The request replaces the encoded packet in its buffer and leaves by the port it came in by. An encoder that
// starts anew has another generation number: the decoder forgets what it kept from the earlier one, and requests about packets
// of the earlier one are refused. Frames other than IPv4, fragments and contents shorter than 64 octets pass unchanged. There is
// no state of flows.

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "functions/network_function.hpp"
#include "functions/wan/fingerprints.hpp"
#include "functions/wan/wan_format.hpp"
#include "packet/address.hpp"

namespace nfvcert::nf {

/// Keys: role (encoder | decoder | both), near (networks behind this side; needed for both: packets from there are encoded,
/// others decoded), cache_packets, table_bits (fingerprints, 2^bits), generation (0: from the first random number), ports.
struct WanConfig {
    bool encodes = true;
    bool decodes = false;
    std::vector<packet::Ipv4Network> near;
    std::size_t cache_packets = 4096;
    unsigned table_bits = 17;
    std::uint32_t generation = 0;
    unsigned ports = 1;

    static WanConfig read(const nlohmann::json& parameters);
};

class WanOptimiser final : public NetworkFunction {
public:
    explicit WanOptimiser(const WanConfig& config);

    [[nodiscard]] std::string_view name() const override { return "wan-optimiser"; }
    void process(std::span<PacketRef> burst, std::uint64_t now_ns, std::uint64_t random, Emission& out) override;

    [[nodiscard]] std::uint32_t generation() const { return generation_; }

private:
    struct Counters {
        std::uint64_t content_bytes = 0;  // before encoding
        std::uint64_t encoded_bytes = 0;
        std::uint64_t encoded = 0;
        std::uint64_t decoded = 0;
        std::uint64_t requested = 0;
        std::uint64_t answered = 0;
        std::uint64_t forgotten = 0;      // times that a decoder met a new generation
    };
    enum class Way : std::uint8_t { onward, back };
    struct Result {
        DropReason drop = DropReason::none;
        Way way = Way::onward;
    };

    Result handle(PacketRef& packet);
    Result encode(PacketRef& packet, const FrameView& view);
    /// Writes tokens for `content` to the work area; answers their length, or 0 when they are not worth it.
    std::size_t tokenise(std::span<const std::uint8_t> content, const Fingerprints& fingerprints);
    void remember(ContentId id, std::span<const std::uint8_t> content, const Fingerprints& fingerprints);
    Result decode(PacketRef& packet, const FrameView& view);
    /// Length of what the tokens make in the work area; nullopt when a content is missing.
    std::optional<std::size_t> resolve(std::span<const std::uint8_t> tokens, std::size_t wanted, bool& damaged);
    Result ask(PacketRef& packet, const FrameView& view, const wan::Shim& shim);
    Result answer(PacketRef& packet, const FrameView& view);
    void learn(const FrameView& view);
    [[nodiscard]] bool is_near(std::uint32_t address) const;
    void add_statistics(nlohmann::json& statistics) const override;

    WanConfig config_;
    std::uint32_t generation_;
    std::optional<std::uint32_t> peer_generation_;
    std::optional<PacketCache> sent_;      // by the encoder
    std::optional<FingerprintTable> table_;
    std::optional<PacketCache> received_;  // by the decoder
    std::array<std::uint8_t, 2 * PacketCache::longest> work_{};
    Counters counters_;
};

}  // namespace nfvcert::nf
