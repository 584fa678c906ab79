// Histogram, lifetimes, wheel, turns of the living, pacing: what the flow mode's figures stand on.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "generator/engine/histogram.hpp"
#include "generator/engine/lifetime.hpp"
#include "generator/engine/living.hpp"
#include "generator/engine/pacer.hpp"
#include "generator/engine/random.hpp"
#include "generator/engine/wheel.hpp"

using namespace nfvcert::engine;

TEST_CASE("cells of the histogram follow each other without a hole and are a thousandth wide at most") {
    std::size_t last = 0;
    for (std::uint64_t value = 0; value < 5'000'000; value += 1 + value / 3000) {
        const auto cell = Histogram::cell_of(value);
        CHECK(Histogram::lowest_of(cell) <= value);
        CHECK(Histogram::highest_of(cell) >= value);
        CHECK(cell - last <= 1);
        last = cell;
        if (value > 0) {
            CHECK(static_cast<double>(Histogram::highest_of(cell) - Histogram::lowest_of(cell)) <= 0.001 * static_cast<double>(value));
        }
    }
    CHECK(Histogram::cell_of(Histogram::largest_ns) == Histogram::cells - 1);
    CHECK(Histogram::largest_ns > 100'000'000'000U);
}

TEST_CASE("percentiles are those of the sorted values, rounded up to a cell") {
    Random random{7};
    auto histogram = std::make_unique<Histogram>();
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 20'000; ++i) {
        values.push_back(static_cast<std::uint64_t>(std::exp(20 * random.uniform())));
        histogram->add(values.back());
    }
    std::sort(values.begin(), values.end());
    const std::vector<double> shares{0.01, 0.5, 0.9, 0.99, 0.999, 1.0};
    const auto found = histogram->percentiles(shares);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        const auto rank = static_cast<std::size_t>(std::ceil(shares[i] * static_cast<double>(values.size())));
        CHECK(found[i] == Histogram::highest_of(Histogram::cell_of(values[rank - 1])));
    }
    CHECK(histogram->count() == values.size());
    CHECK(Histogram{}.percentile(0.5) == 0);
    Histogram beyond;
    beyond.add(~std::uint64_t{0});
    CHECK(beyond.greatest() == Histogram::largest_ns);
}

TEST_CASE("the exchange format holds microseconds as HdrHistogram reads them") {
    auto histogram = std::make_unique<Histogram>();
    histogram->add(5'000, 3);       // 5 us
    histogram->add(1'000'000, 2);   // 1 ms
    histogram->add(30'000'000'000); // above the highest, counted there
    // decoded by the library: total 6, 5 us at the 50th percentile, 10,000,000 us at the 100th (0.05 % wide)
    CHECK(hdr_base64_us(*histogram) == "HISTFAAAADx4AQExAM7/HISTEwAAAAkAAAAAAAAAAwAAAAAAAAABAAAAAACYloA/8AAAAAAAAAkGwQ8Et9MBAn1uBqE=");
}

TEST_CASE("flow lengths have the published distribution") {
    // share of flows no longer than so many packets
    const std::map<double, double> published{{1, .478}, {2, .652}, {6, .802}, {10, .859}, {50, .958}, {100, .974}, {1000, .995}};
    for (const auto& [packets, share] : published) {
        CHECK(1 - Agh2015::survival(packets) == doctest::Approx(share).epsilon(0.002));
    }
    CHECK(Agh2015::mean_up_to(1e12) == doctest::Approx(76.5).epsilon(0.01));
    Random random{1};
    double sum = 0;
    int single = 0;
    constexpr int draws = 400'000;
    for (int i = 0; i < draws; ++i) {
        const auto length = Agh2015::length(random);
        sum += std::min(length, 1000.0);
        single += length == 1 ? 1 : 0;
    }
    CHECK(sum / draws == doctest::Approx(Agh2015::mean_up_to(1000)).epsilon(0.02));
    CHECK(single / double{draws} == doctest::Approx(0.478).epsilon(0.01));
    // met by a random packet: P(n) is n p(n) / mean
    int single_met = 0;
    for (int i = 0; i < draws; ++i) {
        single_met += Agh2015::length_biased(random) == 1 ? 1 : 0;
    }
    CHECK(single_met / double{draws} == doctest::Approx(0.478 / 76.5).epsilon(0.06));
}

TEST_CASE("every model keeps its mean, and what is left of a life met at random has the mean that renewal theory gives") {
    const auto check = [](const LifetimeModel& model, double mean, double residual, double tolerance) {
        CHECK(model.mean() == doctest::Approx(mean).epsilon(0.001));
        Random random{11};
        double whole_sum = 0;
        double left_sum = 0;
        constexpr int draws = 300'000;
        for (int i = 0; i < draws; ++i) {
            whole_sum += model.whole(random);
            left_sum += model.residual(random);
        }
        CHECK(whole_sum / draws == doctest::Approx(mean).epsilon(tolerance));
        if (residual > 0) {
            CHECK(left_sum / draws == doctest::Approx(residual).epsilon(tolerance));
        }
        return left_sum / draws;
    };
    check(*exponential_lifetime(5), 5, 5, 0.01);
    check(*fixed_lifetime(4), 4, 2, 0.01);
    const auto heavy = agh2015_lifetime(5, 300);
    Random random{3};
    double square = 0;
    double longest = 0;
    constexpr int draws = 1'000'000;
    for (int i = 0; i < draws; ++i) {
        const auto life = heavy->whole(random);
        square += life * life;
        longest = std::max(longest, life);
    }
    CHECK(longest == 300);
    check(*heavy, 5, square / draws / 2 / 5, 0.03);
    CHECK_THROWS_AS(agh2015_lifetime(300, 300), std::invalid_argument);
}

TEST_CASE("the wheel calls each flow once, not before its time and in the slot after it at the latest") {
    Wheel wheel{1000};
    wheel.begin(0);
    Random random{5};
    std::map<std::uint32_t, std::uint64_t> due;
    for (std::uint32_t flow = 0; flow < 1000; ++flow) {
        due[flow] = random.below(200'000'000'000);  // three times round
        wheel.put(flow, due[flow]);
    }
    constexpr std::uint64_t slot = std::uint64_t{1} << Wheel::slot_shift;
    std::size_t called = 0;
    for (std::uint64_t now = 0; now < 201'000'000'000; now += slot / 2) {
        wheel.advance(now, 16, [&](std::uint32_t flow) {
            ++called;
            CHECK(due.at(flow) <= now);
            CHECK(now - due.at(flow) <= 3 * slot);
            due.erase(flow);
        });
    }
    CHECK(called == 1000);
}

TEST_CASE("turns are fair while flows come and go") {
    Living living{200};
    std::map<std::uint32_t, int> turns;
    const auto add = [&](std::uint32_t flow) {
        SendRecord record{};
        record.flow = flow;
        living.insert(record);
    };
    for (std::uint32_t flow = 0; flow < 100; ++flow) {
        add(flow);
    }
    Random random{9};
    std::uint32_t gone = 0;
    for (int round = 0; round < 100; ++round) {
        for (std::uint32_t i = 0, all = living.size(); i < all && living.size() > 0; ++i) {
            ++turns[living.at(living.turn()).flow];
            living.advance(1);
            if (random.below(50) == 0 && gone < 60) {  // of the first 60 one after the other goes
                living.remove(gone++);
            }
        }
    }
    int least = 1 << 30;
    int most = 0;
    for (std::uint32_t flow = 60; flow < 100; ++flow) {
        least = std::min(least, turns[flow]);
        most = std::max(most, turns[flow]);
    }
    CHECK(most - least <= 1);
    CHECK(living.size() == 40);
    for (std::uint32_t flow = 60; flow < 100; ++flow) {
        CHECK(living.of(flow).flow == flow);
    }
}

TEST_CASE("a paced second has its packets, in bursts") {
    for (const double rate : {1.0, 1000.0, 1'488'095.0, 20e6}) {
        Pacer pacer;
        pacer.begin(rate, 1'000);
        std::uint64_t sent = 0;
        unsigned largest = 0;
        for (std::uint64_t now = 1'000; now <= 1'000'001'000; now += 700) {
            const auto due = pacer.due(now);
            largest = std::max(largest, due);
            pacer.issued(due);
            sent += due;
        }
        pacer.finish(1'000'001'000);
        while (!pacer.finished()) {
            const auto due = pacer.due(1'000'001'000);
            REQUIRE(due > 0);
            pacer.issued(due);
            sent += due;
        }
        CHECK(std::abs(static_cast<double>(sent) - rate) <= 1);
        CHECK(pacer.intended() == sent);
        CHECK(pacer.given_up() == 0);
        CHECK(largest <= Pacer::largest_burst);
    }
}

TEST_CASE("what a pause has left is made good slowly, what is a second old is given up and counted") {
    Pacer pacer;
    pacer.begin(1e6, 0);
    std::uint64_t now = 20'000'000;  // nobody asked for 20 ms
    std::uint64_t sent = 0;
    std::uint64_t in_one_ms = 0;
    for (; now < 21'000'000; now += 1'000) {
        const auto due = pacer.due(now);
        pacer.issued(due);
        in_one_ms += due;
    }
    CHECK(in_one_ms <= 1000 * Pacer::catch_up + Pacer::largest_step);
    CHECK(in_one_ms >= 1000 * Pacer::catch_up + Pacer::largest_step - Pacer::largest_burst);
    for (sent = in_one_ms; now < 200'000'000; now += 1'000) {
        const auto due = pacer.due(now);
        pacer.issued(due);
        sent += due;
    }
    CHECK(sent == doctest::Approx(200'000).epsilon(0.001));
    CHECK(pacer.due(5'000'000'000) > 0);
    CHECK(pacer.given_up() == doctest::Approx(3'800'000).epsilon(0.001));
    CHECK(pacer.intended() == doctest::Approx(5'000'000).epsilon(0.001));
}

TEST_CASE("a new rate counts from its moment on, and without a rate every burst is full") {
    Pacer pacer;
    pacer.begin(1000, 0);
    pacer.set_rate(100'000, 1'000'000'000);
    CHECK(pacer.intended() == 1000);
    Pacer unlimited;
    unlimited.begin_unlimited(0);
    CHECK(unlimited.due(0) == Pacer::largest_burst);
    unlimited.issued(10);
    CHECK(unlimited.intended() == 10);
}
