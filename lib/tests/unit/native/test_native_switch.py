"""The switches as programs: real frames through raw sockets of a namespace, orders over their control sockets."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP
from switch_stand import FLOWS, SERVERS, SINK, Wires, hardware_switch, in_half, key, owned, packet, running

from nfvcert.dataplane.control import ControlClient, OrderRefused
from nfvcert.dataplane.identity import Identity, flow_id
from nfvcert.errors import TestbedError
from nfvcert.traffic.native import NativeProcess
from waiting import eventually


@pytest.fixture
def wires(tmp_path: Path) -> Iterator[Wires]:
    found = Wires(tmp_path)
    yield found
    found.close()


def test_packets_go_where_ranges_and_exceptions_say(wires: Wires) -> None:
    low, high = in_half(False), in_half(True)
    with hardware_switch(wires) as switch:
        halves = [
            {"rule": "low", "range": [0, 32767], "port": "s1"},
            {"rule": "high", "range": [32768, 65535], "port": "s2"},
        ]
        assert switch.call("apply", add=halves)["used"] == 2
        wires.send("source", packet(low))
        wires.send("source", packet(high))
        assert bytes(wires.receive("s1"))[:60] == bytes(packet(low))[:60]
        assert wires.receive("s2")[IP].src == high[0]
        switch.call("apply", add=[{"rule": "old", "flow": key(high), "port": "s1"}])
        wires.send("source", packet(high))
        assert wires.receive("s1")[IP].src == high[0]
        wires.send("s1", packet(low, to=SINK))
        wires.send("s1", packet(high, to=SERVERS["s2"]))
        assert wires.receive("sink")[IP].src == low[0]
        assert wires.receive("s2")[IP].src == high[0]
        dump = switch.call("dump")
        assert [rule for rule in dump["rules"] if rule["rule"] == "old"] == [
            {"rule": "old", "flow": key(high), "port": "s1", "owner": ""}
        ]
        assert "rules" not in switch.call("dump", known=dump["generation"])
        switch.call("apply", remove=["low", "high", "old"])
        assert switch.call("dump", known=dump["generation"])["rules"] == []
        wires.send("source", packet(low))
        assert wires.silent("s1")
        assert switch.call("counters")["no_rule"] == 1


def test_a_full_table_is_an_error_and_leaves_everything_as_it_was(wires: Wires) -> None:
    with hardware_switch(wires, capacity=2) as switch:
        switch.call("apply", add=[{"rule": "all", "range": [0, 65535], "port": "s1"}])
        more = [{"rule": f"x{n}", "flow": key(FLOWS[n]), "port": "s2"} for n in range(2)]
        with pytest.raises(OrderRefused, match="all 2 entries of the table are taken") as refused:
            switch.call("apply", add=more)
        assert (refused.value.code, refused.value.answer["free"], refused.value.answer["needed"]) == (
            "table-full",
            1,
            2,
        )
        assert switch.call("info")["used"] == 1
        one_by_one = switch.call("apply", add=more, atomic=False)
        assert (one_by_one["applied"], [r["code"] for r in one_by_one["refused"]]) == (1, ["table-full"])


def test_a_slow_switch_takes_its_time_and_one_that_refuses_says_so(wires: Wires) -> None:
    with hardware_switch(wires, rule_delay_us=20_000, refuse_every=3) as switch:
        begin = time.monotonic()
        rules = [{"rule": f"x{n}", "flow": key(FLOWS[n]), "port": "s2"} for n in range(4)]
        found = switch.call("apply", add=rules, atomic=False)
        assert time.monotonic() - begin >= 0.08
        assert [r["rule"] for r in found["refused"]] == ["x2"]
        with pytest.raises(OrderRefused) as refused:
            switch.call("apply", remove=[f"x{n}" for n in (0, 1, 3)])
        assert refused.value.code == "refused"
        assert switch.call("info")["used"] == 3


@contextlib.contextmanager
def server_switch(wires: Wires, **more: Any) -> Iterator[tuple[NativeProcess, ControlClient]]:
    ports = {name: f"af_packet:iface={name},qdisc_bypass=0" for name in ("uplink", "v1")}
    peers = {"s2": SERVERS["s2"]}
    with running(wires, "nfvcert-server-switch", server="s1", ports=ports, peers=peers, **more) as found:
        yield found


def test_a_known_flow_stays_when_its_range_goes_elsewhere(wires: Wires) -> None:
    for name in ("uplink", "v1"):
        wires.add(name)
    old, new = [f for f in FLOWS if flow_id(*key(f)) >= 32768][:2]
    with server_switch(wires, idle_timeout_ms=300) as (_, server):
        server.call("set_ranges", **owned("v1"))
        wires.send("uplink", packet(old))
        wires.receive("v1")
        server.call("set_ranges", **owned("v1", "s2"))
        for flow in (old, new):
            wires.send("uplink", packet(flow))
        assert wires.receive("v1")[IP].src == old[0]
        sent_on = wires.receive("uplink")
        assert (sent_on[IP].src, sent_on.dst, sent_on.src) == (new[0], SERVERS["s2"], "02:4e:46:00:01:00")
        assert server.call("count", ranges=[[32768, 65535]], owner="v1")["flows"] == 1
        [listed] = server.call("flows", owner="v1")["flows"]
        assert (listed[0], listed[1:6], listed[7]) == (flow_id(*key(old)), key(old), 2)
        assert server.call("counters")["detoured"]["s2"] == {"packets": 1, "bytes": 60}
        assert eventually(lambda: server.call("count", ranges=[[0, 65535]], owner="v1")["flows"] == 0)
        wires.send("uplink", packet(old))
        assert wires.receive("uplink").dst == SERVERS["s2"], "after its end it is a new flow"


def test_nothing_is_forgotten_over_a_kill(wires: Wires) -> None:
    for name in ("uplink", "v1"):
        wires.add(name)
    old = in_half(True)
    state = {"state_file": str(wires.folder / "s1.state"), "idle_timeout_ms": 60_000}
    with server_switch(wires, **state) as (process, server):
        server.call("set_ranges", **owned("v1"))
        wires.send("uplink", packet(old))
        wires.receive("v1")
        server.call("set_ranges", **owned("s2"))
        os.kill(process.pid, 9)
    with server_switch(wires, **state) as (_, server):
        wires.send("uplink", packet(old))
        assert wires.receive("v1")[IP].src == old[0]
        wires.send("uplink", packet(in_half(False)))
        assert wires.receive("uplink").dst == SERVERS["s2"]


def test_held_packets_follow_their_flow_in_order(wires: Wires) -> None:
    for name in ("uplink", "v1"):
        wires.add(name)
    flow = in_half(True)
    with server_switch(wires, idle_timeout_ms=5_000) as (_, server):
        server.call("set_ranges", **owned("v1"))
        wires.send("uplink", packet(flow))
        wires.receive("v1")
        assert server.call("hold_flows", ranges=[[0, 65535]])["flows"] == 1
        for sequence in range(3):
            held = packet(flow)
            held[IP].id = sequence
            wires.send("uplink", held)
        assert wires.silent("v1")
        moved = server.call("release_held", to="s2")
        assert (moved["flows"], moved["packets"]) == (1, 3)
        assert [wires.receive("uplink")[IP].id for _ in range(3)] == [0, 1, 2]


def test_what_goes_round_is_dropped_and_counted(wires: Wires) -> None:
    for name in ("uplink", "v1"):
        wires.add(name)
    with server_switch(wires) as (_, server):
        server.call("set_ranges", **owned("s2"))
        wires.send("uplink", packet(FLOWS[0], source="02:4e:46:00:03:00"))
        assert wires.silent("uplink")
        assert server.call("counters")["loops"] == 1


def test_the_identity_is_the_one_that_controllers_compute(wires: Wires) -> None:
    for name in ("uplink", "v1"):
        wires.add(name)
    with server_switch(wires, identity="addresses") as (_, server):
        server.call("set_ranges", **owned("v1"))
        for flow in FLOWS[:5]:
            wires.send("uplink", packet(flow))
            wires.receive("v1")
        found = {tuple(row[1:6]): row[0] for row in server.call("flows")["flows"]}
        # a flow of that identity is a pair of addresses, as later fragments name no ports
        keys = [(src, dst, 0, 0, proto) for src, dst, _, _, proto in map(key, FLOWS[:5])]
        assert found == {wanted: flow_id(*wanted, Identity.ADDRESSES) for wanted in keys}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"op": "set_ranges", **owned("s9")}, "unknown-owner"),
        ({"op": "set_ranges", **owned("v1"), "owners": []}, "bad-order"),
        ({"op": "expect_flows", "flows": [[1, 2, 3]], "to": "s2"}, "bad-order"),
        ({"op": "occupancy"}, "bad-order"),
        ({"op": "rewind"}, "unknown-order"),
    ],
)
def test_orders_that_make_no_sense_are_refused(wires: Wires, order: dict[str, Any], code: str) -> None:
    for name in ("uplink", "v1"):
        wires.add(name)
    with server_switch(wires) as (_, server):
        with pytest.raises(OrderRefused) as refused:
            server.call(**order)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"ports": {"source": "tap:x"}}, "port of unknown kind 'tap'"),
        ({"ports": {"source": "af_packet:iface=nowhere"}}, "'af_packet:iface=nowhere' cannot be created"),
        ({"ports": {}, "sink_mac": SINK, "servers": {}}, "the configuration has no port 'source'"),
        ({"ports": {}, "identity": "hash"}, "identity is five-tuple, addresses or source-port, found 'hash'"),
    ],
)
def test_a_switch_that_cannot_start_says_why(wires: Wires, configuration: dict[str, Any], said: str) -> None:
    with pytest.raises(TestbedError), running(wires, "nfvcert-switch", **configuration):
        pass
    assert said in (wires.folder / "nfvcert-switch.log").read_text()
