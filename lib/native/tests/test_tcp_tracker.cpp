#include <doctest/doctest.h>

#include "functions/tcp_tracker.hpp"

using namespace nfvcert::functions;
namespace flag = nfvcert::packet::tcp_flag;

namespace {

constexpr auto out = Direction::outbound;
constexpr auto in = Direction::inbound;

}  // namespace

TEST_CASE("a connection opens, carries and closes") {
    auto state = next_tcp_state(TcpState::none, out, flag::syn);
    CHECK(state == TcpState::opening);
    CHECK(is_transitory(state));
    state = next_tcp_state(state, out, flag::syn);  // again
    CHECK(state == TcpState::opening);
    state = next_tcp_state(state, in, flag::syn | flag::ack);
    CHECK(state == TcpState::established);
    CHECK_FALSE(is_transitory(state));
    state = next_tcp_state(state, out, flag::ack);
    CHECK(state == TcpState::established);
    state = next_tcp_state(state, in, flag::fin | flag::ack);
    CHECK(state == TcpState::outside_closed);
    CHECK_FALSE(is_transitory(state));  // half closed may last
    state = next_tcp_state(state, out, flag::fin | flag::ack);
    CHECK(state == TcpState::closed);
    CHECK(next_tcp_state(state, in, flag::ack) == TcpState::closed);
    CHECK(next_tcp_state(state, out, flag::syn) == TcpState::opening);
}

TEST_CASE("a reset closes from either side") {
    CHECK(next_tcp_state(TcpState::established, in, flag::rst) == TcpState::closed);
    CHECK(next_tcp_state(TcpState::opening, out, flag::rst | flag::ack) == TcpState::closed);
}

TEST_CASE("a repeated FIN of one side does not close the other") {
    CHECK(next_tcp_state(TcpState::inside_closed, out, flag::fin) == TcpState::inside_closed);
    CHECK(next_tcp_state(TcpState::inside_closed, in, flag::fin) == TcpState::closed);
}
