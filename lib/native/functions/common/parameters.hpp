#pragma once
// Reading parameters: every key is known, every number in its range, or the error says what is wrong.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "functions/network_function.hpp"
#include "packet/address.hpp"

namespace nfvcert::nf {

class Parameters {
public:
    /// `where` names the object in errors. A null is an empty object. Throws ParameterError when it is no object.
    Parameters(std::string where, const nlohmann::json& object);

    /// Times are given in milliseconds in keys that end with "_ms".
    [[nodiscard]] std::uint64_t time_ns(const char* key_ms, std::uint64_t otherwise_ns);
    [[nodiscard]] std::uint64_t number(const char* key, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most);
    /// Whole numbers of a list.
    [[nodiscard]] std::vector<std::uint64_t> numbers(const char* key, std::uint64_t most);
    [[nodiscard]] double fraction(const char* key, double otherwise);
    [[nodiscard]] bool flag(const char* key, bool otherwise);
    [[nodiscard]] std::string text(const char* key, const std::string& otherwise);
    [[nodiscard]] std::optional<packet::Ipv4Address> address(const char* key);
    [[nodiscard]] std::vector<packet::Ipv4Address> addresses(const char* key);
    /// "a.b.c.d/n"
    [[nodiscard]] std::optional<packet::Ipv4Network> network(const char* key);
    [[nodiscard]] std::vector<packet::Ipv4Network> networks(const char* key);
    /// Objects of a list, each to be read with its own Parameters.
    [[nodiscard]] std::vector<Parameters> objects(const char* key);
    [[nodiscard]] bool has(const char* key) const { return object_.contains(key); }
    /// 1 or 2: how many ports the function works between.
    [[nodiscard]] unsigned arms() { return static_cast<unsigned>(number("ports", 1, 1, 2)); }

    /// Throws ParameterError when there are keys that nobody asked for.
    void finish() const;
    [[noreturn]] void fail(const std::string& key, const std::string& expected) const;

private:
    [[nodiscard]] const nlohmann::json* take(const char* key);

    std::string where_;
    nlohmann::json object_;
    std::set<std::string> known_;
};

}  // namespace nfvcert::nf
