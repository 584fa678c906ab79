#pragma once
// Where in the cached packets a run of 32 octets has been seen: fingerprints (Rabin) of positions chosen by their content, so
// that the same run is found wherever it stands in a packet.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace nfvcert::nf {

inline constexpr std::size_t fingerprint_window = 32;

constexpr std::uint64_t power_of(std::uint64_t base, std::size_t exponent) {
    std::uint64_t result = 1;
    for (std::size_t i = 0; i < exponent; ++i) {
        result *= base;
    }
    return result;
}

struct Fingerprint {
    std::uint64_t value = 0;
    std::uint16_t offset = 0;  // of the window's first octet
};

/// The fingerprints of a packet's content: about one position in 16, at most `most`.
class Fingerprints {
public:
    static constexpr std::size_t most = 160;

    explicit Fingerprints(std::span<const std::uint8_t> octets) {
        if (octets.size() < fingerprint_window) {
            return;
        }
        std::uint64_t hash = 0;
        for (std::size_t i = 0; i < octets.size() && count_ < most; ++i) {
            hash = hash * multiplier + octets[i] + 1;
            if (i >= fingerprint_window) {
                hash -= (octets[i - fingerprint_window] + std::uint64_t{1}) * leaving;
            }
            const bool chosen = (hash * spread) >> 60 == 0;
            if (i + 1 >= fingerprint_window && chosen && (count_ == 0 || found_[count_ - 1].value != hash)) {
                found_[count_++] = {hash, static_cast<std::uint16_t>(i + 1 - fingerprint_window)};
            }
        }
    }

    [[nodiscard]] const Fingerprint* begin() const { return found_.data(); }
    [[nodiscard]] const Fingerprint* end() const { return found_.data() + count_; }

private:
    static constexpr std::uint64_t multiplier = 0x5851f42d4c957f2dULL;
    static constexpr std::uint64_t spread = 0x9e3779b97f4a7c15ULL;
    static constexpr std::uint64_t leaving = power_of(multiplier, fingerprint_window);

    std::array<Fingerprint, most> found_;
    std::size_t count_ = 0;
};

/// Last place of each fingerprint; places may be out of date, so what is found there is compared.
class FingerprintTable {
public:
    struct Place {
        std::uint32_t tag = 0;
        std::uint32_t slot = 0;
        std::uint16_t offset = 0;
    };

    /// `bits`: 2^bits places.
    explicit FingerprintTable(unsigned bits) : places_(std::size_t{1} << bits), shift_{64 - bits} {}

    [[nodiscard]] const Place* find(std::uint64_t fingerprint) const {
        const auto& place = places_[index(fingerprint)];
        return place.tag == tag(fingerprint) ? &place : nullptr;
    }
    void put(const Fingerprint& fingerprint, std::uint32_t slot) {
        places_[index(fingerprint.value)] = {tag(fingerprint.value), slot, fingerprint.offset};
    }

private:
    [[nodiscard]] std::size_t index(std::uint64_t fingerprint) const {
        return static_cast<std::size_t>((fingerprint * 0xd6e8feb86659fd93ULL) >> shift_);
    }
    [[nodiscard]] static std::uint32_t tag(std::uint64_t fingerprint) { return static_cast<std::uint32_t>(fingerprint) | 1U; }

    std::vector<Place> places_;
    unsigned shift_;
};

}  // namespace nfvcert::nf
