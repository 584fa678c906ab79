#include "generator/engine/field_program.hpp"

#include <algorithm>

#include "generator/engine/wire.hpp"

namespace nfvcert::engine {
namespace {

/// Fifteen random bits, the linear congruential generator that TRex's field engine uses.
std::uint32_t random15(std::uint32_t& seed) {
    seed = 214013 * seed + 2531011;
    return (seed >> 16) & 0x7fff;
}

std::uint32_t random32(std::uint32_t& seed) {
    const auto high = random15(seed);
    return (high << 16) + random15(seed);
}

std::uint64_t random64(std::uint32_t& seed) {
    const auto high = static_cast<std::uint64_t>(random32(seed));
    return (high << 32) + random32(seed);
}

/// Forward by a step; true when it went over the end (which takes one).
bool forward(std::uint64_t& value, std::uint64_t least, std::uint64_t most, std::uint64_t step) {
    const auto left = most - value;
    const auto over = step > left;
    value = over ? least + (step - left - 1) : value + step;
    return over;
}

bool backward(std::uint64_t& value, std::uint64_t least, std::uint64_t most, std::uint64_t step) {
    const auto left = value - least;
    const auto over = step > left;
    value = over ? most - (step - left - 1) : value - step;
    return over;
}

void write_field(std::uint8_t* to, std::uint64_t value, std::uint8_t size, bool big_endian) {
    switch (size) {
        case 1:
            *to = static_cast<std::uint8_t>(value);
            break;
        case 2:
            store(to, big_endian ? swap16(static_cast<std::uint16_t>(value)) : static_cast<std::uint16_t>(value));
            break;
        case 4:
            store(to, big_endian ? swap32(static_cast<std::uint32_t>(value)) : static_cast<std::uint32_t>(value));
            break;
        default:
            store(to, big_endian ? swap64(value) : value);
    }
}

std::uint32_t read_field(const std::uint8_t* from, std::uint8_t size, bool big_endian) {
    switch (size) {
        case 1:
            return *from;
        case 2:
            return big_endian ? swap16(load<std::uint16_t>(from)) : load<std::uint16_t>(from);
        default:
            return big_endian ? swap32(load<std::uint32_t>(from)) : load<std::uint32_t>(from);
    }
}

void fix_ipv4(std::uint8_t* header) {
    store(header + 10, std::uint16_t{0});
    const auto octets = static_cast<std::size_t>(header[0] & 0xf) * 4;
    store(header + 10, swap16(static_cast<std::uint16_t>(~sum_of(header, octets))));
}

/// Checksum of what follows the IP header, with the pseudo header; the packet's own length field says how long it is.
void fix_layer4(std::uint8_t* ip, std::size_t header_octets, std::uint8_t protocol, std::size_t available) {
    const auto version6 = ip[0] >> 4 == 6;
    const auto told = version6 ? std::size_t{swap16(load<std::uint16_t>(ip + 4))} + 40
                               : std::size_t{swap16(load<std::uint16_t>(ip + 2))};
    const auto end = std::min(told, available);
    const std::size_t place = protocol == 6 ? 16 : protocol == 17 ? 6 : 2;
    if (end < header_octets + place + 2) {
        return;
    }
    auto* segment = ip + header_octets;
    const auto octets = end - header_octets;
    store(segment + place, std::uint16_t{0});
    auto sum = version6 ? sum_of(ip + 8, 32) : sum_of(ip + 12, 8);
    sum = sum_of(segment, octets, sum + protocol + static_cast<std::uint32_t>(octets));
    auto checksum = static_cast<std::uint16_t>(~sum);
    if (protocol == 17 && checksum == 0) {
        checksum = 0xffff;
    }
    store(segment + place, swap16(checksum));
}

}  // namespace

void FieldProgram::restart() {
    random_ = seed_;
    for (auto& step : steps_) {
        step.count = 0;
        if (step.operation == Operation::tuple) {
            values_[step.variable] = step.start;
            values_[step.variable + 1] = step.port_start;
            values_[step.variable + 2] = 0;
        } else if (step.operation <= Operation::list_random) {
            values_[step.variable] = step.start;
        }
        if (step.operation == Operation::random_limited) {
            step.count = step.limit;  // the first value begins the series
        }
    }
}

std::uint64_t FieldProgram::draw(std::uint32_t& seed, const Step& step) const {
    const auto span = step.most - step.least + 1;
    if (step.size <= 2) {
        return step.least + random15(seed) % span;
    }
    if (step.size == 4) {
        return step.least + random32(seed) % span;
    }
    const auto value = random64(seed);
    return span == 0 ? value : step.least + value % span;
}

bool FieldProgram::advance_variable(Step& step) {
    auto& value = values_[step.variable];
    switch (step.operation) {
        case Operation::increment:
            return forward(value, step.least, step.most, step.step);
        case Operation::decrement:
            return backward(value, step.least, step.most, step.step);
        case Operation::random:
            value = draw(random_, step);
            return true;
        case Operation::random_limited: {
            const auto anew = step.count == step.limit;
            if (anew) {
                step.state = step.seed;
                step.count = 0;
            }
            value = draw(step.state, step);
            ++step.count;
            return anew;
        }
        case Operation::list_forward:
            value = lists_[step.list + step.count];
            step.count += step.step;
            if (step.count >= step.list_size) {
                step.count -= step.list_size;
                return true;
            }
            return false;
        case Operation::list_backward: {
            value = lists_[step.list + step.count];
            const auto over = step.count < step.step;
            step.count = over ? step.count + step.list_size - step.step : step.count - step.step;
            return over;
        }
        default:
            value = lists_[step.list + random15(random_) % step.list_size];
            return true;
    }
}

void FieldProgram::advance_tuple(Step& step) {
    auto& address = values_[step.variable];
    auto& port = values_[step.variable + 1];
    constexpr std::uint64_t first_client_port = 1025;
    if (forward(address, step.least, step.most, 1)) {
        if (step.unlimited_ports) {
            port = port == 65535 ? first_client_port : port + 1;
        } else {
            forward(port, step.port_least, step.port_most, 1);
        }
    }
    if (step.limit != 0 && ++step.count > step.limit) {
        step.count = 1;
        address = step.least;
        port = step.port_least;
    }
    values_[step.variable + 2] = step.count;
}

std::uint16_t FieldProgram::run(std::uint8_t* packet) {
    auto length = static_cast<std::uint16_t>(packet_.size());
    for (std::size_t at = 0; at < steps_.size(); ++at) {
        auto& step = steps_[at];
        switch (step.operation) {
            case Operation::tuple:
                advance_tuple(step);
                break;
            case Operation::write:
                write_field(packet + step.offset, values_[step.variable] + static_cast<std::uint64_t>(step.add), step.size,
                            step.big_endian);
                break;
            case Operation::write_masked: {
                auto value = static_cast<std::uint32_t>(values_[step.variable]) + static_cast<std::uint32_t>(step.add);
                value = step.shift >= 0 ? value << step.shift : value >> -step.shift;
                const auto kept = read_field(packet + step.offset, step.size, step.big_endian) & ~step.mask;
                write_field(packet + step.offset, kept | (value & step.mask), step.size, step.big_endian);
                break;
            }
            case Operation::trim:
                length = static_cast<std::uint16_t>(values_[step.variable]);
                break;
            case Operation::ipv4_checksum:
                fix_ipv4(packet + step.offset);
                break;
            case Operation::layer4_checksum:
            case Operation::icmpv6_checksum: {
                auto* ip = packet + step.offset;
                if (ip[0] >> 4 == 4) {
                    fix_ipv4(ip);
                }
                if (step.layer4 != 0) {
                    fix_layer4(ip, step.layer3_octets, step.layer4, length > step.offset ? std::size_t{length} - step.offset : 0U);
                }
                break;
            }
            default:
                if (!advance_variable(step)) {
                    at += step.chained;
                }
        }
    }
    return length;
}

}  // namespace nfvcert::engine
