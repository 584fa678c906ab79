#include <doctest/doctest.h>

#include <cmath>

#include "functions/share_accumulator.hpp"

using namespace nfvcert::functions;

namespace {

const auto all = [](const std::string&) { return true; };

}  // namespace

TEST_CASE("every prefix of the sequence is within one request of the exact share") {
    for (const double share : {0.0, 1.0, 10.0, 30.0, 33.3, 50.0, 99.0, 100.0}) {
        ShareAccumulator shares;
        shares.set({{"new", share}, {"old", 100.0 - share}});
        int to_new = 0;
        for (int n = 1; n <= 1000; ++n) {
            to_new += *shares.next(all) == "new" ? 1 : 0;
            CHECK(std::abs(to_new - n * share / 100.0) <= 1.0);
        }
        CHECK(std::abs(to_new - 10 * share) <= 1.0);
    }
}

TEST_CASE("groups without share or not usable get nothing") {
    ShareAccumulator shares;
    CHECK_FALSE(shares.next(all));
    shares.set({{"a", 0}, {"b", 10}, {"c", 90}});
    for (int i = 0; i < 10; ++i) {
        CHECK(shares.next([](const auto& group) { return group != "c"; }) == "b");
    }
    CHECK_FALSE(shares.next([](const auto&) { return false; }));
}

TEST_CASE("setting the same shares again does not start over") {
    ShareAccumulator shares;
    int to_new = 0;
    for (int i = 0; i < 100; ++i) {
        shares.set({{"new", 10}, {"old", 90}});
        to_new += *shares.next(all) == "new" ? 1 : 0;
    }
    CHECK(to_new == 10);
}
