// The decoder's side of the WAN optimiser.

#include <algorithm>

#include "functions/wan/wan_optimiser.hpp"
#include "packet/crc32c.hpp"

namespace nfvcert::nf {

using namespace wan;

std::optional<std::size_t> WanOptimiser::resolve(std::span<const std::uint8_t> tokens, std::size_t wanted, bool& damaged) {
    std::size_t made = 0;
    damaged = true;
    bool missing = false;
    while (!tokens.empty()) {
        if (tokens.size() < literal_length) {
            return 0;
        }
        const auto word = read16(tokens.data());
        const std::size_t length = word & (reference_bit - 1U);
        if (length == 0 || made + length > wanted) {
            return 0;
        }
        if ((word & reference_bit) == 0) {
            if (tokens.size() < literal_length + length) {
                return 0;
            }
            std::memcpy(work_.data() + made, tokens.data() + literal_length, length);
            tokens = tokens.subspan(literal_length + length);
        } else {
            if (tokens.size() < reference_length) {
                return 0;
            }
            const auto id = (static_cast<std::uint64_t>(read32(tokens.data() + 2)) << 32) | read32(tokens.data() + 6);
            const std::size_t offset = read16(tokens.data() + 10);
            const auto slot = received_->find(id);
            if (slot == no_record) {
                missing = true;
            } else {
                const auto content = received_->content(slot);
                if (offset + length > content.size()) {
                    return 0;
                }
                std::memcpy(work_.data() + made, content.data() + offset, length);
            }
            tokens = tokens.subspan(reference_length);
        }
        made += length;
    }
    damaged = made != wanted;
    return missing ? std::nullopt : std::optional{made};
}

WanOptimiser::Result WanOptimiser::decode(PacketRef& packet, const FrameView& view) {
    const auto shim = Shim::load(view.payload());
    if (shim.length > PacketCache::longest) {
        return {DropReason::undecodable};
    }
    if (peer_generation_ && *peer_generation_ != shim.generation) {
        received_->forget();
        ++counters_.forgotten;
    }
    peer_generation_ = shim.generation;
    bool damaged = false;
    const std::span<const std::uint8_t> tokens{view.payload() + shim_length,
                                               static_cast<std::size_t>(view.payload_length() - shim_length)};
    const auto made = resolve(tokens, shim.length, damaged);
    if (damaged) {
        return {DropReason::undecodable};
    }
    const std::span<const std::uint8_t> content{work_.data(), shim.length};
    if (!made || content_id(content) != shim.id || packet::crc32c(content.data(), content.size()) != shim.sum) {
        return shim.protocol == carrier_protocol ? Result{DropReason::undecodable} : ask(packet, view, shim);
    }
    const auto total = static_cast<std::size_t>(view.header_length) + shim.length;
    if (packet::ethernet_header_length + total > packet.capacity) {
        return {DropReason::no_room};
    }
    std::memcpy(view.payload(), content.data(), content.size());
    change_header(view.ip, shim.protocol, static_cast<std::uint16_t>(total));
    packet.length = static_cast<std::uint16_t>(packet::ethernet_header_length + total);
    if (shim.protocol != carrier_protocol && content.size() >= shortest_content) {
        received_->keep(shim.id, content);
    }
    ++counters_.decoded;
    return {};
}

WanOptimiser::Result WanOptimiser::ask(PacketRef& packet, const FrameView& view, const Shim& shim) {
    constexpr std::size_t own_header = 20;
    constexpr std::uint8_t own_ttl = 64;
    const auto total = own_header + shim_length + view.header_length;
    if (packet::ethernet_header_length + total > packet.capacity) {
        return {DropReason::no_room};
    }
    std::memmove(view.ip + own_header + shim_length, view.ip, view.header_length);
    auto request = shim;
    request.kind = kind_request;
    request.store(view.ip + own_header);
    std::memset(view.ip, 0, own_header);
    view.ip[0] = 0x45;
    view.ip[8] = own_ttl;
    view.ip[9] = carrier_protocol;
    write16(view.ip + 2, static_cast<std::uint16_t>(total));
    write32(view.ip + 12, view.destination);
    write32(view.ip + 16, view.source);
    write16(view.ip + 10, packet::checksum({view.ip, own_header}));
    std::swap_ranges(packet.data, packet.data + 6, packet.data + 6);
    packet.length = static_cast<std::uint16_t>(packet::ethernet_header_length + total);
    ++counters_.requested;
    return {DropReason::none, Way::back};
}

}  // namespace nfvcert::nf
