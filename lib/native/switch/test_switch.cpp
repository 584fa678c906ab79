#include <doctest/doctest.h>

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "dpdk/control.hpp"
#include "switch/flow_table.hpp"
#include "switch/identity.hpp"
#include "switch/mac.hpp"
#include "switch/mapped_store.hpp"
#include "switch/orders.hpp"
#include "switch/rule_table.hpp"

using namespace nfvcert::switching;

namespace {

FlowKey key(std::uint32_t number) { return {0x0a00'0000U + number, 0xc612'0001U, 1234, 80, 17}; }

std::vector<std::uint8_t> udp_frame(const FlowKey& flow, std::uint16_t fragment = 0) {
    std::vector<std::uint8_t> frame(60);
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[17] = 46;
    frame[20] = static_cast<std::uint8_t>(fragment >> 8);
    frame[21] = static_cast<std::uint8_t>(fragment);
    frame[23] = flow.protocol;
    for (unsigned i = 0; i < 4; ++i) {
        frame[26 + i] = static_cast<std::uint8_t>(flow.source >> (24 - 8 * i));
        frame[30 + i] = static_cast<std::uint8_t>(flow.destination >> (24 - 8 * i));
    }
    frame[34] = static_cast<std::uint8_t>(flow.source_port >> 8);
    frame[35] = static_cast<std::uint8_t>(flow.source_port);
    frame[36] = static_cast<std::uint8_t>(flow.destination_port >> 8);
    frame[37] = static_cast<std::uint8_t>(flow.destination_port);
    return frame;
}

Rule range(std::string name, std::uint16_t low, std::uint16_t high, PortIndex port, int priority = 0) {
    return {std::move(name), "", port, priority, IdRange{low, high}, {}};
}

Rule exception(std::string name, const FlowKey& flow, PortIndex port) {
    return {std::move(name), "", port, 0, {}, flow};
}

struct Store {
    explicit Store(std::size_t flows) : mapped{"", flows, true} {}
    MappedStore mapped;
};

}  // namespace

TEST_CASE("a frame shows its flow, or that it has none") {
    const FlowKey flow{0xc612'0001, 0x0a01'0203, 4660, 53, 17};
    const auto frame = udp_frame(flow);
    CHECK(key_of(frame.data(), frame.size()) == flow);
    const auto later = udp_frame(flow, 0x2003);  // offset 24: what stands there are no ports
    const auto found = key_of(later.data(), later.size());
    REQUIRE(found);
    CHECK(found->source_port == 0);
    CHECK(flow_id(*found, Identity::addresses) == flow_id(flow, Identity::addresses));
    for (std::size_t length = 0; length < 34; ++length) {
        CHECK_FALSE(key_of(frame.data(), length));
    }
    CHECK(tcp_flags(frame.data()) == 0);
    auto segment = udp_frame({0xc612'0001, 0x0a01'0203, 4660, 53, 6});
    segment[47] = tcp_fin | tcp_ack;
    CHECK(tcp_flags(segment.data()) == (tcp_fin | tcp_ack));
    segment[17] = 33;  // ends before its flags
    CHECK(tcp_flags(segment.data()) == 0);
    auto arp = frame;
    arp[13] = 0x06;
    CHECK_FALSE(key_of(arp.data(), arp.size()));
    auto options = frame;
    options[14] = 0x4f;  // the header would be longer than the packet
    CHECK_FALSE(key_of(options.data(), options.size()));
}

TEST_CASE("fragments of a datagram are of one flow where addresses alone tell flows apart") {
    const FlowKey flow{0xc612'0001, 0x0a01'0203, 4660, 53, 17};
    const FlowKey all{0xc612'0001, 0x0a01'0203, 0, 0, 17};
    for (const auto& frame : {udp_frame(flow), udp_frame(flow, 0x2000), udp_frame(flow, 0x0003)}) {
        CHECK(key_of(frame.data(), frame.size(), Identity::addresses) == all);
    }
    const auto first = udp_frame(flow, 0x2000);
    const auto later = udp_frame(flow, 0x0003);
    CHECK(key_of(first.data(), first.size()) != key_of(later.data(), later.size()));
}

TEST_CASE("an ICMP error is of the flow of which it quotes a packet that went the other way") {
    const FlowKey flow{0xc612'0001, 0x0a01'0203, 4660, 53, 17};
    const auto quoted = udp_frame(reversed(flow));
    const auto error_of = [&](std::uint8_t type, std::size_t octets) {
        auto frame = udp_frame({0xc612'0001, 0x0a01'0203, 0, 0, 1});
        frame.resize(14 + 20 + 8);
        frame[34] = type;
        frame.insert(frame.end(), quoted.begin() + 14, quoted.begin() + 14 + static_cast<std::ptrdiff_t>(octets));
        frame[16] = 0;
        frame[17] = static_cast<std::uint8_t>(frame.size() - 14);
        return frame;
    };
    for (const std::uint8_t type : {3, 4, 5, 11, 12}) {
        const auto frame = error_of(type, 28);
        CHECK(key_of(frame.data(), frame.size()) == flow);
        CHECK(key_of(frame.data(), frame.size(), Identity::addresses) == FlowKey{flow.source, flow.destination, 0, 0, 17});
    }
    const FlowKey own{0xc612'0001, 0x0a01'0203, 0, 0, 1};
    const auto echo = error_of(8, 28);
    CHECK(key_of(echo.data(), echo.size()) == own);
    const auto cut = error_of(3, 19);  // no whole header is quoted
    CHECK(key_of(cut.data(), cut.size()) == own);
    const auto without_ports = error_of(3, 23);
    CHECK(key_of(without_ports.data(), without_ports.size()) == FlowKey{flow.source, flow.destination, 0, 0, 17});
}

TEST_CASE("exceptions win over ranges, ranges of higher priority over others, what nobody matches has no port") {
    const RulePolicy policy;
    RuleTable table{8, Identity::five_tuple, policy};
    const auto id = flow_id(key(1), Identity::five_tuple);
    table.change({}, {range("all", 0, 40'000, 1), range("one", id, id, 2, 1)});
    CHECK(table.compile()->port_of(key(1), id) == 2);
    CHECK(table.compile()->port_of(key(2), 100) == 1);
    CHECK(table.compile()->port_of(key(2), 40'001) == no_port);
    table.add(exception("old", key(1), 3));
    CHECK(table.compile()->port_of(key(1), id) == 3);
    CHECK(table.compile()->port_of(key(7), id) == 2);  // the same id, another flow
}

TEST_CASE("a change is taken whole or not at all") {
    const RulePolicy policy;
    RuleTable table{3, Identity::five_tuple, policy};
    table.change({}, {range("low", 0, 9, 1), range("high", 10, 19, 2)});
    const auto refused = [&](const std::vector<std::string>& removed, const std::vector<Rule>& added) {
        try {
            table.change(removed, added);
        } catch (const RuleRefusal& error) {
            return error.code;
        }
        return std::string{"taken"};
    };
    CHECK(refused({"low"}, {range("a", 0, 4, 1), range("b", 5, 5, 1), range("c", 6, 6, 1)}) == "table-full");
    CHECK(refused({}, {range("again", 19, 25, 1)}) == "overlap");
    CHECK(refused({}, {range("inside", 3, 4, 1)}) == "overlap");
    CHECK(refused({}, {range("around", 0, 65'535, 1)}) == "overlap");
    CHECK(refused({}, {exception("low", key(1), 1)}) == "duplicate-rule");
    CHECK(refused({"none"}, {}) == "unknown-rule");
    CHECK(refused({"low"}, {exception("x", key(1), 1), exception("y", key(1), 2)}) == "overlap");
    CHECK(table.rules().size() == 2);
    CHECK(table.rules().contains("low"));
    CHECK(refused({"low", "high"}, {range("all", 0, 65'535, 1), range("over", 0, 65'535, 2, 1)}) == "taken");
    CHECK(table.compile()->port_of(key(1), 65'535) == 2);
    CHECK(refused({"all"}, {exception("x", key(1), 1)}) == "taken");
    CHECK(refused({"x"}, {exception("y", key(1), 2)}) == "taken");
}

TEST_CASE("2,048 rules answer as a plain search does") {
    std::mt19937 random{7};
    const RulePolicy policy;
    RuleTable table{2048, Identity::five_tuple, policy};
    std::map<std::uint32_t, PortIndex> exceptions;
    std::vector<Rule> rules;
    for (std::uint32_t i = 0; i < 1024; ++i) {
        const auto low = static_cast<std::uint16_t>(i * 64);
        rules.push_back(range("r" + std::to_string(i), low, static_cast<std::uint16_t>(low + random() % 64),
                              static_cast<PortIndex>(random() % 16)));
        exceptions[i * 5] = static_cast<PortIndex>(random() % 16);
        rules.push_back(exception("e" + std::to_string(i), key(i * 5), exceptions[i * 5]));
    }
    table.change({}, rules);
    const auto compiled = table.compile();
    for (std::uint32_t number = 0; number < 20'000; ++number) {
        const auto id = flow_id(key(number), Identity::five_tuple);
        auto expected = no_port;
        for (const auto& rule : rules) {
            if (rule.range && rule.range->low <= id && id <= rule.range->high) {
                expected = rule.port;
            }
        }
        if (const auto found = exceptions.find(number); found != exceptions.end()) {
            expected = found->second;
        }
        REQUIRE(compiled->port_of(key(number), id) == expected);
    }
}

TEST_CASE("the flow table agrees with a map through births, ends and changes of owner") {
    Store store{2000};
    FlowTable table{store.mapped.store(), 2000, 3, 0, 0};
    std::map<std::uint32_t, Owner> model;
    std::mt19937 random{3};
    for (int step = 0; step < 200'000; ++step) {
        const auto number = static_cast<std::uint32_t>(random() % 3000);
        const auto hash = hash_of(key(number));
        auto* flow = table.find(key(number), hash);
        REQUIRE((flow != nullptr) == model.contains(number));
        if (flow == nullptr) {
            const auto owner = static_cast<Owner>(random() % 3);
            const auto* made = table.insert(key(number), hash, static_cast<std::uint16_t>(number % 100), owner, 1);
            REQUIRE((made == nullptr) == (model.size() == 2000));
            if (made != nullptr) {
                model[number] = owner;
            }
        } else if (random() % 4 == 0) {
            model[number] = static_cast<Owner>(random() % 3);
            table.change_owner(*flow, model[number]);
        } else {
            REQUIRE(flow->owner == model[number]);
            table.erase(flow);
            model.erase(number);
        }
    }
    CHECK(table.size() == model.size());
    std::array<std::size_t, 3> owned{};
    for (const auto& [number, owner] : model) {
        ++owned[owner];
    }
    for (Owner owner = 0; owner < 3; ++owner) {
        std::size_t sum = 0;
        for (const auto count : table.counts(owner)) {
            sum += count;
        }
        CHECK(table.count(owner) == owned[owner]);
        CHECK(sum == owned[owner]);
    }
}

TEST_CASE("flows end after their silence, not before, all within a look round") {
    Store store{100};
    FlowTable table{store.mapped.store(), 100, 1, 0, 0};
    for (std::uint32_t number = 0; number < 100; ++number) {
        table.insert(key(number), hash_of(key(number)), 0, 0, number < 50 ? 1'000 : 5'000);
    }
    for (std::uint64_t now = 1'000; now <= 11'000; now += 10) {
        table.expire(now, 10'000, 500, 100);
    }
    CHECK(table.size() == 100);
    for (std::uint64_t now = 11'001; now <= 11'300; now += 10) {
        table.expire(now, 10'000, 500, 100);
    }
    CHECK(table.size() == 50);
    CHECK(table.find(key(10), hash_of(key(10))) == nullptr);
    CHECK(table.find(key(70), hash_of(key(70))) != nullptr);
}

TEST_CASE("a store in a file is taken up again, one that is none is not") {
    const auto path = "/tmp/nfvcert-test-store-" + std::to_string(::getpid());
    {
        MappedStore mapped{path, 64, true};
        FlowTable table{mapped.store(), 64, 2, 7, 1'000};
        table.insert(key(1), hash_of(key(1)), 5, 1, 77);
        table.by_id()[9] = 1;
    }
    {
        MappedStore mapped{path, 64, false};
        FlowTable table{mapped.store(), 64, 2, 7, 1'000};
        REQUIRE(table.size() == 1);
        CHECK(table.find(key(1), hash_of(key(1)))->owner == 1);
        CHECK(table.owner_of_new(9) == 1);
        CHECK(table.count(1) == 1);
        mapped.store().magic = 1;
    }
    MappedStore mapped{path, 64, false};
    FlowTable table{mapped.store(), 64, 2, 7, 1'000};
    CHECK(table.size() == 0);
    CHECK(table.owner_of_new(9) == no_owner);
    ::unlink(path.c_str());
}

TEST_CASE("a store of other owners is not taken up, one of another start of the machine is, and ends") {
    Store store{64};
    {
        FlowTable table{store.mapped.store(), 64, 2, 7, 1'000};
        table.insert(key(1), hash_of(key(1)), 5, 1, 1'000'000);
    }
    {
        FlowTable table{store.mapped.store(), 64, 2, 7, 100};  // the counter began anew
        REQUIRE(table.size() == 1);
        table.expire(100, 1'000, 1'000, 10);
        table.expire(1'200, 1'000, 1'000, 10);
        CHECK(table.size() == 0);
        table.insert(key(1), hash_of(key(1)), 5, 1, 1'200);
    }
    const FlowTable table{store.mapped.store(), 64, 2, 8, 1'300};
    CHECK(table.size() == 0);
}

TEST_CASE("a kill while a flow moves to a free place leaves neither a flow twice nor one of another owner") {
    Store store{64};
    {
        FlowTable table{store.mapped.store(), 64, 2, 7, 1'000};
        for (std::uint32_t number = 0; number < 3; ++number) {
            table.insert(key(number), hash_of(key(number)), static_cast<std::uint16_t>(number), number == 2, 1'000);
        }
        // half of the last flow has come to the place of the first when the process is killed
        table.flows()[0].key = key(2);
    }
    FlowTable table{store.mapped.store(), 64, 2, 7, 1'000};
    CHECK(table.size() == 2);
    const auto* moved = table.find(key(2), hash_of(key(2)));
    REQUIRE(moved != nullptr);
    CHECK(moved->owner == 1);
    CHECK(moved->id == 2);
    CHECK(table.count(0) == 1);
    CHECK(table.count(1) == 1);
    CHECK(table.counts(0)[0] == 0);
}

TEST_CASE("a reset or both FINs end a TCP connection after a linger, a SYN begins another") {
    Store store{64};
    FlowTable table{store.mapped.store(), 64, 2, 0, 0};
    const FlowKey there{0x0a00'0001, 0xc612'0001, 1234, 80, 6};
    const FlowKey back{0xc612'0001, 0x0a00'0001, 80, 1234, 6};
    const auto enter = [&](const FlowKey& flow) { return table.insert(flow, hash_of(flow), 0, 0, 1'000); };
    const auto living_at = [&](std::uint64_t now) {
        table.expire(1'001, 10'000, 100, 1);
        table.expire(now, 10'000, 100, 1);
        return table.size();
    };
    SUBCASE("one direction alone goes on") {
        table.follow_tcp(*enter(there), tcp_fin | tcp_ack);
        table.follow_tcp(*table.find(there, hash_of(there)), tcp_fin | tcp_ack);
        CHECK(living_at(1'200) == 1);
    }
    SUBCASE("both") {
        table.follow_tcp(*enter(there), tcp_fin | tcp_ack);
        table.follow_tcp(*enter(back), tcp_fin | tcp_ack);
        CHECK(living_at(1'050) == 2);
        CHECK(living_at(1'200) == 0);
    }
    SUBCASE("reset") {
        table.follow_tcp(*enter(there), tcp_rst);
        CHECK(living_at(1'200) == 0);
    }
    SUBCASE("the same ports again") {
        auto* flow = enter(there);
        table.follow_tcp(*flow, tcp_rst);
        table.follow_tcp(*flow, tcp_syn);
        CHECK(living_at(1'200) == 1);
    }
}

TEST_CASE("orders name flows and ranges, anything else is refused") {
    using nfvcert::dpdk::Refusal;
    using nlohmann::json;
    CHECK(key_from_json(json::parse("[167772161,3323068417,1234,80,17]")) == key(1));
    CHECK(key_to_json(key(1)) == json::parse("[167772161,3323068417,1234,80,17]"));
    CHECK(range_of(json::parse("[7,65535]")).high == 65'535);
    for (const auto* wrong : {"[1,2,3,4]", "[4294967296,2,3,4,17]", "[1,2,65536,4,17]", "[1,2,3,4,256]", "[-1,2,3,4,17]", "7"}) {
        CHECK_THROWS_AS(key_from_json(json::parse(wrong)), Refusal);
    }
    for (const auto* wrong : {"[7]", "[8,7]", "[0,65536]", "[\"0\",1]"}) {
        CHECK_THROWS_AS(range_of(json::parse(wrong)), Refusal);
    }
    CHECK(mac_of("02:4e:46:01:00:0a") == 0x024e'4601'000a);
    for (const auto* wrong : {"02:4e:46:01:00", "02:4e:46:01:00:0a:", "02-4e-46-01-00-0a"}) {
        CHECK_THROWS_AS(mac_of(wrong), std::invalid_argument);
    }
}

TEST_CASE("addresses are found among many") {
    MacTable table;
    for (Mac mac = 1; mac <= 17; ++mac) {
        table.set(0x024e'4601'0000 + mac, static_cast<std::uint8_t>(mac));
    }
    for (Mac mac = 1; mac <= 17; ++mac) {
        CHECK(table.find(0x024e'4601'0000 + mac) == mac);
    }
    CHECK(table.find(0x024e'4602'0001) == MacTable::none);
    std::array<std::uint8_t, 8> octets{};
    store_mac(octets.data(), 0x024e'4601'000a);
    CHECK(load_mac(octets.data()) == 0x024e'4601'000a);
    CHECK(octets[6] == 0);
}
