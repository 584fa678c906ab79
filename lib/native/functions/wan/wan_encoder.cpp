// The encoder's side of the WAN optimiser.

#include <algorithm>

#include "functions/wan/wan_optimiser.hpp"
#include "packet/crc32c.hpp"

namespace nfvcert::nf {

using namespace wan;

namespace {

using Octets = std::span<const std::uint8_t>;

struct Match {
    std::size_t begin = 0;   // in the content that is encoded
    std::size_t length = 0;
    std::size_t offset = 0;  // in the kept content
};

/// The longest common run around a position where both agree for a window; it begins at `from` or later.
Match extend(Octets content, std::size_t at, std::size_t from, Octets kept, std::size_t kept_at) {
    std::size_t back = 0;
    while (at - back > from && kept_at > back && content[at - back - 1] == kept[kept_at - back - 1]) {
        ++back;
    }
    auto end = at + fingerprint_window;
    auto kept_end = kept_at + fingerprint_window;
    while (end < content.size() && kept_end < kept.size() && content[end] == kept[kept_end]) {
        ++end;
        ++kept_end;
    }
    return {at - back, end - (at - back), kept_at - back};
}

}  // namespace

std::size_t WanOptimiser::tokenise(Octets content, const Fingerprints& fingerprints) {
    std::size_t written = 0;
    std::size_t done = 0;
    const auto literal = [&](std::size_t end) {
        if (end > done) {
            write16(work_.data() + written, static_cast<std::uint16_t>(end - done));
            std::memcpy(work_.data() + written + literal_length, content.data() + done, end - done);
            written += literal_length + (end - done);
        }
    };
    for (const auto& fingerprint : fingerprints) {
        if (fingerprint.offset < done) {
            continue;
        }
        const auto* const place = table_->find(fingerprint.value);
        if (place == nullptr) {
            continue;
        }
        const auto kept = sent_->content(place->slot);
        const bool fits = place->offset + fingerprint_window <= kept.size() &&
                          std::memcmp(kept.data() + place->offset, content.data() + fingerprint.offset, fingerprint_window) == 0;
        if (!fits) {
            continue;  // another content has taken the place of the one that was meant
        }
        const auto match = extend(content, fingerprint.offset, done, kept, place->offset);
        literal(match.begin);
        const auto id = sent_->id(place->slot);
        auto* const at = work_.data() + written;
        write16(at, static_cast<std::uint16_t>(reference_bit | match.length));
        write32(at + 2, static_cast<std::uint32_t>(id >> 32));
        write32(at + 6, static_cast<std::uint32_t>(id));
        write16(at + 10, static_cast<std::uint16_t>(match.offset));
        written += reference_length;
        done = match.begin + match.length;
    }
    if (done == 0) {
        return 0;
    }
    literal(content.size());
    return written + shim_length + least_gain <= content.size() ? written : 0;
}

void WanOptimiser::remember(ContentId id, Octets content, const Fingerprints& fingerprints) {
    const auto slot = sent_->keep(id, content);
    for (const auto& fingerprint : fingerprints) {
        table_->put(fingerprint, slot);
    }
}

WanOptimiser::Result WanOptimiser::encode(PacketRef& packet, const FrameView& view) {
    const Octets content{view.payload(), view.payload_length()};
    const bool carrier = view.protocol == carrier_protocol;
    if (!carrier && !is_kept(view, false)) {
        return {};
    }
    const Shim shim{kind_encoded, view.protocol, view.payload_length(), generation_, content_id(content),
                    packet::crc32c(content.data(), content.size())};
    std::size_t length = 0;
    if (carrier) {  // would be taken for an encoding at the other end: wrapped as a literal
        length = content.empty() ? 0 : literal_length + content.size();
        const auto total = view.header_length + shim_length + length;
        if (total > longest_packet || packet::ethernet_header_length + total > packet.capacity) {
            return {DropReason::no_room};
        }
        if (length != 0) {
            write16(work_.data(), static_cast<std::uint16_t>(content.size()));
            std::memcpy(work_.data() + literal_length, content.data(), content.size());
        }
    } else {
        const Fingerprints fingerprints{content};
        length = tokenise(content, fingerprints);
        remember(shim.id, content, fingerprints);
        counters_.content_bytes += content.size();
        counters_.encoded_bytes += length == 0 ? content.size() : shim_length + length;
        if (length == 0) {
            return {};
        }
        ++counters_.encoded;
    }
    shim.store(view.payload());
    std::memcpy(view.payload() + shim_length, work_.data(), length);
    const auto total = static_cast<std::uint16_t>(view.header_length + shim_length + length);
    change_header(view.ip, carrier_protocol, total);
    packet.length = static_cast<std::uint16_t>(packet::ethernet_header_length + total);
    return {};
}

WanOptimiser::Result WanOptimiser::answer(PacketRef& packet, const FrameView& view) {
    const auto shim = Shim::load(view.payload());
    if (shim.generation != generation_) {
        return {DropReason::stale_generation};
    }
    auto* const quoted = view.payload() + shim_length;
    const auto room = static_cast<std::size_t>(view.payload_length() - shim_length);
    const auto header_length = room < 20 ? std::size_t{0} : static_cast<std::size_t>(quoted[0] & 0x0f) * 4;
    if (header_length < 20 || quoted[0] >> 4 != 4 || header_length > room || read32(quoted + 12) != view.destination ||
        read32(quoted + 16) != view.source) {
        return {DropReason::undecodable};
    }
    const auto slot = sent_->find(shim.id);
    if (slot == no_record || sent_->content(slot).size() != shim.length) {
        return {DropReason::reference_lost};
    }
    const auto content = sent_->content(slot);
    const auto total = header_length + content.size();
    if (packet::ethernet_header_length + total > packet.capacity) {
        return {DropReason::no_room};
    }
    std::memmove(view.ip, quoted, header_length);
    std::memcpy(view.ip + header_length, content.data(), content.size());
    write16(view.ip + 2, static_cast<std::uint16_t>(total));
    view.ip[9] = shim.protocol;
    write16(view.ip + 10, 0);
    write16(view.ip + 10, packet::checksum({view.ip, header_length}));
    std::swap_ranges(packet.data, packet.data + 6, packet.data + 6);
    packet.length = static_cast<std::uint16_t>(packet::ethernet_header_length + total);
    ++counters_.answered;
    return {DropReason::none, Way::back};
}

}  // namespace nfvcert::nf
