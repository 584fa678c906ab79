#pragma once
// External ports of a translator: several addresses, three port spaces each, used in turn; a port given back rests for a
// while before it is used again, so that late packets of its last flow meet nobody (RFC 7857, section 6, in its spirit).

#include <cstdint>
#include <optional>
#include <vector>

namespace nfvcert::nf {

struct ExternalEndpoint {
    std::uint32_t address = 0;
    std::uint16_t port = 0;
    bool operator==(const ExternalEndpoint&) const = default;
};

struct PortPoolConfig {
    std::vector<std::uint32_t> addresses;
    std::uint16_t first = 1024;
    std::uint16_t last = 65535;              // inclusive
    std::uint64_t reuse_delay_ns = 0;
    std::uint64_t order_seed = 0;            // 0: ports in ascending order; otherwise shuffled by it (RFC 6056)
};

class PortPool {
public:
    explicit PortPool(const PortPoolConfig& config);

    /// A free port; all flows of one inside address get the same external address (RFC 4787 REQ-2, "paired"). nullopt
    /// when none is free or all that are free still rest.
    std::optional<ExternalEndpoint> allocate(std::uint8_t protocol, std::uint32_t inside, std::uint64_t now_ns);
    /// Takes a certain port, also while it rests; false when it is in use. Endpoints outside the pool are nobody's: true.
    bool reserve(std::uint8_t protocol, const ExternalEndpoint& endpoint);
    void release(std::uint8_t protocol, const ExternalEndpoint& endpoint, std::uint64_t now_ns);
    /// The mapping lives on at another instance: the port is not used here before it comes back by reserve().
    void cede(std::uint8_t protocol, const ExternalEndpoint& endpoint);

    /// An address of the pool, or one that was adopted.
    [[nodiscard]] bool serves(std::uint32_t address) const;
    /// Whether adopt() has room for the address, or need not take it.
    [[nodiscard]] bool may_adopt(std::uint32_t address) const { return serves(address) || adopted_.size() < most_adopted; }
    /// From now on serves an address that came with the state of another instance; its ports are not handed out here.
    void adopt(std::uint32_t address);
    [[nodiscard]] std::size_t taken() const { return taken_; }
    [[nodiscard]] std::size_t ceded() const { return ceded_; }

private:
    static constexpr std::size_t most_adopted = 256;
    struct Port {
        std::uint32_t freed = 0;  // time of release in ticks
        bool taken : 1 = false;
        bool ceded : 1 = false;
        bool queued : 1 = false;
        bool used : 1 = false;
    };
    struct Space {
        std::vector<Port> ports;           // by port - first
        std::vector<std::uint16_t> queue;  // ring of offsets, the one that has been free longest first
        std::size_t head = 0;
        std::size_t count = 0;
    };

    [[nodiscard]] Space* space_of(std::uint8_t protocol, std::uint32_t address);
    [[nodiscard]] Port* port_of(std::uint8_t protocol, const ExternalEndpoint& endpoint);
    static void push(Space& space, std::uint16_t offset);
    static std::uint16_t pop(Space& space);

    PortPoolConfig config_;
    std::vector<Space> spaces_;  // [address][protocol]
    std::vector<std::uint32_t> adopted_;
    std::uint32_t delay_ticks_;
    std::size_t taken_ = 0;
    std::size_t ceded_ = 0;
};

}  // namespace nfvcert::nf
