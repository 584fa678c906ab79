#include "functions/nat/mapping_table.hpp"

namespace nfvcert::nf {
namespace {

std::uint64_t hash_of(bool outside, std::uint8_t protocol, std::uint32_t address, std::uint16_t port) {
    return hash_words(address, (static_cast<std::uint64_t>(port) << 16) | (static_cast<std::uint64_t>(protocol) << 1) |
                                   (outside ? 1U : 0U));
}

}  // namespace

MappingTable::MappingTable(std::size_t most) : index_{most * 2}, records_(most), free_(most) {
    for (std::size_t i = 0; i < most; ++i) {
        free_[i] = static_cast<std::uint32_t>(most - 1 - i);
    }
}

std::uint32_t MappingTable::find(bool outside, std::uint8_t protocol, std::uint32_t address, std::uint16_t port) const {
    return index_.find(hash_of(outside, protocol, address, port), [&](std::uint32_t record) {
        const auto& mapping = records_[record];
        return mapping.protocol == protocol &&
               (outside ? mapping.external == ExternalEndpoint{address, port}
                        : mapping.inside == address && mapping.inside_port == port);
    });
}

Mapping* MappingTable::of_inside(std::uint8_t protocol, std::uint32_t inside, std::uint16_t port) {
    const auto record = find(false, protocol, inside, port);
    return record == no_record ? nullptr : &records_[record];
}

Mapping* MappingTable::of_external(std::uint8_t protocol, const ExternalEndpoint& external) {
    const auto record = find(true, protocol, external.address, external.port);
    return record == no_record ? nullptr : &records_[record];
}

Mapping* MappingTable::add(const Mapping& mapping) {
    if (free_.empty() || of_inside(mapping.protocol, mapping.inside, mapping.inside_port) != nullptr ||
        of_external(mapping.protocol, mapping.external) != nullptr) {
        return nullptr;
    }
    const auto record = free_.back();
    free_.pop_back();
    records_[record] = mapping;
    index_.insert(hash_of(false, mapping.protocol, mapping.inside, mapping.inside_port), record);
    index_.insert(hash_of(true, mapping.protocol, mapping.external.address, mapping.external.port), record);
    return &records_[record];
}

void MappingTable::remove(const Mapping& mapping) {
    const auto record = static_cast<std::uint32_t>(&mapping - records_.data());
    index_.erase(hash_of(false, mapping.protocol, mapping.inside, mapping.inside_port), record);
    index_.erase(hash_of(true, mapping.protocol, mapping.external.address, mapping.external.port), record);
    free_.push_back(record);
}

}  // namespace nfvcert::nf
