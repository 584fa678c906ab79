#include "functions/common/parameters.hpp"

#include <charconv>

namespace nfvcert::nf {

using nlohmann::json;
using packet::Ipv4Address;
using packet::Ipv4Network;

namespace {

constexpr double longest_ms = 1e12;

bool is_whole(const json& value) {
    return value.is_number_unsigned() || (value.is_number_integer() && value.get<std::int64_t>() >= 0);
}

std::optional<Ipv4Network> parse_network(const std::string& text) {
    const auto slash = text.find('/');
    const auto address = Ipv4Address::parse(std::string_view{text}.substr(0, slash));
    unsigned prefix = 32;
    if (slash != std::string::npos) {
        const auto* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, prefix);
        if (error != std::errc{} || stop != end || prefix > 32) {
            return std::nullopt;
        }
    }
    return address ? std::optional{Ipv4Network{*address, prefix}} : std::nullopt;
}

}  // namespace

Parameters::Parameters(std::string where, const json& object) : where_{std::move(where)}, object_(object) {
    if (object_.is_null()) {
        object_ = json::object();
    }
    if (!object_.is_object()) {
        throw ParameterError(where_ + ": an object is expected, found " + object_.dump());
    }
}

void Parameters::fail(const std::string& key, const std::string& expected) const {
    const auto found = object_.contains(key) ? object_.at(key).dump() : std::string{"nothing"};
    throw ParameterError(where_ + ": '" + key + "' must be " + expected + ", found " + found);
}

const json* Parameters::take(const char* key) {
    known_.insert(key);
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::uint64_t Parameters::time_ns(const char* key_ms, std::uint64_t otherwise_ns) {
    const auto* const value = take(key_ms);
    if (value == nullptr) {
        return otherwise_ns;
    }
    const auto ms = value->is_number() ? value->get<double>() : -1;
    if (!(ms >= 0 && ms <= longest_ms)) {
        fail(key_ms, "a time in milliseconds from 0 to 1e12");
    }
    return static_cast<std::uint64_t>(ms * 1e6);
}

std::uint64_t Parameters::number(const char* key, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most) {
    const auto* const value = take(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!is_whole(*value) || value->get<std::uint64_t>() < least || value->get<std::uint64_t>() > most) {
        fail(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return value->get<std::uint64_t>();
}

std::vector<std::uint64_t> Parameters::numbers(const char* key, std::uint64_t most) {
    std::vector<std::uint64_t> all;
    if (const auto* const value = take(key); value != nullptr) {
        for (const auto& one : value->is_array() ? *value : json::array({*value})) {
            if (!is_whole(one) || one.get<std::uint64_t>() > most) {
                fail(key, "a list of whole numbers up to " + std::to_string(most));
            }
            all.push_back(one.get<std::uint64_t>());
        }
    }
    return all;
}

double Parameters::fraction(const char* key, double otherwise) {
    const auto* const value = take(key);
    if (value == nullptr) {
        return otherwise;
    }
    const auto found = value->is_number() ? value->get<double>() : -1;
    if (!(found >= 0 && found <= 1)) {
        fail(key, "a number from 0 to 1");
    }
    return found;
}

bool Parameters::flag(const char* key, bool otherwise) {
    const auto* const value = take(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_boolean()) {
        fail(key, "true or false");
    }
    return value->get<bool>();
}

std::string Parameters::text(const char* key, const std::string& otherwise) {
    const auto* const value = take(key);
    if (value == nullptr) {
        return otherwise;
    }
    if (!value->is_string()) {
        fail(key, "a text");
    }
    return value->get<std::string>();
}

std::optional<Ipv4Address> Parameters::address(const char* key) {
    const auto* const value = take(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    const auto found = value->is_string() ? Ipv4Address::parse(value->get<std::string>()) : std::nullopt;
    if (!found) {
        fail(key, "an IPv4 address");
    }
    return found;
}

std::vector<Ipv4Address> Parameters::addresses(const char* key) {
    std::vector<Ipv4Address> all;
    if (const auto* const value = take(key); value != nullptr) {
        const auto list = value->is_array() ? *value : json::array({*value});
        for (const auto& one : list) {
            const auto found = one.is_string() ? Ipv4Address::parse(one.get<std::string>()) : std::nullopt;
            if (!found) {
                fail(key, "an IPv4 address or a list of them");
            }
            all.push_back(*found);
        }
    }
    return all;
}

std::optional<Ipv4Network> Parameters::network(const char* key) {
    const auto all = networks(key);
    if (all.size() > 1) {
        fail(key, "one network");
    }
    return all.empty() ? std::nullopt : std::optional{all.front()};
}

std::vector<Ipv4Network> Parameters::networks(const char* key) {
    std::vector<Ipv4Network> all;
    if (const auto* const value = take(key); value != nullptr) {
        const auto list = value->is_array() ? *value : json::array({*value});
        for (const auto& one : list) {
            const auto found = one.is_string() ? parse_network(one.get<std::string>()) : std::nullopt;
            if (!found) {
                fail(key, "a network as in 10.0.0.0/8");
            }
            all.push_back(*found);
        }
    }
    return all;
}

std::vector<Parameters> Parameters::objects(const char* key) {
    std::vector<Parameters> all;
    if (const auto* const value = take(key); value != nullptr) {
        if (!value->is_array()) {
            fail(key, "a list of objects");
        }
        for (std::size_t i = 0; i < value->size(); ++i) {
            all.emplace_back(where_ + "." + key + "[" + std::to_string(i) + "]", value->at(i));
        }
    }
    return all;
}

void Parameters::finish() const {
    for (const auto& [key, value] : object_.items()) {
        if (!known_.contains(key)) {
            std::string known;
            for (const auto& one : known_) {
                known += (known.empty() ? "" : ", ") + one;
            }
            throw ParameterError(where_ + ": there is no parameter '" + key + "'; known: " + known);
        }
    }
}

}  // namespace nfvcert::nf
