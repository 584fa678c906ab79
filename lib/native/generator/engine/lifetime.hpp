#pragma once
// How long flows live. Every model draws whole lifetimes, and what is left of the life of a flow that is met at a random
// moment (residual lifetime), so that a population can begin as if it had always been there.

#include <memory>
#include <string>
#include <vector>

#include "generator/engine/random.hpp"

namespace nfvcert::engine {

class LifetimeModel {
public:
    virtual ~LifetimeModel() = default;
    /// Seconds.
    virtual double whole(Random& random) const = 0;
    virtual double residual(Random& random) const = 0;
    [[nodiscard]] virtual double mean() const = 0;
};

/// Memoryless with the given mean.
std::unique_ptr<LifetimeModel> exponential_lifetime(double mean_s);
/// All the same.
std::unique_ptr<LifetimeModel> fixed_lifetime(double mean_s);
/// Proportional to the lengths in packets of 4.0e9 flows of a university network (AGH 2015; Jurkiewicz, Rzym, Borylo,
/// "Flow length and size distributions in campus Internet traffic", Computer Communications 2021), never longer than
/// `cap_s`; the factor is chosen so that the mean, with the cap, is `mean_s`. Throws std::invalid_argument when the cap
/// does not leave room for the mean.
std::unique_ptr<LifetimeModel> agh2015_lifetime(double mean_s, double cap_s);

/// The lengths in packets themselves (ceiling of a mixture), for tests against the published figures.
struct Agh2015 {
    static double survival(double packets);             // share of flows longer than that
    static double mean_up_to(double most);              // mean of min(length, most)
    static double length(Random& random);               // >= 1, whole
    static double length_biased(Random& random);        // as met by a random packet
};

}  // namespace nfvcert::engine
