#include <doctest/doctest.h>

#include "functions/state_codec.hpp"

using namespace nfvcert::functions;
using nlohmann::json;

namespace {

const StateCodec version_1{{1}, {1}, 1};
const StateCodec version_2{{1, 2}, {1, 2}, 2};

StateSnapshot sample() {
    const MacAddress lb{{2, 0, 0, 0, 0, 1}};
    return {{Protocol::udp, {{0xc6121001}, 4000}, {{0xc6130005}, 1024}, {{0xc6130101}, 7}, lb, TcpState::none, 5'000'000},
            {Protocol::tcp, {{0xc6121002}, 4001}, {{0xc6130005}, 1025}, {{0xc6130101}, 80}, lb, TcpState::established, 0},
            {Protocol::icmp, {{0xc6121003}, 77}, {{0xc6130005}, 1026}, {{0xc6130101}, 0}, lb, TcpState::none, 1'000'000}};
}

bool same(const StateSnapshot& left, const StateSnapshot& right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](const auto& a, const auto& b) {
        return a.protocol == b.protocol && a.inside == b.inside && a.external == b.external && a.remote == b.remote &&
               a.inside_mac == b.inside_mac && a.tcp == b.tcp && a.idle_ns == b.idle_ns;
    });
}

}  // namespace

TEST_CASE("both formats carry the whole state") {
    for (const int format : {1, 2}) {
        const auto text = version_2.encode(sample(), format).dump();
        CHECK(same(version_2.decode(json::parse(text)), sample()));
    }
}

TEST_CASE("the old version neither reads nor writes the new format") {
    CHECK_THROWS_AS((void)version_1.encode({}, 2), StateFormatError);
    CHECK_THROWS_AS((void)version_1.decode(version_2.encode(sample(), 2)), StateFormatError);
    CHECK(same(version_1.decode(version_2.encode(sample(), 1)), sample()));
    CHECK(same(version_2.decode(version_1.encode(sample(), 1)), sample()));
}

TEST_CASE("damaged state is refused with a reason") {
    const auto good = version_2.encode(sample(), 1);
    const auto good_2 = version_2.encode(sample(), 2);
    const auto refuses = [](const json& state) { CHECK_THROWS_AS((void)version_2.decode(state), StateFormatError); };
    refuses(json::array());
    refuses(json::object());
    refuses({{"format", 3}});
    refuses({{"format", "1"}, {"sessions", json::array()}});
    refuses({{"format", 1}});
    refuses({{"format", 1}, {"sessions", {1, 2}}});
    for (const auto* key : {"protocol", "inside", "external", "remote", "mac", "tcp", "idle_ms"}) {
        auto missing = good;
        missing["sessions"][0].erase(key);
        refuses(missing);
        auto wrong = good;
        wrong["sessions"][0][key] = "x";
        refuses(wrong);
        wrong["sessions"][0][key] = -1;
        refuses(wrong);
    }
    for (std::size_t i = 0; i < 8; ++i) {
        auto wrong = good_2;
        wrong["users"][0]["sessions"][0][i] = nullptr;
        refuses(wrong);
    }
}
