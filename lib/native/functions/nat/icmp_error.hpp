#pragma once
// ICMP errors that quote a packet of a translated flow (RFC 5508, section 4).

#include <optional>

#include "functions/common/frame_view.hpp"
#include "packet/transport.hpp"

namespace nfvcert::nf {

/// The packet that an ICMP error quotes.
struct QuotedPacket {
    packet::Ipv4Header header;
    packet::Bytes octets;  // quoted header and what follows
    FlowKey flow;          // ICMP echo: the identifier is the port of the side that asked
};

/// nullopt when the quotation names no flow: cut off too early, a later fragment, or no UDP, TCP or echo.
std::optional<QuotedPacket> quoted_packet(const FrameView& error);

/// none, or bad_checksum when the ICMP message or the quoted header is damaged.
DropReason check_error(const FrameView& error, const QuotedPacket& quoted);

/// Gives one side of the quoted packet another endpoint and the error itself another source or destination, takes one from
/// its TTL, and corrects all checksums. `address` is the new outer address.
void rewrite_error(const FrameView& error, const QuotedPacket& quoted, packet::Field inner, const packet::Endpoint& endpoint,
                   Side outer, std::uint32_t address);

}  // namespace nfvcert::nf
