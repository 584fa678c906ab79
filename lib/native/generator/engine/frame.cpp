#include "generator/engine/frame.hpp"

#include <algorithm>

namespace nfvcert::engine {
namespace {

constexpr std::uint8_t udp = 17;
constexpr std::uint8_t hops = 64;

void put_mac(std::uint8_t* to, std::uint64_t mac) {
    for (int i = 0; i < 6; ++i) {
        to[i] = static_cast<std::uint8_t>(mac >> (8 * (5 - i)));
    }
}

}  // namespace

FrameShape::FrameShape(std::size_t frame, const AddressSpace& space, bool with_checksum)
    : octets(frame - check_sequence_octets), trailer{octets.size() - trailer_octets}, checksum{with_checksum} {
    auto* data = octets.data();
    const auto ip_length = static_cast<std::uint16_t>(octets.size() - ethernet_octets);
    const auto udp_length = static_cast<std::uint16_t>(ip_length - 20);
    put_mac(data, space.destination_mac);
    put_mac(data + 6, space.source_mac);
    store(data + 12, swap16(0x0800));
    auto* ip = data + ethernet_octets;
    ip[0] = 0x45;
    store(ip + 2, swap16(ip_length));
    store(ip + 6, swap16(0x4000));  // do not fragment
    ip[8] = hops;
    ip[9] = udp;
    store(ip + 24, swap16(udp_length));
    store(data + trailer, swap16(trailer_magic));
    ip_sum = sum_of(ip, 20);
    odd = (trailer - ethernet_octets) % 2 != 0;
    const auto magic = odd ? swap16(trailer_magic) : trailer_magic;
    // pseudo header without addresses, length field, magic; ports and the rest of the trailer come with each packet
    udp_sum = fold(std::uint32_t{udp} + udp_length + udp_length + magic);
}

SendRecord send_record(std::uint32_t flow, const Tuple& tuple) {
    SendRecord record{};
    record.flow = flow;
    record.addresses = (static_cast<std::uint64_t>(swap32(tuple.destination)) << 32) | swap32(tuple.source);
    record.ports = (static_cast<std::uint32_t>(swap16(tuple.destination_port)) << 16) | swap16(tuple.source_port);
    const auto addresses = words_of((static_cast<std::uint64_t>(tuple.destination) << 32) | tuple.source);
    record.address_sum = static_cast<std::uint16_t>(fold(addresses));
    record.tuple_sum = static_cast<std::uint16_t>(fold(addresses + tuple.source_port + tuple.destination_port));
    return record;
}

}  // namespace nfvcert::engine
