"""Messages of OpenFlow, and how rules become entries of Open vSwitch and are found again in a dump."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.dataplane.identity import IDS, Identity, flow
from nfvcert.dataplane.openflow import Field, FlowEntry, FlowMod, flows, wire
from nfvcert.dataplane.openflow.flows import Command
from nfvcert.dataplane.ranges import prefix_entries
from nfvcert.dataplane.rules import FlowRule, RangeRule, Rule
from nfvcert.dataplane.switch.pipeline import RULES, changes, document, owner_tag, rules_of, static_flows

PORTS = {"source": 1, "sink": 2, "s1": 3, "s2": 4}
NAMES = {number: name for name, number in PORTS.items()}

ids = st.integers(0, IDS - 1)
addresses = st.integers(0, 2**32 - 1)
servers = st.sampled_from(["s1", "s2"])
exceptions = st.builds(
    lambda src, dst, sport, dport, proto, port: FlowRule(
        flow(src, dst, sport, dport, proto, Identity.SOURCE_PORT), port
    ),
    addresses,
    addresses,
    ids,
    ids,
    st.sampled_from([6, 17]),
    servers,
)
ranges = st.builds(
    lambda one, two, port, priority: RangeRule(min(one, two), max(one, two), port, priority),
    ids,
    ids,
    servers,
    st.integers(0, 1),
)


def entries_of(rules: list[Rule], owner: str) -> list[FlowEntry]:
    """What a switch would answer after these rules were added, by way of the wire."""
    found = []
    for rule in rules:
        for mod in changes(rule, Command.ADD, owner, PORTS):
            [message] = wire.Framer().feed(mod.encode(7))
            sent = FlowMod.decode(message.body)
            assert sent == mod
            found.append(FlowEntry(sent.table, sent.priority, sent.cookie, sent.match, sent.output))
    return found


@given(st.lists(st.one_of(ranges, exceptions), max_size=12, unique_by=lambda rule: rule.name))
def test_rules_are_found_again_in_what_the_switch_holds(rules: list[Rule]) -> None:
    entries = entries_of(rules, "nfvcert")
    found = rules_of([*entries, *entries_of([RangeRule(5, 9, "s1")], "tenant")], "nfvcert", NAMES)
    assert {rule.name: rule for rule in found} == {rule.name: rule for rule in rules}


@given(ranges)
def test_a_range_costs_what_the_planners_reckon_and_covers_its_ids_once(rule: RangeRule) -> None:
    entries = entries_of([rule], "nfvcert")
    assert len(entries) == prefix_entries(np.array([rule.lo]), np.array([rule.hi]))[0]
    told = [document(entry, {owner_tag("nfvcert"): "nfvcert"}, NAMES) for entry in entries]
    covered = sorted(id for raw in told for id in range(raw["range"][0], raw["range"][1] + 1))
    assert covered == list(range(rule.lo, rule.hi + 1))
    assert {(raw["port"], raw["owner"], raw["priority"]) for raw in told} == {(rule.port, "nfvcert", rule.priority)}


def test_exceptions_are_told_by_their_flow_and_strangers_by_their_tag() -> None:
    [entry] = entries_of([FlowRule(flow(1, 2, 3, 4, 17, Identity.SOURCE_PORT), "s2")], "tenant")
    told = document(entry, {owner_tag("nfvcert"): "nfvcert"}, NAMES)
    assert told == {"rule": "1-2-3-4-17", "flow": [1, 2, 3, 4, 17], "port": "s2", "owner": f"{owner_tag('tenant'):08x}"}


def test_a_flow_without_ports_is_told_apart_by_addresses_alone() -> None:
    [entry] = entries_of([FlowRule(flow(1, 2, 0, 0, 1, Identity.SOURCE_PORT), "s2")], "nfvcert")
    assert set(entry.match) == {Field.ETH_TYPE, Field.IP_PROTO, Field.IPV4_SRC, Field.IPV4_DST}


def test_exceptions_have_priority_over_every_range() -> None:
    exact, whole = entries_of([FlowRule(flow(1, 2, 3, 4, 17), "s2"), RangeRule(0, IDS - 1, "s1", 1)], "nfvcert")
    assert exact.priority > whole.priority
    assert whole.match == {}


def test_only_what_the_source_sends_meets_the_limited_table() -> None:
    lines = static_flows(PORTS, {"sink": "02:4e:46:00:00:02", "s1": "02:4e:46:01:00:01"})
    assert all("in_port=1," in line for line in lines if f"goto_table:{RULES}" in line)
    assert not [line for line in lines if line.startswith(f"table={RULES},")]
    assert [line.rpartition(":")[2] for line in lines if "dl_dst" in line] == ["2", "3"]


@given(st.binary(max_size=64), st.integers(1, 7))
def test_messages_are_cut_from_a_stream_wherever_it_is_torn(body: bytes, size: int) -> None:
    stream = wire.pack(wire.Kind.ECHO_REQUEST, 1, body) + wire.pack(wire.Kind.ECHO_REPLY, 2)
    framer = wire.Framer()
    found = [message for at in range(0, len(stream), size) for message in framer.feed(stream[at : at + size])]
    assert [(m.kind, m.xid, m.body) for m in found] == [(2, 1, body), (3, 2, b"")]


def test_matches_keep_fields_that_are_not_known_here() -> None:
    match = {0x80000606: (0x024E46000002, None), int(Field.REGISTER_0): (0x8000, 0xFF00)}
    encoded = flows.encode_match(match)
    assert len(encoded) % 8 == 0
    assert flows.decode_match(encoded + b"rest") == (match, b"rest")
