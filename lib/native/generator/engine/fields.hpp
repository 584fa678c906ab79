#pragma once
// Reading orders: every field is checked, what is unknown or out of range is refused with its name, nothing is clipped.

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dpdk/control.hpp"

namespace nfvcert::engine {

using nlohmann::json;
using dpdk::Refusal;

[[noreturn]] void refuse(const std::string& where, const std::string& text);

/// An object of an order. `where` names it in messages ("stream 3: vm instruction 2").
class Fields {
public:
    /// Throws Refusal "bad-input" when it is no object or has a field that is not in `known` (none given: any may be there).
    Fields(const json& object, std::string where, std::initializer_list<std::string_view> known = {});

    [[nodiscard]] bool has(const char* key) const { return object_.contains(key) && !object_.at(key).is_null(); }
    [[nodiscard]] double real(const char* key, double least, double most) const;
    [[nodiscard]] double real_or(const char* key, double least, double most, double otherwise) const;
    [[nodiscard]] std::int64_t whole(const char* key, std::int64_t least, std::int64_t most) const;
    [[nodiscard]] std::int64_t whole_or(const char* key, std::int64_t least, std::int64_t most, std::int64_t otherwise) const;
    /// Up to the greatest number of 64 bits.
    [[nodiscard]] std::uint64_t natural(const char* key) const;
    [[nodiscard]] std::uint64_t natural_up_to(const char* key, std::uint64_t most) const;
    /// A list of whole numbers, `what` in messages; empty when there is none.
    [[nodiscard]] std::vector<std::int64_t> wholes(const char* key, const std::string& what, std::int64_t least,
                                                   std::int64_t most) const;
    [[nodiscard]] std::string text(const char* key) const;
    [[nodiscard]] std::string text_or(const char* key, const std::string& otherwise) const;
    [[nodiscard]] bool flag_or(const char* key, bool otherwise) const;
    [[nodiscard]] const json& at(const char* key) const;
    [[nodiscard]] const std::string& where() const { return where_; }
    [[noreturn]] void refuse(const std::string& text) const { engine::refuse(where_, text); }

private:
    const json& object_;
    std::string where_;
};

std::uint32_t ipv4_of(const std::string& text, const std::string& where);
/// Six octets in the low bits, the first octet of the wire in the highest of them.
std::uint64_t mac_of(const std::string& text, const std::string& where);

}  // namespace nfvcert::engine
