#include "functions/nat/mapping_table.hpp"

namespace nfvcert::nf {
namespace {

std::uint64_t hash_of(bool outside, std::uint8_t protocol, std::uint32_t address, std::uint16_t port) {
    return hash_words(address, (static_cast<std::uint64_t>(port) << 16) | (static_cast<std::uint64_t>(protocol) << 1) |
                                   (outside ? 1U : 0U));
}

}  // namespace

std::uint32_t MappingTable::find(bool outside, std::uint8_t protocol, std::uint32_t address, std::uint16_t port) const {
    return records_.find(hash_of(outside, protocol, address, port), [&](const Mapping& mapping) {
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
    if (records_.full() || of_inside(mapping.protocol, mapping.inside, mapping.inside_port) != nullptr ||
        of_external(mapping.protocol, mapping.external) != nullptr) {
        return nullptr;
    }
    const auto record = records_.add(mapping, {hash_of(false, mapping.protocol, mapping.inside, mapping.inside_port),
                                               hash_of(true, mapping.protocol, mapping.external.address, mapping.external.port)});
    return &records_[record];
}

void MappingTable::remove(const Mapping& mapping) {
    records_.remove(records_.number_of(mapping),
                    {hash_of(false, mapping.protocol, mapping.inside, mapping.inside_port),
                     hash_of(true, mapping.protocol, mapping.external.address, mapping.external.port)});
}

}  // namespace nfvcert::nf
