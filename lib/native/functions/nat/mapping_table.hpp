#pragma once
// Which external endpoint an inside endpoint has, whatever it talks to (RFC 4787 REQ-1, endpoint-independent mapping).

#include <cstdint>

#include "functions/common/record_table.hpp"
#include "functions/nat/port_pool.hpp"

namespace nfvcert::nf {

struct Mapping {
    std::uint32_t inside = 0;
    ExternalEndpoint external;
    std::uint32_t sessions = 0;
    std::uint16_t inside_port = 0;
    std::uint8_t protocol = 0;
    bool fixed = false;  // configured; stays without sessions
};

class MappingTable {
public:
    explicit MappingTable(std::size_t most) : records_{most, 2} {}

    [[nodiscard]] Mapping* of_inside(std::uint8_t protocol, std::uint32_t inside, std::uint16_t port);
    [[nodiscard]] Mapping* of_external(std::uint8_t protocol, const ExternalEndpoint& external);
    /// nullptr when the table is full or one of the endpoints has a mapping.
    Mapping* add(const Mapping& mapping);
    void remove(const Mapping& mapping);
    [[nodiscard]] std::size_t size() const { return records_.size(); }

private:
    [[nodiscard]] std::uint32_t find(bool outside, std::uint8_t protocol, std::uint32_t address, std::uint16_t port) const;

    RecordTable<Mapping> records_;
};

}  // namespace nfvcert::nf
