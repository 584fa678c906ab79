#include <doctest/doctest.h>

#include <set>

#include "functions/port_allocator.hpp"

using namespace nfvcert::functions;

namespace {

const Ipv4Address alice{0x0a000001};
const Ipv4Address bob{0x0a000002};

}  // namespace

TEST_CASE("sequential ports go up, wrap around and run out") {
    SequentialPorts ports{{5000, 5002}};
    CHECK(ports.allocate(Protocol::udp, alice) == 5000);
    CHECK(ports.allocate(Protocol::udp, bob) == 5001);
    ports.release(Protocol::udp, 5000);
    CHECK(ports.allocate(Protocol::udp, alice) == 5002);
    CHECK(ports.allocate(Protocol::udp, alice) == 5000);
    CHECK_FALSE(ports.allocate(Protocol::udp, alice));
    CHECK(ports.allocate(Protocol::tcp, alice));  // a space of its own
}

TEST_CASE("reserved ports are not given out") {
    SequentialPorts ports{{5000, 5001}};
    CHECK(ports.reserve(Protocol::udp, alice, 5000));
    CHECK_FALSE(ports.reserve(Protocol::udp, alice, 5000));
    CHECK(ports.allocate(Protocol::udp, alice) == 5001);
    CHECK_FALSE(ports.allocate(Protocol::udp, alice));
}

TEST_CASE("a block belongs to one user as long as it uses it") {
    BlockPorts ports{{1000, 1011}, 4};
    std::set<std::uint16_t> of_alice;
    for (int i = 0; i < 5; ++i) {
        of_alice.insert(ports.allocate(Protocol::udp, alice).value());
    }
    CHECK(of_alice.size() == 5);  // one block and one port of a second
    const auto of_bob = ports.allocate(Protocol::udp, bob).value();
    for (const auto port : of_alice) {
        CHECK((port - 1000) / 4 != (of_bob - 1000) / 4);
    }
    CHECK_FALSE(ports.allocate(Protocol::udp, Ipv4Address{0x0a000003}));  // no free block
    ports.release(Protocol::udp, of_bob);
    CHECK(ports.allocate(Protocol::udp, Ipv4Address{0x0a000003}));
}

TEST_CASE("the first block is computed from the address") {
    for (const std::uint32_t host : {1U, 2U, 77U}) {
        BlockPorts ports{{1024, 65535}, 16};
        const Ipv4Address user{0x0a000000 + host};
        CHECK(ports.allocate(Protocol::tcp, user) == 1024 + user.value % (64512 / 16) * 16);
    }
}

TEST_CASE("ports of adopted state count for their user's block") {
    BlockPorts ports{{1000, 1007}, 4};
    CHECK(ports.reserve(Protocol::udp, bob, 1001));
    CHECK_FALSE(ports.reserve(Protocol::udp, bob, 1001));
    CHECK(ports.reserve(Protocol::udp, bob, 80));  // outside the range
    CHECK(ports.allocate(Protocol::udp, bob) == 1000);
    CHECK(ports.allocate(Protocol::udp, alice).value() >= 1004);
    ports.release(Protocol::udp, 80);
    ports.release(Protocol::udp, 80);
    CHECK(ports.reserve(Protocol::udp, alice, 80));
}

TEST_CASE("a block size that makes no sense is refused") {
    CHECK_THROWS(BlockPorts{{1000, 1003}, 0});
    CHECK_THROWS(BlockPorts{{1000, 1003}, 5});
}
