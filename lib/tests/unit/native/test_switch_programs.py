"""A hardware switch and the switches of two servers, linked by shared memory as in the dataplane of a testbed.

The instances are the test itself: it takes each packet where the instance would get it and gives it back as the
instance does, with the number of the instance in the last octet of the source address.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether
from switch_stand import FLOWS, SERVERS, SINK, Wires, in_half, key, owned, packet, running

from nfvcert.dataplane.control import ControlClient
from nfvcert.dataplane.identity import Identity, flow_id
from nfvcert.traffic.native import NativeProcess
from nfvcert.traffic.translated import Way, datagram, icmp_error
from waiting import eventually

COMES_BACK_S = 10.0
EXTERNAL = {"s1": "192.0.2.1", "s2": "192.0.2.2"}
ROUTER = "203.0.113.254"
Flow = tuple[str, str, int, int]


class Chain:
    """Source and sink, the hardware switch, and the switches s1 and s2 with an instance v1 each."""

    def __init__(self, wires: Wires, *, translates: bool = False) -> None:
        self.wires = wires
        self._identity = {"identity": "addresses"} if translates else {}
        self._addresses = EXTERNAL if translates else {}
        self.switch: ControlClient
        self.servers: dict[str, ControlClient] = {}
        self.processes: dict[str, NativeProcess] = {}
        self._ends: dict[str, contextlib.ExitStack] = {}
        self._outer = {name: wires.add(name) for name in ("source", "sink")}
        self._outer |= {"a1": wires.add("a1", 0x4001), "a2": wires.add("a2", 0x8001)}

    def start(self, name: str) -> None:
        """Start the hardware switch ("switch") or that of a server ("s1", "s2"); also once more after a kill."""
        if name in self._ends:
            self._ends[name].close()
        stack = self._ends[name] = contextlib.ExitStack()
        if name == "switch":
            ports = {port: self._outer[port] for port in ("source", "sink")}
            ports |= {server: self._memif(server, "server") for server in SERVERS}
            started = running(
                self.wires, "nfvcert-switch", name=name, ports=ports, servers=SERVERS, sink_mac=SINK, **self._identity
            )
            self.processes[name], self.switch = stack.enter_context(started)
            return
        ports = {"uplink": self._memif(name, "client"), "v1": self._outer[f"a{name[1]}"]}
        peers = {other: mac for other, mac in SERVERS.items() if other != name}
        started = running(
            self.wires,
            "nfvcert-server-switch",
            name=name,
            server=name,
            ports=ports,
            peers=peers,
            idle_timeout_ms=60_000,
            addresses={"v1": [self._addresses[name]]} if self._addresses else {},
            **self._identity,
            state_file=str(self.wires.folder / f"{name}.state"),
        )
        self.processes[name], self.servers[name] = stack.enter_context(started)

    def kill(self, name: str) -> None:
        os.kill(self.processes[name].pid, 9)

    def close(self) -> None:
        for stack in self._ends.values():
            stack.close()

    def pass_through(self, flow: Flow, instance: int) -> int:
        """Send a packet of a flow through an instance up to the sink; answers how often it was detoured."""
        self.wires.send("source", packet(flow))
        frame = self.wires.receive(f"a{instance}")
        assert frame[IP].src == flow[0]
        octets = bytes.fromhex(frame.src.replace(":", ""))
        frame.src = (octets[:5] + bytes([instance])).hex(":")
        frame.dst = SINK
        self.wires.send(f"a{instance}", frame)
        arrived: Ether = self.wires.receive("sink")
        assert bytes(arrived[IP]) == bytes(frame[IP])
        detours, handled_by = bytes.fromhex(arrived.src.replace(":", ""))[4:]
        assert handled_by == instance
        return detours

    def passes_again(self, flow: Flow, instance: int) -> None:
        """Wait until packets of a flow come through, as after a restart."""
        end = time.monotonic() + COMES_BACK_S
        while True:
            try:
                self.pass_through(flow, instance)
            except TimeoutError:
                assert time.monotonic() < end, "nothing comes through any more"
            else:
                return

    def _memif(self, server: str, role: str) -> str:
        return f"memif:socket={self.wires.folder}/{server}.sock,role={role},id=0,ring=256"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    yield from standing(tmp_path)


@pytest.fixture
def translating(tmp_path: Path) -> Iterator[Chain]:
    """Flows are told apart by addresses, and each instance has an address to which it translates."""
    yield from standing(tmp_path, translates=True)


def standing(folder: Path, **settings: bool) -> Iterator[Chain]:
    wires = Wires(folder)
    found = Chain(wires, **settings)
    try:
        for name in ("switch", *SERVERS):
            found.start(name)
        found.switch.call("apply", add=[{"rule": "all", "range": [0, 65535], "port": "s1"}])
        found.servers["s1"].call("set_ranges", **owned("v1"))
        found.servers["s2"].call("set_ranges", **owned("v1"))
        eventually(lambda: all(found.switch.call("ports")["ports"][server]["link"] for server in SERVERS))
        yield found
    finally:
        found.close()
        wires.close()


def upper_flows() -> list[Flow]:
    return [flow for flow in FLOWS if flow_id(*key(flow)) >= 32768]


HALVES = [
    {"rule": "low", "range": [0, 32767], "port": "s1"},
    {"rule": "high", "range": [32768, 65535], "port": "s2"},
]


def test_old_flows_stay_while_new_ones_are_detoured_and_then_go_straight(chain: Chain) -> None:
    old, detoured, new = upper_flows()[:3]
    assert chain.pass_through(old, 1) == 0
    chain.servers["s1"].call("set_ranges", **owned("v1", "s2"))
    assert chain.pass_through(old, 1) == 0
    assert chain.pass_through(detoured, 2) == 1
    exception = {"rule": "old", "flow": key(old), "port": "s1"}
    assert chain.switch.call("apply", remove=["all"], add=[*HALVES, exception])["used"] == 3
    assert chain.pass_through(old, 1) == 0
    assert chain.pass_through(detoured, 2) == 0
    assert chain.pass_through(new, 2) == 0
    for server, flows in (("s1", 1), ("s2", 2)):
        assert chain.servers[server].call("count", ranges=[[0, 65535]], owner="v1")["flows"] == flows
    ports = chain.switch.call("counters")["ports"]
    assert (ports["source"]["rx_packets"], ports["sink"]["tx_packets"]) == (6, 6)


def test_expected_flows_return_to_their_owner(chain: Chain) -> None:
    old = upper_flows()[0]
    assert chain.pass_through(old, 1) == 0
    chain.servers["s2"].call("expect_flows", flows=[key(old)], to="s1")
    chain.switch.call("apply", remove=["all"], add=HALVES)
    assert chain.pass_through(old, 1) == 1
    assert chain.servers["s2"].call("counters")["detoured"]["s1"]["packets"] == 1


@pytest.mark.parametrize("killed", ["s2", "switch"])
def test_links_come_back_when_either_side_was_killed(chain: Chain, killed: str) -> None:
    flow = in_half(True)
    chain.switch.call("apply", remove=["all"], add=HALVES)
    assert chain.pass_through(flow, 2) == 0
    chain.kill(killed)
    eventually(lambda: not chain.processes[killed].running)
    chain.start(killed)
    if killed == "switch":
        assert chain.switch.call("info")["used"] == 0
        chain.switch.call("apply", add=HALVES)
    chain.passes_again(flow, 2)


def test_all_that_belongs_to_a_flow_reaches_its_owner(translating: Chain) -> None:
    """ICMP errors keep to the instance of their flow; the way back goes by the external address.

    Fragments cannot be tried here: a packet socket gets datagrams that the kernel has put together again.
    """
    wires = translating.wires
    old = next(flow for flow in FLOWS if flow_id(*key(flow), Identity.ADDRESSES) >= 32768)
    client, server, sport, dport = old
    assert translating.pass_through(old, 1) == 0
    translating.servers["s1"].call("set_ranges", **owned("v1", "s2"))
    out = Way(client, sport, server, dport, "02:4e:46:02:00:01")
    reply = Way(server, dport, client, sport, "02:4e:46:02:00:01")
    error = Ether(icmp_error(reply, client, out.mac, 3))
    wires.send("source", error)
    assert bytes(wires.receive("a1")[IP]) == bytes(error[IP])
    translating.switch.call("apply", remove=["all"], add=[*HALVES, {"rule": "old", "flow": key_of(old), "port": "s1"}])
    for frame in (Ether(datagram(out, 4)), error):
        wires.send("source", frame)
        assert bytes(wires.receive("a1")[IP]) == bytes(frame[IP])
    for name, external in EXTERNAL.items():
        back = Way(server, dport, external, 50_000, SERVERS[name])
        about = Way(external, 50_000, server, dport, SERVERS[name])
        for frame in (datagram(back, 5), icmp_error(about, ROUTER, SERVERS[name], 8)):
            wires.send("sink", Ether(frame))
            assert bytes(wires.receive(f"a{name[1]}")[IP]) == bytes(Ether(frame)[IP])


def test_what_comes_back_keeps_a_flow_alive(translating: Chain) -> None:
    flow = FLOWS[0]
    client, server, sport, dport = flow
    assert translating.pass_through(flow, 1) == 0
    seen = translating.servers["s1"].call("flows", owner="v1")["flows"][0][6]
    answer = Ether(datagram(Way(server, dport, client, sport, SINK, "02:4e:46:00:00:01"), 1))
    translating.wires.send("a1", answer)
    translating.wires.receive("sink")
    [row] = translating.servers["s1"].call("flows", owner="v1")["flows"]
    assert row[6] > seen


def key_of(flow: Flow) -> list[int]:
    """A flow as addresses alone tell it."""
    source, destination, *_, protocol = key(flow)
    return [source, destination, 0, 0, protocol]
