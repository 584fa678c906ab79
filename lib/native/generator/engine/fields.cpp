#include "generator/engine/fields.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "packet/address.hpp"

namespace nfvcert::engine {
namespace {

std::string range_text(double least, double most) {
    std::array<char, 80> text{};
    std::snprintf(text.data(), text.size(), "%.15g to %.15g", least, most);
    return text.data();
}

}  // namespace

void refuse(const std::string& where, const std::string& text) { throw Refusal{"bad-input", where + ": " + text}; }

Fields::Fields(const json& object, std::string where, std::initializer_list<std::string_view> known)
    : object_(object), where_{std::move(where)} {
    if (!object.is_object()) {
        refuse("has to be an object, found " + object.dump());
    }
    for (const auto& [key, value] : object.items()) {
        if (known.size() != 0 && std::find(known.begin(), known.end(), key) == known.end()) {
            std::string all;
            for (const auto name : known) {
                all += (all.empty() ? "" : ", ") + std::string{name};
            }
            refuse("'" + key + "' is not known; known are " + all);
        }
    }
}

const json& Fields::at(const char* key) const {
    if (!has(key)) {
        refuse("'" + std::string{key} + "' is missing");
    }
    return object_.at(key);
}

double Fields::real(const char* key, double least, double most) const {
    const auto& value = at(key);
    if (!value.is_number() || !std::isfinite(value.get<double>()) || value.get<double>() < least || value.get<double>() > most) {
        refuse("'" + std::string{key} + "' has to be a number from " + range_text(least, most) + ", found " + value.dump());
    }
    return value.get<double>();
}

double Fields::real_or(const char* key, double least, double most, double otherwise) const {
    return has(key) ? real(key, least, most) : otherwise;
}

std::int64_t Fields::whole(const char* key, std::int64_t least, std::int64_t most) const {
    const auto& value = at(key);
    const auto is_whole = value.is_number_integer() || (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
    if (!is_whole || value.get<double>() < static_cast<double>(least) || value.get<double>() > static_cast<double>(most)) {
        refuse("'" + std::string{key} + "' has to be a whole number from " + std::to_string(least) + " to " +
               std::to_string(most) + ", found " + value.dump());
    }
    return value.get<std::int64_t>();
}

std::int64_t Fields::whole_or(const char* key, std::int64_t least, std::int64_t most, std::int64_t otherwise) const {
    return has(key) ? whole(key, least, most) : otherwise;
}

std::uint64_t Fields::natural(const char* key) const {
    const auto& value = at(key);
    if (!value.is_number_unsigned() && !(value.is_number_integer() && value.get<std::int64_t>() >= 0)) {
        refuse("'" + std::string{key} + "' has to be a whole number from 0, found " + value.dump());
    }
    return value.get<std::uint64_t>();
}

std::uint64_t Fields::natural_up_to(const char* key, std::uint64_t most) const {
    const auto value = natural(key);
    if (value > most) {
        refuse("'" + std::string{key} + "' " + std::to_string(value) + " is above " + std::to_string(most));
    }
    return value;
}

std::vector<std::int64_t> Fields::wholes(const char* key, const std::string& what, std::int64_t least,
                                         std::int64_t most) const {
    std::vector<std::int64_t> numbers;
    if (!has(key)) {
        return numbers;
    }
    if (!at(key).is_array()) {
        refuse("'" + std::string{key} + "' has to be a list of " + what);
    }
    for (const auto& entry : at(key)) {
        const json one{{key, entry}};
        numbers.push_back(Fields{one, where_}.whole(key, least, most));
    }
    return numbers;
}

std::string Fields::text(const char* key) const {
    const auto& value = at(key);
    if (!value.is_string()) {
        refuse("'" + std::string{key} + "' has to be a text, found " + value.dump());
    }
    return value.get<std::string>();
}

std::string Fields::text_or(const char* key, const std::string& otherwise) const { return has(key) ? text(key) : otherwise; }

bool Fields::flag_or(const char* key, bool otherwise) const {
    if (!has(key)) {
        return otherwise;
    }
    const auto& value = at(key);
    if (!value.is_boolean()) {
        refuse("'" + std::string{key} + "' has to be true or false, found " + value.dump());
    }
    return value.get<bool>();
}

std::uint32_t ipv4_of(const std::string& text, const std::string& where) {
    in_addr address{};
    if (::inet_pton(AF_INET, text.c_str(), &address) != 1) {
        refuse(where, "'" + text + "' is no IPv4 address");
    }
    return ntohl(address.s_addr);
}

std::uint64_t mac_of(const std::string& text, const std::string& where) {
    const auto mac = packet::MacAddress::parse(text);
    if (!mac) {
        refuse(where, "'" + text + "' is no MAC address like 02:4e:46:00:00:01");
    }
    return mac->number();
}

}  // namespace nfvcert::engine
