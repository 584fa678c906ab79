#include "functions/drop_reason.hpp"

#include <array>

namespace nfvcert::nf {

std::string_view name_of(DropReason reason) {
    static constexpr std::array<std::string_view, drop_reason_count> names{
        "none",          "not_ipv4",        "malformed",           "bad_checksum",     "martian",
        "ttl_expired",   "foreign",         "unsupported_protocol", "unsupported_icmp", "state_exported",
        "tiny_fragment", "fragment_without_first", "no_pinhole",   "denied",           "tcp_without_session",
        "half_open_limit", "host_limit",    "session_limit",       "port_exhausted",   "hairpin_refused",
        "undecodable",   "stale_generation", "reference_lost",     "no_room",          "early_drop",
        "queue_full",    "no_server"};
    static_assert(static_cast<std::size_t>(DropReason::no_server) + 1 == drop_reason_count);
    return names[static_cast<std::size_t>(reason)];
}

}  // namespace nfvcert::nf
