"""A native function in a process of its own, asked line by line, and what scapy says its packets should be."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any, TypeVar

from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP, ICMPerror, IPerror, IPOption_NOP, TCPerror, UDPerror
from scapy.packet import Packet, Raw

from nfvcert.traffic.native import binary

SECOND = 1_000_000_000

ports = st.integers(1, 65535)
payloads = st.binary(max_size=64)
ip_fields = st.fixed_dictionaries(
    {
        "ttl": st.integers(2, 255),
        "tos": st.integers(0, 255),
        "id": st.integers(0, 65535),
        "flags": st.sampled_from([0, "DF"]),
        "options": st.sampled_from([[], [IPOption_NOP()] * 4]),
    }
)


class Harness:
    """One harness process, at the time `now` (nanoseconds) of the test's choice."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.now = SECOND

    def ask(self, op: str, **members: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"op": op, "now_ns": self.now, **members}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"harness died on {op} {members}"
        answer: dict[str, Any] = json.loads(line)
        assert "error" not in answer, answer
        return answer


H = TypeVar("H", bound=Harness)


def running(program: str, kind: type[H]) -> Iterator[H]:
    """The native `program`, until the test is over; it has to end by itself then."""
    with subprocess.Popen([binary(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield kind(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def octets_of(packet: Packet) -> bytes:
    """The packet with every checksum computed anew by scapy."""
    copy = packet.copy()
    layer: Any = copy
    while layer and not isinstance(layer, Raw):
        if "chksum" in layer.fields and not (isinstance(layer, UDP) and layer.fields["chksum"] == 0):
            layer.delfieldval("chksum")
        layer = layer.payload
    return bytes(copy)


def built(packet: Packet) -> Packet:
    return IP(octets_of(packet))


def translated(packet: Packet, dscp: int | None = None, **changes: Any) -> bytes:
    """`packet` as a correct translator sends it on: one hop further, `changes` in IP or transport fields."""
    expected = packet.copy()
    expected.ttl -= 1
    if dscp is not None:
        expected.tos = (dscp << 2) | (expected.tos & 3)
    for name, value in changes.items():
        setattr(expected if name in ("src", "dst") else expected.payload, name, value)
    return octets_of(expected)


def check_quoting_error(
    error: bytes, ends: tuple[str, str], quoted_ends: tuple[str, str], transport: str, ports: tuple[int, int]
) -> None:
    """`error` goes between `ends` and quotes a packet between `quoted_ends`; its header's checksum is right."""
    got = IP(error)
    assert (got.src, got.dst) == ends
    quoted = got[IPerror]
    assert (quoted.src, quoted.dst) == quoted_ends
    if transport == "echo":
        assert quoted[ICMPerror].id == ports[0]
    else:
        inner = quoted[UDPerror if transport == "udp" else TCPerror]
        assert (inner.sport, inner.dport) == ports
    assert error[10:12] == octets_of(IP(error))[10:12]
