#pragma once
// The five-tuples of flows: all different as long as the address space lasts, in an order that looks random.

#include <array>
#include <cstdint>

namespace nfvcert::engine {

struct AddressSpace {
    std::uint32_t source = 0xc6120001;       // 198.18.0.1, RFC 2544 benchmarking addresses
    std::uint32_t sources = 4096;
    std::uint32_t destination = 0xc6130001;  // 198.19.0.1
    std::uint32_t destinations = 64;
    std::uint16_t source_port = 1024;
    std::uint32_t source_ports = 64512;
    std::uint16_t destination_port = 5001;
    std::uint32_t destination_ports = 1;
    std::uint64_t source_mac = 0x024e46000000;
    std::uint64_t destination_mac = 0x024e46020001;

    /// Different five-tuples that can be made; at most 2^62 (the ranges are checked where they are read).
    [[nodiscard]] std::uint64_t size() const {
        return std::uint64_t{sources} * destinations * source_ports * destination_ports;
    }
};

struct Tuple {
    std::uint32_t source;
    std::uint32_t destination;
    std::uint16_t source_port;
    std::uint16_t destination_port;
};

class Tuples {
public:
    Tuples(const AddressSpace& space, std::uint64_t seed);
    /// The tuple of the n-th flow; the same only for numbers that differ by a multiple of the space's size.
    [[nodiscard]] Tuple of(std::uint64_t number) const;

private:
    [[nodiscard]] std::uint64_t permute(std::uint64_t value) const;

    AddressSpace space_;
    std::array<std::uint64_t, 4> keys_;
    unsigned half_bits_ = 1;
};

}  // namespace nfvcert::engine
