"""Links of a namespace, and the switches as programs on them."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from nfvcert.dataplane.control import ControlClient
from nfvcert.dataplane.identity import IDS, flow_id
from nfvcert.dataplane.ranges import owner_map
from nfvcert.traffic.native import NativeProcess, binary

GATEWAY, SINK = "02:4e:46:02:00:01", "02:4e:46:00:00:02"
SERVERS = {"s1": "02:4e:46:01:00:01", "s2": "02:4e:46:01:00:02"}
WAIT_S = 1.0
CLONE_NEWNET = 0x40000000


def owned(*owners: str) -> dict[str, Any]:
    """Fields of `set_ranges`: equal parts of the ids in turn."""
    part = IDS // len(owners)
    return {"owners": list(owners), "map": owner_map((np.arange(IDS) // part).astype(np.int8))}


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

    def add(self, name: str, index: int | None = None) -> str:
        """A link; answers the port for the program.

        Raw sockets of DPDK join a group numbered "process id xor interface index": programs that run side by side in a
        namespace need an `index` far from each other's.
        """
        inside = ("ip", "-n", self.netns)
        numbered = () if index is None else ("index", str(index))
        run(*inside, "link", "add", name, *numbered, "type", "veth", "peer", "name", f"t-{name}")
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


@contextlib.contextmanager
def running(
    wires: Wires, program: str, *, name: str | None = None, **configuration: Any
) -> Iterator[tuple[NativeProcess, ControlClient]]:
    name = name or program
    control = wires.folder / f"{name}.ctl"
    file = wires.folder / f"{name}.json"
    file.write_text(json.dumps({"memory_mib": 128, "packets": 4095, "control": str(control), **configuration}))
    process = NativeProcess([binary(program), "--config", file], log=wires.folder / f"{name}.log", netns=wires.netns)
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
