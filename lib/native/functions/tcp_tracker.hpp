#pragma once
// The part of a TCP connection's life a translator follows to choose its timeout (RFC 5382, REQ-2 and REQ-5).

#include <cstdint>

#include "packet/transport.hpp"

namespace nfvcert::functions {

enum class TcpState : std::uint8_t {
    none,            // not TCP
    opening,         // a SYN from inside, no answer yet
    established,     // both sides spoke
    inside_closed,   // FIN from inside
    outside_closed,  // FIN from outside
    closed,          // both FINs or a RST
};

inline constexpr std::uint8_t last_tcp_state = static_cast<std::uint8_t>(TcpState::closed);

enum class Direction : std::uint8_t { outbound, inbound };

/// Opening and closed connections are kept for the transitory timeout only.
constexpr bool is_transitory(TcpState state) { return state == TcpState::opening || state == TcpState::closed; }

constexpr TcpState next_tcp_state(TcpState state, Direction direction, std::uint8_t flags) {
    namespace flag = packet::tcp_flag;
    const bool from_inside = direction == Direction::outbound;
    if ((flags & flag::rst) != 0) {
        return TcpState::closed;
    }
    if ((flags & flag::syn) != 0) {
        if (from_inside && (flags & flag::ack) == 0) {
            return state == TcpState::closed || state == TcpState::none ? TcpState::opening : state;
        }
        return !from_inside && state == TcpState::opening ? TcpState::established : state;
    }
    if ((flags & flag::fin) != 0) {
        const auto own = from_inside ? TcpState::inside_closed : TcpState::outside_closed;
        const auto other = from_inside ? TcpState::outside_closed : TcpState::inside_closed;
        return state == other || state == TcpState::closed ? TcpState::closed : own;
    }
    return state;
}

}  // namespace nfvcert::functions
