"""The switches as programs: real frames through raw sockets of a namespace, orders over their control sockets."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from nfvcert.dataplane.control import ControlClient, OrderRefused
from nfvcert.dataplane.identity import Identity, flow_id
from nfvcert.errors import TestbedError
from nfvcert.traffic.native import NativeProcess, binary

GATEWAY, SINK = "02:4e:46:02:00:01", "02:4e:46:00:00:02"
SERVERS = {"s1": "02:4e:46:01:00:01", "s2": "02:4e:46:01:00:02"}
WAIT_S = 1.0
CLONE_NEWNET = 0x40000000


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


def number(address: str) -> int:
    return int.from_bytes(socket.inet_aton(address), "big")


class Wires:
    """Links of a namespace; the program has one end of each, the test the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.netns = f"nfvt-{secrets.token_hex(3)}"
        self._sockets: dict[str, socket.socket] = {}
        run("ip", "netns", "add", self.netns)

    def add(self, name: str) -> str:
        """A link; answers the port for the program."""
        inside = ("ip", "-n", self.netns)
        run(*inside, "link", "add", name, "type", "veth", "peer", "name", f"t-{name}")
        for end in (name, f"t-{name}"):
            run("ip", "netns", "exec", self.netns, "sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1")
            run(*inside, "link", "set", end, "up")
        self._sockets[name] = self._inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        self._sockets[name].bind((f"t-{name}", 3))
        self._sockets[name].settimeout(WAIT_S)
        return f"af_packet:iface={name},qdisc_bypass=0"

    def send(self, name: str, frame: Any) -> None:
        self._sockets[name].send(bytes(frame))

    def receive(self, name: str) -> Ether:
        """The next frame that the program sent there."""
        while True:
            octets, address = self._sockets[name].recvfrom(2048)
            if address[2] != socket.PACKET_OUTGOING:
                return Ether(octets)

    def silent(self, name: str) -> bool:
        self._sockets[name].settimeout(0.1)
        try:
            self.receive(name)
        except TimeoutError:
            return True
        finally:
            self._sockets[name].settimeout(WAIT_S)
        return False

    def close(self) -> None:
        for each in self._sockets.values():
            each.close()
        run("ip", "netns", "del", self.netns)

    def _inside(self, action: Callable[[], socket.socket]) -> socket.socket:
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{self.netns}", os.O_RDONLY)
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            assert libc.setns(other, CLONE_NEWNET) == 0
            return action()
        finally:
            libc.setns(own, CLONE_NEWNET)
            os.close(own)
            os.close(other)


@pytest.fixture
def wires(tmp_path: Path) -> Iterator[Wires]:
    found = Wires(tmp_path)
    yield found
    found.close()


@contextlib.contextmanager
def running(wires: Wires, program: str, **configuration: Any) -> Iterator[tuple[NativeProcess, ControlClient]]:
    control = wires.folder / f"{program}.ctl"
    file = wires.folder / f"{program}.json"
    file.write_text(json.dumps({"memory_mib": 128, "packets": 4095, "control": str(control), **configuration}))
    process = NativeProcess([binary(program), "--config", file], log=wires.folder / f"{program}.log", netns=wires.netns)
    try:
        process.await_event("ready", 15)
        client = ControlClient(control)
        yield process, client
        client.close()
    finally:
        if process.running:
            os.kill(process.pid, 15)
        process.close(0.5)


@contextlib.contextmanager
def hardware_switch(wires: Wires, **more: Any) -> Iterator[ControlClient]:
    ports = {name: wires.add(name) for name in ("source", "sink", "s1", "s2")}
    with running(wires, "nfvcert-switch", ports=ports, servers=SERVERS, sink_mac=SINK, **more) as (_, client):
        yield client


def packet(flow: tuple[str, str, int, int], to: str = GATEWAY, source: str = "02:4e:46:00:00:00") -> Ether:
    src, dst, sport, dport = flow
    return Ether(src=source, dst=to) / IP(src=src, dst=dst) / UDP(sport=sport, dport=dport) / (b"x" * 18)


def key(flow: tuple[str, str, int, int]) -> list[int]:
    return [number(flow[0]), number(flow[1]), flow[2], flow[3], 17]


FLOWS = [(f"10.0.0.{n}", "198.18.0.1", 1000 + n, 80) for n in range(1, 40)]


def in_half(upper: bool) -> tuple[str, str, int, int]:
    return next(f for f in FLOWS if (flow_id(*key(f)) >= 32768) is upper)


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
        switch.call("apply", remove=["low", "high", "old"])
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
        server.call("set_ranges", ranges=[{"range": [0, 65535], "to": "v1"}])
        wires.send("uplink", packet(old))
        wires.receive("v1")
        server.call("set_ranges", ranges=[{"range": [0, 32767], "to": "v1"}, {"range": [32768, 65535], "to": "s2"}])
        for flow in (old, new):
            wires.send("uplink", packet(flow))
        assert wires.receive("v1")[IP].src == old[0]
        sent_on = wires.receive("uplink")
        assert (sent_on[IP].src, sent_on.dst, sent_on.src) == (new[0], SERVERS["s2"], "02:4e:46:00:01:00")
        assert server.call("count", ranges=[[32768, 65535]], owner="v1")["flows"] == 1
        [listed] = server.call("flows", owner="v1")["flows"]
        assert (listed[0], listed[1:6], listed[7]) == (flow_id(*key(old)), key(old), 2)
        assert server.call("counters")["detoured"]["s2"] == {"packets": 1, "bytes": 60}
        time.sleep(0.5)
        assert server.call("count", ranges=[[0, 65535]], owner="v1")["flows"] == 0
        wires.send("uplink", packet(old))
        assert wires.receive("uplink").dst == SERVERS["s2"], "after its end it is a new flow"


def test_nothing_is_forgotten_over_a_kill(wires: Wires) -> None:
    for name in ("uplink", "v1"):
        wires.add(name)
    old = in_half(True)
    state = {"state_file": str(wires.folder / "s1.state"), "idle_timeout_ms": 60_000}
    with server_switch(wires, **state) as (process, server):
        server.call("set_ranges", ranges=[{"range": [0, 65535], "to": "v1"}])
        wires.send("uplink", packet(old))
        wires.receive("v1")
        server.call("set_ranges", ranges=[{"range": [0, 65535], "to": "s2"}])
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
        server.call("set_ranges", ranges=[{"range": [0, 65535], "to": "v1"}])
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
        server.call("set_ranges", ranges=[{"range": [0, 65535], "to": "s2"}])
        wires.send("uplink", packet(FLOWS[0], source="02:4e:46:00:03:00"))
        assert wires.silent("uplink")
        assert server.call("counters")["loops"] == 1


def test_the_identity_is_the_one_that_controllers_compute(wires: Wires) -> None:
    for name in ("uplink", "v1"):
        wires.add(name)
    with server_switch(wires, identity="addresses") as (_, server):
        server.call("set_ranges", ranges=[{"range": [0, 65535], "to": "v1"}])
        for flow in FLOWS[:5]:
            wires.send("uplink", packet(flow))
            wires.receive("v1")
        found = {tuple(row[1:6]): row[0] for row in server.call("flows")["flows"]}
        assert found == {tuple(key(f)): flow_id(*key(f), Identity.ADDRESSES) for f in FLOWS[:5]}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"op": "set_ranges", "ranges": [{"range": [0, 1], "to": "s9"}]}, "unknown-owner"),
        ({"op": "set_ranges", "ranges": [{"range": [5, 1], "to": "v1"}]}, "bad-order"),
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
