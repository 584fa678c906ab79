#include "functions/wan/wan_optimiser.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "functions/common/parameters.hpp"

namespace nfvcert::nf {

using namespace wan;

WanConfig WanConfig::read(const nlohmann::json& object) {
    Parameters parameters{"wan-optimiser", object};
    WanConfig config;
    const auto role = parameters.text("role", "encoder");
    if (role != "encoder" && role != "decoder" && role != "both") {
        parameters.fail("role", "encoder, decoder or both");
    }
    config.encodes = role != "decoder";
    config.decodes = role != "encoder";
    config.near = parameters.networks("near");
    if (role == "both" && config.near.empty()) {
        parameters.fail("near", "given when role is both");
    }
    config.cache_packets = parameters.number("cache_packets", config.cache_packets, 1, 1U << 20U);
    config.table_bits = static_cast<unsigned>(parameters.number("table_bits", config.table_bits, 4, 24));
    config.generation = static_cast<std::uint32_t>(parameters.number("generation", 0, 0, UINT32_MAX));
    config.ports = parameters.arms();
    parameters.finish();
    return config;
}

WanOptimiser::WanOptimiser(const WanConfig& config)
    : NetworkFunction{config.ports}, config_{config}, generation_{config.generation} {
    if (config_.encodes) {
        sent_.emplace(config_.cache_packets);
        table_.emplace(config_.table_bits);
    }
    if (config_.decodes) {
        received_.emplace(config_.cache_packets);
    }
}

bool WanOptimiser::is_near(std::uint32_t address) const {
    return std::ranges::any_of(config_.near, [&](const auto& network) { return network.contains({address}); });
}

void WanOptimiser::process(std::span<PacketRef> burst, std::uint64_t, std::uint64_t random, Emission& out) {
    count_in(burst.size());
    if (generation_ == 0) {
        generation_ = static_cast<std::uint32_t>(packet::mix64(random)) | 1U;
    }
    for (auto& packet : burst) {
        const auto result = handle(packet);
        if (result.drop != DropReason::none) {
            drop(packet, result.drop, out);
        } else if (result.way == Way::back) {
            send_back(packet, out);
        } else {
            forward(packet, out);
        }
    }
}

WanOptimiser::Result WanOptimiser::handle(PacketRef& packet) {
    const auto view = view_header(packet);
    if (view.kind == FrameKind::faulty) {
        return {};  // not ours to judge; it passes as it came
    }
    const bool fragment = (read16(view.ip + 6) & 0x3fff) != 0;
    const bool carrier = view.protocol == carrier_protocol && !fragment;
    const bool request = carrier && view.payload_length() >= shim_length && *view.payload() == kind_request;
    const bool onto_wan = config_.near.empty() ? !request : is_near(view.source);
    if (config_.encodes && onto_wan) {
        return fragment ? Result{} : encode(packet, view);
    }
    if (carrier) {
        const auto kind = view.payload_length() >= shim_length ? *view.payload() : std::uint8_t{0};
        if (kind == kind_request && config_.encodes) {
            return answer(packet, view);
        }
        if (config_.decodes) {
            return kind == kind_encoded ? decode(packet, view) : Result{DropReason::undecodable};
        }
    }
    if (config_.decodes && is_kept(view, fragment)) {
        learn(view);
    }
    return {};
}

void WanOptimiser::learn(const FrameView& view) {
    const std::span<const std::uint8_t> content{view.payload(), view.payload_length()};
    received_->keep(content_id(content), content);
}

void WanOptimiser::add_statistics(nlohmann::json& statistics) const {
    statistics["generation"] = generation_;
    statistics["encoded"] = counters_.encoded;
    statistics["decoded"] = counters_.decoded;
    statistics["requested"] = counters_.requested;
    statistics["answered"] = counters_.answered;
    statistics["forgotten"] = counters_.forgotten;
    statistics["content_bytes"] = counters_.content_bytes;
    statistics["encoded_bytes"] = counters_.encoded_bytes;
    statistics["kept"] = (sent_ ? sent_->size() : 0) + (received_ ? received_->size() : 0);
}

}  // namespace nfvcert::nf
