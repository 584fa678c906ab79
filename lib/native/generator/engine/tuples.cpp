#include "generator/engine/tuples.hpp"

#include "generator/engine/random.hpp"

namespace nfvcert::engine {

Tuples::Tuples(const AddressSpace& space, std::uint64_t seed) : space_{space} {
    Random random{seed ^ 0x7475706c6573};
    for (auto& key : keys_) {
        key = random.bits() | 1;
    }
    while (half_bits_ < 31 && (std::uint64_t{1} << (2 * half_bits_)) < space_.size()) {
        ++half_bits_;
    }
}

std::uint64_t Tuples::permute(std::uint64_t value) const {
    // Feistel network; values that fall outside the space go round again
    const auto mask = (std::uint64_t{1} << half_bits_) - 1;
    do {
        auto left = value >> half_bits_;
        auto right = value & mask;
        for (const auto key : keys_) {
            const auto mixed = ((right + key) * (key ^ 0x9e3779b97f4a7c15)) >> 29;
            const auto swapped = left ^ (mixed & mask);
            left = right;
            right = swapped;
        }
        value = (left << half_bits_) | right;
    } while (value >= space_.size());
    return value;
}

Tuple Tuples::of(std::uint64_t number) const {
    auto rest = permute(number % space_.size());
    const auto take = [&rest](std::uint64_t count) {
        const auto value = rest % count;
        rest /= count;
        return value;
    };
    Tuple tuple{};
    tuple.source_port = static_cast<std::uint16_t>(space_.source_port + take(space_.source_ports));
    tuple.source = static_cast<std::uint32_t>(space_.source + take(space_.sources));
    tuple.destination = static_cast<std::uint32_t>(space_.destination + take(space_.destinations));
    tuple.destination_port = static_cast<std::uint16_t>(space_.destination_port + take(space_.destination_ports));
    return tuple;
}

}  // namespace nfvcert::engine
