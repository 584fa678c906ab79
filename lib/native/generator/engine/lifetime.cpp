#include "generator/engine/lifetime.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace nfvcert::engine {
namespace {

class Exponential final : public LifetimeModel {
public:
    explicit Exponential(double mean_s) : mean_s_{mean_s} {}
    double whole(Random& random) const override { return random.exponential(mean_s_); }
    double residual(Random& random) const override { return random.exponential(mean_s_); }
    [[nodiscard]] double mean() const override { return mean_s_; }

private:
    double mean_s_;
};

class Fixed final : public LifetimeModel {
public:
    explicit Fixed(double mean_s) : mean_s_{mean_s} {}
    double whole(Random&) const override { return mean_s_; }
    double residual(Random& random) const override { return mean_s_ * random.uniform(); }
    [[nodiscard]] double mean() const override { return mean_s_; }

private:
    double mean_s_;
};

/// A part of the mixture: even in (0, reach], or log-normal when `shape` is not 0.
struct Component {
    double weight;
    double shape;
    double reach;  // of the even part; scale of the log-normal one

    [[nodiscard]] double mean() const { return shape == 0 ? reach / 2 : reach * std::exp(shape * shape / 2); }
    [[nodiscard]] double survival(double at) const {
        if (at <= 0) {
            return 1;
        }
        return shape == 0 ? std::max(0.0, 1 - at / reach) : std::erfc(std::log(at / reach) / shape / std::sqrt(2.0)) / 2;
    }
    double draw(Random& random) const {
        return shape == 0 ? reach * random.uniform() : reach * std::exp(shape * random.normal());
    }
    /// With the density multiplied by the value.
    double draw_biased(Random& random) const {
        return shape == 0 ? reach * std::sqrt(random.uniform()) : reach * std::exp(shape * shape + shape * random.normal());
    }
    /// Integral of the survival function from 0 to `to`.
    [[nodiscard]] double mean_below(double to) const {
        if (shape == 0) {
            const auto x = std::min(to, reach);
            return x - x * x / (2 * reach);
        }
        const auto z = std::log(to / reach) / shape;
        return mean() * std::erfc(-(z - shape) / std::sqrt(2.0)) / 2 + to * survival(to);
    }
};

// packets a flow, all flows; figures of the paper's data set
constexpr std::array<Component, 10> components{{
    {0.30503, 0, 1},
    {0.24842, 0, 2},
    {0.06366, 0, 3},
    {0.04922, 0, 4},
    {0.00932, 0, 5},
    {0.08217, 0, 6},
    {0.13126, 0.52070, 7.8056},
    {0.07329, 0.77011, 22.1097},
    {0.02929, 1.12526, 128.645},
    {0.00835, 1.98384, 1084.47},
}};
constexpr double exact_terms = 2048;  // lengths that are summed one by one

template <class Weight>
const Component& choose(Random& random, Weight&& weight) {
    double total = 0;
    for (const auto& component : components) {
        total += weight(component);
    }
    auto left = random.uniform() * total;
    for (const auto& component : components) {
        left -= weight(component);
        if (left <= 0) {
            return component;
        }
    }
    return components.back();
}

class Mixture final : public LifetimeModel {
public:
    Mixture(double mean_s, double cap_s) : cap_s_{cap_s} {
        if (!(mean_s < 0.99 * cap_s)) {
            throw std::invalid_argument("lifetimes of at most " + std::to_string(cap_s) + " s cannot have a mean of " +
                                        std::to_string(mean_s) + " s");
        }
        double low = 0;
        double high = cap_s;  // one packet lasts until the cap
        for (int i = 0; i < 100; ++i) {
            packet_s_ = (low + high) / 2;
            (mean() < mean_s ? low : high) = packet_s_;
        }
    }
    double whole(Random& random) const override { return std::min(cap_s_, packet_s_ * Agh2015::length(random)); }
    double residual(Random& random) const override {
        // what is left of an uncapped life, given that it is below the cap, is what is left of a capped one
        for (;;) {
            const auto left = packet_s_ * Agh2015::length_biased(random) * random.uniform();
            if (left < cap_s_) {
                return left;
            }
        }
    }
    [[nodiscard]] double mean() const override { return packet_s_ * Agh2015::mean_up_to(cap_s_ / packet_s_); }

private:
    double cap_s_;
    double packet_s_ = 0;
};

}  // namespace

double Agh2015::survival(double packets) {
    double sum = 0;
    double weights = 0;
    for (const auto& component : components) {
        sum += component.weight * component.survival(std::floor(packets));
        weights += component.weight;
    }
    return sum / weights;
}

double Agh2015::mean_up_to(double most) {
    const auto whole = std::floor(std::min(most, exact_terms));
    double mean = 0;
    for (double n = 0; n < whole; ++n) {
        mean += survival(n);
    }
    if (most <= exact_terms) {
        return mean + (most - whole) * survival(whole);
    }
    // the sum over the rest as an integral (Euler and Maclaurin, first correction)
    double integral = 0;
    double weights = 0;
    for (const auto& component : components) {
        integral += component.weight * (component.mean_below(most) - component.mean_below(exact_terms));
        weights += component.weight;
    }
    return mean + integral / weights + (survival(exact_terms) - survival(most)) / 2;
}

double Agh2015::length(Random& random) {
    return std::max(1.0, std::ceil(choose(random, [](const Component& c) { return c.weight; }).draw(random)));
}

double Agh2015::length_biased(Random& random) {
    // ceil(y) f(y) is wanted; (1 + y) f(y) is drawn and thinned
    for (;;) {
        const auto& component = choose(random, [](const Component& c) { return c.weight * (1 + c.mean()); });
        const auto biased = random.uniform() * (1 + component.mean()) > 1;
        const auto y = biased ? component.draw_biased(random) : component.draw(random);
        const auto length = std::max(1.0, std::ceil(y));
        if (random.uniform() * (1 + y) <= length) {
            return length;
        }
    }
}

std::unique_ptr<LifetimeModel> exponential_lifetime(double mean_s) { return std::make_unique<Exponential>(mean_s); }
std::unique_ptr<LifetimeModel> fixed_lifetime(double mean_s) { return std::make_unique<Fixed>(mean_s); }
std::unique_ptr<LifetimeModel> agh2015_lifetime(double mean_s, double cap_s) {
    return std::make_unique<Mixture>(mean_s, cap_s);
}

}  // namespace nfvcert::engine
