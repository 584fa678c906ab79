// The variables of a field program: counters, lists, random numbers, tuples.

#include <algorithm>
#include <limits>

#include "generator/engine/field_program.hpp"

namespace nfvcert::engine {
namespace {

constexpr std::size_t most_list = 65535;

std::uint64_t largest_of(std::uint8_t size) { return size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * size)) - 1; }

std::uint8_t size_of(const Fields& fields) {
    const auto size = fields.whole("size", 1, 8);
    if (size != 1 && size != 2 && size != 4 && size != 8) {
        fields.refuse("'size' has to be 1, 2, 4 or 8, found " + std::to_string(size));
    }
    return static_cast<std::uint8_t>(size);
}

}  // namespace

std::uint32_t FieldProgram::add_variable(const Fields& fields, Variable variable) {
    if (std::any_of(variables_.begin(), variables_.end(), [&](const auto& known) { return known.name == variable.name; })) {
        fields.refuse("there is a variable '" + variable.name + "' already");
    }
    variables_.push_back(std::move(variable));
    values_.push_back(0);
    return static_cast<std::uint32_t>(values_.size() - 1);
}

std::uint32_t FieldProgram::find_variable(const Fields& fields) const {
    const auto name = fields.text("name");
    const auto found = std::find_if(variables_.begin(), variables_.end(), [&](const auto& known) { return known.name == name; });
    if (found == variables_.end()) {
        fields.refuse("there is no variable '" + name + "' before this instruction");
    }
    return static_cast<std::uint32_t>(found - variables_.begin());
}

void FieldProgram::chain(const Fields& fields, std::size_t step) {
    // each of those that wait leaves out one step more, unless it begins anew
    for (const auto before : waiting_) {
        ++steps_[before].chained;
    }
    awaited_ = fields.text_or("next_var", "");
    if (awaited_.empty()) {
        waiting_.clear();
    } else {
        waiting_.push_back(step);
    }
}

void FieldProgram::compile_counter(const Fields& fields) {
    Step step{};
    step.size = size_of(fields);
    const auto largest = largest_of(step.size);
    const auto operation = fields.text("op");
    if (operation != "inc" && operation != "dec" && operation != "random") {
        fields.refuse("op '" + operation + "' is not known; known are inc, dec, random");
    }
    const auto up = operation == "inc";
    const auto down = operation == "dec";
    step.step = fields.has("step") ? fields.natural_up_to("step", largest) : 1;
    if (step.step == 0) {
        fields.refuse("'step' is 0");
    }
    if (fields.has("value_list")) {
        const auto& list = fields.at("value_list");
        if (!list.is_array() || list.empty() || list.size() > most_list || step.step > list.size()) {
            fields.refuse("'value_list' has to hold " + std::to_string(step.step) + " (the step) to " + std::to_string(most_list) +
                          " numbers");
        }
        step.operation = up ? Operation::list_forward : down ? Operation::list_backward : Operation::list_random;
        step.list = static_cast<std::uint32_t>(lists_.size());
        step.list_size = static_cast<std::uint32_t>(list.size());
        step.least = largest;
        for (const auto& value : list) {
            const json one{{"value_list", value}};
            lists_.push_back(Fields{one, fields.where()}.natural_up_to("value_list", largest));
            step.least = std::min(step.least, lists_.back());
            step.most = std::max(step.most, lists_.back());
        }
    } else {
        step.operation = up ? Operation::increment : down ? Operation::decrement : Operation::random;
        step.least = fields.natural_up_to("min_value", largest);
        step.most = fields.natural_up_to("max_value", largest);
        const auto first = fields.natural_up_to("init_value", largest);
        if (step.most < step.least || first < step.least || first > step.most) {
            fields.refuse("'init_value' " + std::to_string(first) + " is not within " + std::to_string(step.least) + " to " +
                          std::to_string(step.most));
        }
        // a range that the step does not divide is widened until it does, as TRex does
        const auto span = step.most - step.least + 1;  // 0: all numbers of 64 bits
        const auto padding = span % step.step == 0 ? 0 : step.step - span % step.step;
        if (up) {
            if (step.most > std::numeric_limits<std::uint64_t>::max() - padding) {
                fields.refuse("the range cannot be widened to a multiple of the step");
            }
            step.most += padding;
        } else if (down) {
            if (step.least < padding) {
                fields.refuse("the range cannot be widened to a multiple of the step");
            }
            step.least -= padding;
        }
        // each packet advances before it is written, so the variable begins one step before its first value
        const auto range = step.most - step.least;
        const auto back = range == ~std::uint64_t{0} ? step.step : step.step % (range + 1);
        if (up) {
            step.start = first - step.least >= back ? first - back : step.most - (back - (first - step.least) - 1);
        } else if (down) {
            step.start = step.most - first >= back ? first + back : step.least + (back - (step.most - first) - 1);
        } else {
            step.start = first;
        }
    }
    step.variable = add_variable(fields, {fields.text("name"), step.size, step.least, step.most, true});
    steps_.push_back(step);
    chain(fields, steps_.size() - 1);
}

void FieldProgram::compile_random_limited(const Fields& fields) {
    Step step{};
    step.operation = Operation::random_limited;
    step.size = size_of(fields);
    const auto largest = largest_of(step.size);
    step.limit = fields.natural_up_to("limit", largest);
    if (step.limit == 0) {
        fields.refuse("'limit' is 0");
    }
    step.seed = static_cast<std::uint32_t>(fields.natural("seed"));
    step.least = fields.natural_up_to("min_value", largest);
    step.most = fields.natural_up_to("max_value", largest);
    if (step.most < step.least) {
        fields.refuse("'max_value' is below 'min_value'");
    }
    step.variable = add_variable(fields, {fields.text("name"), step.size, step.least, step.most, false});
    steps_.push_back(step);
    chain(fields, steps_.size() - 1);
}

void FieldProgram::compile_tuple(const Fields& fields) {
    constexpr std::uint64_t last_address = 0xffffffff;
    Step step{};
    step.operation = Operation::tuple;
    step.least = fields.natural_up_to("ip_min", last_address);
    step.most = fields.natural_up_to("ip_max", last_address);
    step.port_least = fields.natural_up_to("port_min", 65535);
    step.port_most = fields.natural_up_to("port_max", 65535);
    step.limit = fields.has("limit_flows") ? fields.natural_up_to("limit_flows", last_address) : 0;
    step.unlimited_ports = fields.has("flags") && (fields.natural_up_to("flags", 65535) & 1) != 0;
    if (step.most < step.least || step.port_most < step.port_least) {
        fields.refuse("'ip_max' is below 'ip_min' or 'port_max' below 'port_min'");
    }
    step.start = step.most;  // the first packet goes over to the first address and the first port
    step.port_start = step.port_most;
    const auto name = fields.text("name");
    step.variable = add_variable(fields, {name + ".ip", 4, step.least, step.most, false});
    add_variable(fields, {name + ".port", 2, step.port_least, step.port_most, false});
    add_variable(fields, {name + ".flow_limit", 4, 0, step.limit, false});
    steps_.push_back(step);
}

}  // namespace nfvcert::engine
