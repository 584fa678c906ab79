#pragma once
// How a translator picks external ports (RFC 4787 leaves it open). Port spaces of protocols are independent.

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "packet/ipv4.hpp"

namespace nfvcert::functions {

using packet::Ipv4Address;
using packet::Protocol;

struct PortRange {
    std::uint16_t first = 1024;
    std::uint16_t last = 65535;  // inclusive, not below first

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(last) - first + 1U; }
    [[nodiscard]] bool contains(std::uint16_t port) const { return port >= first && port <= last; }
};

class PortAllocator {
public:
    virtual ~PortAllocator() = default;

    /// A free port for `user`, or nullopt when none is left for that user.
    virtual std::optional<std::uint16_t> allocate(Protocol protocol, Ipv4Address user) = 0;
    /// Marks a port as taken by adopted state; false when it is taken already. Ports outside the range are accepted.
    virtual bool reserve(Protocol protocol, Ipv4Address user, std::uint16_t port) = 0;
    /// Gives a port back; a port that is not taken is ignored.
    virtual void release(Protocol protocol, std::uint16_t port) = 0;
};

/// Taken ports of each protocol.
class PortMap {
public:
    [[nodiscard]] bool taken(Protocol protocol, std::uint16_t port) const { return of(protocol).test(port); }
    void set(Protocol protocol, std::uint16_t port, bool value) { of(protocol).set(port, value); }

private:
    using Bits = std::bitset<65536>;
    [[nodiscard]] static std::size_t index(Protocol protocol);
    [[nodiscard]] const Bits& of(Protocol protocol) const { return (*bits_)[index(protocol)]; }
    Bits& of(Protocol protocol) { return (*bits_)[index(protocol)]; }

    std::unique_ptr<std::array<Bits, 3>> bits_ = std::make_unique<std::array<Bits, 3>>();
};

/// The next free port after the last one given, whoever asks.
class SequentialPorts final : public PortAllocator {
public:
    explicit SequentialPorts(PortRange range);
    std::optional<std::uint16_t> allocate(Protocol protocol, Ipv4Address user) override;
    bool reserve(Protocol protocol, Ipv4Address user, std::uint16_t port) override;
    void release(Protocol protocol, std::uint16_t port) override;

private:
    PortRange range_;
    PortMap map_;
    std::uint32_t next_ = 0;  // offset into the range
};

/// Ports in blocks that belong to one user as long as one of their ports is taken, so that a log of blocks identifies a
/// user (compare RFC 7422). A user's first block is computed from the address; when it is taken, or full, the next free
/// one is used.
class BlockPorts final : public PortAllocator {
public:
    /// `block_size` in ports, 1..range size; a rest of the range smaller than a block is not used.
    BlockPorts(PortRange range, std::uint32_t block_size);
    std::optional<std::uint16_t> allocate(Protocol protocol, Ipv4Address user) override;
    bool reserve(Protocol protocol, Ipv4Address user, std::uint16_t port) override;
    void release(Protocol protocol, std::uint16_t port) override;

private:
    struct Block {
        Ipv4Address user;
        std::uint32_t taken = 0;  // ports over all protocols; 0 means the block is free
    };

    [[nodiscard]] std::optional<std::uint16_t> free_port_in(std::size_t block, Protocol protocol) const;
    [[nodiscard]] std::optional<std::size_t> block_of(std::uint16_t port) const;
    std::optional<std::size_t> free_block_for(Ipv4Address user) const;
    void take(std::size_t block, Ipv4Address user, Protocol protocol, std::uint16_t port);

    PortRange range_;
    std::uint32_t block_size_;
    PortMap map_;
    std::vector<Block> blocks_;
    std::unordered_map<Ipv4Address, std::vector<std::size_t>> blocks_of_user_;
};

}  // namespace nfvcert::functions
