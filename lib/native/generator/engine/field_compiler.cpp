// The instructions of a field program: told apart, checked against the packet, made into steps.

#include "generator/engine/field_program.hpp"
#include "generator/engine/wire.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::int64_t any_offset = 65535;
constexpr std::size_t most_steps = 256;
constexpr std::uint16_t shortest_trimmed = ethernet_octets;
constexpr std::uint8_t udp = 17;
constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t icmpv6 = 58;

// numbers of TRex's protocol for what a checksum is for
constexpr std::int64_t type_udp = 11;
constexpr std::int64_t type_tcp = 13;
constexpr std::int64_t type_ip = 17;

}  // namespace

FieldProgram::FieldProgram(const json& instructions, std::span<const std::uint8_t> packet, std::uint32_t seed,
                           const std::string& where)
    : packet_(packet.begin(), packet.end()),
      seed_{seed},
      random_{seed},
      shortest_{static_cast<std::uint16_t>(packet.size())} {
    if (!instructions.is_array() || instructions.size() > most_steps) {
        refuse(where, "'instructions' has to be a list of at most " + std::to_string(most_steps));
    }
    std::size_t number = 0;
    for (const auto& instruction : instructions) {
        compile_one(instruction, where + ": instruction " + std::to_string(number++));
    }
    if (!awaited_.empty()) {
        refuse(where, "the last variable names '" + awaited_ + "' as next_var, and nothing follows");
    }
    restart();
}

void FieldProgram::compile_one(const json& instruction, const std::string& where) {
    const Fields fields{instruction, where};
    const auto type = fields.text("type");
    if (!awaited_.empty() && (type == "tuple_flow_var" || !fields.has("name") || fields.text("name") != awaited_)) {
        fields.refuse("variable '" + awaited_ + "' has to follow here, the one before names it as next_var");
    }
    if (type == "flow_var") {
        compile_counter(fields);
    } else if (type == "flow_var_rand_limit") {
        compile_random_limited(fields);
    } else if (type == "tuple_flow_var") {
        compile_tuple(fields);
    } else if (type == "write_flow_var") {
        compile_write(fields);
    } else if (type == "write_mask_flow_var") {
        compile_masked_write(fields);
    } else if (type == "trim_pkt_size") {
        compile_trim(fields);
    } else if (type == "fix_checksum_ipv4" || type == "fix_checksum_hw" || type == "fix_checksum_icmpv6") {
        compile_checksum(fields, type);
    } else {
        fields.refuse("type '" + type + "' is not known; known are flow_var, flow_var_rand_limit, tuple_flow_var, write_flow_var, "
                      "write_mask_flow_var, trim_pkt_size, fix_checksum_ipv4, fix_checksum_hw, fix_checksum_icmpv6");
    }
}

std::uint16_t FieldProgram::offset_of(const Fields& fields, std::size_t octets) const {
    const auto offset = static_cast<std::size_t>(fields.whole("pkt_offset", 0, any_offset));
    if (offset + octets > packet_.size()) {
        fields.refuse(std::to_string(octets) + " octets at offset " + std::to_string(offset) + " are outside the packet of " +
                      std::to_string(packet_.size()) + " octets");
    }
    return static_cast<std::uint16_t>(offset);
}

void FieldProgram::compile_write(const Fields& fields) {
    Step step{};
    step.operation = Operation::write;
    step.variable = find_variable(fields);
    step.size = variables_[step.variable].size;
    step.offset = offset_of(fields, step.size);
    step.add = fields.whole_or("add_value", -(std::int64_t{1} << 62), std::int64_t{1} << 62, 0);
    step.big_endian = fields.flag_or("is_big_endian", true);
    steps_.push_back(step);
}

void FieldProgram::compile_masked_write(const Fields& fields) {
    Step step{};
    step.operation = Operation::write_masked;
    step.variable = find_variable(fields);
    if (variables_[step.variable].size == 8) {
        fields.refuse("a variable of 8 octets cannot be written under a mask");
    }
    const auto size = fields.whole("pkt_cast_size", 1, 4);
    if (size == 3) {
        fields.refuse("'pkt_cast_size' has to be 1, 2 or 4");
    }
    step.size = static_cast<std::uint8_t>(size);
    step.offset = offset_of(fields, step.size);
    step.mask = static_cast<std::uint32_t>(fields.natural_up_to("mask", 0xffffffff));
    step.shift = static_cast<std::int8_t>(fields.whole_or("shift", -31, 31, 0));
    step.add = fields.whole_or("add_value", -(std::int64_t{1} << 31), (std::int64_t{1} << 31) - 1, 0);
    step.big_endian = fields.flag_or("is_big_endian", true);
    steps_.push_back(step);
}

void FieldProgram::compile_trim(const Fields& fields) {
    Step step{};
    step.operation = Operation::trim;
    step.variable = find_variable(fields);
    const auto& variable = variables_[step.variable];
    if (variable.size != 2 || !variable.simple) {
        fields.refuse("a packet size has to come from a flow_var of 2 octets");
    }
    if (variable.least < shortest_trimmed || variable.most > packet_.size()) {
        fields.refuse("packet sizes from " + std::to_string(variable.least) + " to " + std::to_string(variable.most) +
                      " are not within " + std::to_string(shortest_trimmed) + " and the packet's " + std::to_string(packet_.size()));
    }
    trims_ = true;
    shortest_ = static_cast<std::uint16_t>(variable.least);
    steps_.push_back(step);
}

void FieldProgram::compile_checksum(const Fields& fields, const std::string& type) {
    Step step{};
    if (type == "fix_checksum_ipv4") {
        step.operation = Operation::ipv4_checksum;
        step.offset = offset_of(fields, 20);
        const auto header = static_cast<std::size_t>(packet_[step.offset] & 0xf) * 4;
        if (packet_[step.offset] >> 4 != 4 || header < 20 || step.offset + header > packet_.size()) {
            fields.refuse("there is no IPv4 header at offset " + std::to_string(step.offset));
        }
        steps_.push_back(step);
        return;
    }
    const auto layer2 = static_cast<std::size_t>(fields.whole("l2_len", 0, any_offset));
    const auto layer3 = static_cast<std::size_t>(fields.whole("l3_len", 20, any_offset));
    step.offset = static_cast<std::uint16_t>(layer2);
    step.layer3_octets = static_cast<std::uint16_t>(layer3);
    const auto what = type == "fix_checksum_icmpv6" ? std::int64_t{0} : fields.whole("l4_type", type_udp, type_ip);
    const std::size_t header4 = what == type_udp ? 8 : what == type_tcp ? 20 : what == type_ip ? 0 : 4;
    if (layer2 + layer3 + header4 > packet_.size()) {
        fields.refuse("headers of " + std::to_string(layer2 + layer3 + header4) + " octets are outside the packet of " +
                      std::to_string(packet_.size()) + " octets");
    }
    const auto version = packet_[layer2] >> 4;
    step.operation = type == "fix_checksum_icmpv6" ? Operation::icmpv6_checksum : Operation::layer4_checksum;
    step.layer4 = what == type_udp ? udp : what == type_tcp ? tcp : type == "fix_checksum_icmpv6" ? icmpv6 : std::uint8_t{0};
    if (what != 0 && what != type_udp && what != type_tcp && what != type_ip) {
        fields.refuse("'l4_type' has to be 11 (UDP), 13 (TCP) or 17 (IP alone), found " + std::to_string(what));
    }
    if ((version != 4 && version != 6) || (version == 6 && layer3 < 40) || (version == 6 && what == type_ip) ||
        (version == 4 && step.layer4 != 0 && packet_[layer2 + 9] != step.layer4) ||
        (step.layer4 == icmpv6 && (version != 6 || (layer3 == 40 && packet_[layer2 + 6] != icmpv6)))) {
        fields.refuse("the packet has no such headers there");
    }
    steps_.push_back(step);
}

}  // namespace nfvcert::engine
