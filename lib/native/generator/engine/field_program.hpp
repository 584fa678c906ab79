#pragma once
// Field engine: a small program that changes each packet of a stream, with the instructions, the order of events and the
// random numbers of TRex's stateless field engine.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "generator/engine/fields.hpp"

namespace nfvcert::engine {

class FieldProgram {
public:
    FieldProgram() = default;
    /// Compiles the list of instruction objects for a packet. Throws Refusal "bad-input" that names the instruction.
    FieldProgram(const json& instructions, std::span<const std::uint8_t> packet, std::uint32_t seed, const std::string& where);

    [[nodiscard]] bool empty() const { return steps_.empty(); }
    /// Whether packets may be shorter than the template, and how short.
    [[nodiscard]] bool trims() const { return trims_; }
    [[nodiscard]] std::uint16_t shortest() const { return shortest_; }

    /// Changes one packet (which holds the template, or what an earlier run left of it); answers its length.
    std::uint16_t run(std::uint8_t* packet);
    /// As if no packet had been changed yet.
    void restart();

private:
    enum class Operation : std::uint8_t {
        increment,
        decrement,
        random,
        random_limited,
        list_forward,
        list_backward,
        list_random,
        tuple,
        write,
        write_masked,
        trim,
        ipv4_checksum,
        layer4_checksum,
        icmpv6_checksum,
    };

    struct Step {
        Operation operation;
        std::uint8_t size = 0;             // octets of the variable or of the field
        bool big_endian = true;
        std::uint8_t chained = 0;          // steps to leave out unless the variable began anew
        std::int8_t shift = 0;
        std::uint8_t layer4 = 0;           // protocol number
        std::uint16_t offset = 0;          // in the packet
        std::uint16_t layer3_octets = 0;
        std::uint32_t variable = 0;        // index of the (first) value
        std::uint32_t list = 0;            // index of the first value of a list
        std::uint32_t list_size = 0;
        std::uint32_t seed = 0;
        std::uint32_t state = 0;           // of a series of random numbers
        std::uint32_t mask = 0;
        std::int64_t add = 0;
        std::uint64_t least = 0;
        std::uint64_t most = 0;
        std::uint64_t step = 1;
        std::uint64_t start = 0;           // before the first packet
        std::uint64_t limit = 0;           // values before the same come again
        std::uint64_t count = 0;           // since then; index of a list; flow of a tuple
        std::uint64_t port_least = 0;      // of a tuple; ports are values of the next variable
        std::uint64_t port_most = 0;
        std::uint64_t port_start = 0;
        bool unlimited_ports = false;
    };
    struct Variable {
        std::string name;
        std::uint8_t size;
        std::uint64_t least;
        std::uint64_t most;
        bool simple;
    };

    void compile_one(const json& instruction, const std::string& where);
    void compile_counter(const Fields& fields);
    void compile_random_limited(const Fields& fields);
    void compile_tuple(const Fields& fields);
    void compile_write(const Fields& fields);
    void compile_masked_write(const Fields& fields);
    void compile_trim(const Fields& fields);
    void compile_checksum(const Fields& fields, const std::string& type);
    void chain(const Fields& fields, std::size_t step);
    std::uint32_t add_variable(const Fields& fields, Variable variable);
    [[nodiscard]] std::uint32_t find_variable(const Fields& fields) const;
    [[nodiscard]] std::uint16_t offset_of(const Fields& fields, std::size_t octets) const;
    bool advance_variable(Step& step);
    void advance_tuple(Step& step);
    std::uint64_t draw(std::uint32_t& seed, const Step& step) const;

    std::vector<Step> steps_;
    std::vector<std::uint64_t> values_;
    std::vector<std::uint64_t> lists_;
    std::vector<Variable> variables_;
    std::vector<std::uint8_t> packet_;
    std::string awaited_;              // variable that has to follow, named by next_var
    std::vector<std::size_t> waiting_; // steps chained to what follows
    std::uint32_t seed_ = 1;
    std::uint32_t random_ = 1;
    std::uint16_t shortest_ = 0;
    bool trims_ = false;
};

}  // namespace nfvcert::engine
