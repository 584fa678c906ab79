"""Packets of translated flows in both directions: whole datagrams, fragments, and ICMP errors about them (scapy).

Each stream of packets has a number of its own, which every packet of it carries in a tag: in a datagram behind its UDP
header, in a later fragment at its beginning, in an ICMP error behind the headers that it quotes. The identification of
the IPv4 header counts the packets of a stream; fragments of one datagram have the same.
"""

from __future__ import annotations

import logging
import struct
from dataclasses import dataclass
from typing import Any, Literal

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)

from scapy.layers.inet import ICMP, IP, UDP, fragment  # noqa: E402  (the logger is set before it is imported)
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

Kind = Literal["datagram", "first fragment", "later fragment", "ICMP error"]
KINDS: tuple[Kind, ...] = ("datagram", "first fragment", "later fragment", "ICMP error")

MAGIC = b"NFVB"
TAG = struct.Struct(">4sHH")
FIRST_OCTETS = 40
"""Payload in the first of two fragments; with the UDP header a multiple of 8."""
PAYLOAD = 64
IDENTIFICATION = 18
ETHERNET, UDP_HEADER, ICMP_HEADER = 14, 8, 8
PORT_UNREACHABLE = 3
INSTANCE_OCTET, DETOUR_OCTET = 11, 10

COUNTED: list[dict[str, Any]] = [
    {
        "type": "flow_var", "name": "number", "size": 2, "op": "inc",
        "init_value": 1, "min_value": 1, "max_value": 65535, "step": 1,
    },
    {"type": "write_flow_var", "name": "number", "pkt_offset": IDENTIFICATION, "add_value": 0, "is_big_endian": True},
    {"type": "fix_checksum_ipv4", "pkt_offset": ETHERNET},
]  # fmt: skip
"""Field-engine program: the identification counts from 1 on."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where packets of one direction go: addresses of both ends as they are at this point, and of the next hop."""

    source: str
    sport: int
    destination: str
    dport: int
    mac: str
    source_mac: str = "02:4e:46:00:00:00"


@dataclass(frozen=True, slots=True)
class Seen:
    """A packet of these streams as it was received.

    Attributes:
        instance: number that the instance wrote into it; ``detours``: how often a server switch sent it on.
        sequence: which packet of its stream it is.
        sport: source port; 0 where the packet has none.
    """

    stream: int
    sequence: int
    instance: int
    detours: int
    source: int
    sport: int


def datagram(way: Way, stream: int | None) -> bytes:
    """A whole datagram; without a stream it has no tag."""
    return _frame(way, _ip(way) / UDP(sport=way.sport, dport=way.dport) / Raw(_payload(stream)))


def fragments(way: Way, first: int, later: int) -> tuple[bytes, bytes]:
    """A datagram in two fragments, which are packets of two streams."""
    payload = _payload(first)[:FIRST_OCTETS] + _payload(later)[: PAYLOAD - FIRST_OCTETS]
    whole = IP(bytes(_ip(way) / UDP(sport=way.sport, dport=way.dport) / Raw(payload)))
    head, tail = fragment(whole, fragsize=FIRST_OCTETS + UDP_HEADER)
    return _frame(way, head), _frame(way, tail)


def icmp_error(about: Way, source: str, mac: str, stream: int) -> bytes:
    """Port unreachable from ``source`` to the sender of a packet of ``about``, which it quotes as it arrived there."""
    quoted = _ip(about) / UDP(sport=about.sport, dport=about.dport) / Raw(_payload(stream))
    message = IP(src=source, dst=about.source) / ICMP(type=3, code=PORT_UNREACHABLE) / quoted
    return bytes(Ether(src=about.source_mac, dst=mac) / message)


def seen(frame: bytes) -> Seen | None:
    """What a received frame tells; None for a frame of somebody else."""
    if len(frame) < ETHERNET + 20 or frame[12:14] != b"\x08\x00":
        return None
    ip = ETHERNET
    header = (frame[ip] & 0x0F) * 4
    sequence, flags = struct.unpack_from(">HH", frame, ip + 4)
    protocol = frame[ip + 9]
    source = int.from_bytes(frame[ip + 12 : ip + 16])
    at = ip + header
    sport = 0
    if protocol == 1:
        at += ICMP_HEADER
        at += (frame[at] & 0x0F) * 4 + UDP_HEADER if at < len(frame) else 0
    elif not flags & 0x1FFF:
        sport = int.from_bytes(frame[at : at + 2])
        at += UDP_HEADER
    if len(frame) < at + TAG.size:
        return None
    magic, stream, _ = TAG.unpack_from(frame, at)
    if magic != MAGIC:
        return None
    return Seen(stream, sequence, frame[INSTANCE_OCTET], frame[DETOUR_OCTET], source, sport)


def _ip(way: Way) -> IP:
    return IP(src=way.source, dst=way.destination)


def _payload(stream: int | None) -> bytes:
    return (b"" if stream is None else TAG.pack(MAGIC, stream, 0)).ljust(PAYLOAD, b"\x00")


def _frame(way: Way, packet: IP) -> bytes:
    return bytes(Ether(src=way.source_mac, dst=way.mac) / packet)
