"""Streams as a user of the generator describes them: packets are octets, rates have units, no client library."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

FRAME_CHECK = 4
GAP = 20


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a stream sends: packets/s, bit/s on layer 1 or 2, or percent of the line."""

    kind: Literal["pps", "bps_L1", "bps_L2", "percentage"]
    value: float

    def pps(self, length: float, speed_gbps: float) -> float:
        """Packets a second of packets of ``length`` octets without frame check sequence."""
        line_bits = 8 * (length + FRAME_CHECK + GAP)
        match self.kind:
            case "pps":
                return self.value
            case "bps_L1":
                return self.value / line_bits
            case "bps_L2":
                return self.value / (8 * (length + FRAME_CHECK))
            case "percentage":
                return self.value / 100 * speed_gbps * 1e9 / line_bits


@dataclass(frozen=True, slots=True)
class Continuous:
    """Without end."""


@dataclass(frozen=True, slots=True)
class SingleBurst:
    """So many packets."""

    packets: int


@dataclass(frozen=True, slots=True)
class MultiBurst:
    """So many bursts of so many packets, with a gap in microseconds between them."""

    packets: int
    bursts: int
    gap_us: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """Packet group by which packets are counted at the receiver; "latency" also measures, at a cost."""

    number: int
    kind: Literal["stats", "latency"] = "stats"


@dataclass(frozen=True, slots=True)
class Stream:
    """Packets of one kind.

    Attributes:
        packet: the frame without frame check sequence.
        own_addresses: whether the MAC addresses of the packet are kept; else they are the port's.
        instructions: field-engine program, objects of the TRex protocol with offsets in octets.
        name, next: streams may follow each other by name; one that only follows has ``self_start`` False.
        isg_us: wait before its first packet, microseconds.
        action_count: how often ``next`` is gone to; 0: always.
        dummy: sends nothing, only takes its time.
    """

    packet: bytes
    rate: Rate
    mode: Continuous | SingleBurst | MultiBurst = Continuous()
    own_addresses: bool = True
    group: Group | None = None
    instructions: Sequence[dict[str, Any]] = field(default_factory=tuple)
    name: str | None = None
    next: str | None = None
    self_start: bool = True
    start_paused: bool = False
    isg_us: float = 0.0
    action_count: int = 0
    seed: int = 0
    dummy: bool = False

    def described(self) -> dict[str, Any]:
        """What the client's process makes a stream of."""
        match self.mode:
            case SingleBurst(packets):
                mode: dict[str, Any] = {"type": "single_burst", "total_pkts": packets}
            case MultiBurst(packets, bursts, gap_us):
                mode = {"type": "multi_burst", "pkts_per_burst": packets, "count": bursts, "ibg": gap_us}
            case _:
                mode = {"type": "continuous"}
        return {
            "name": self.name,
            "next": self.next,
            "packet": base64.b64encode(self.packet).decode(),
            "mode": mode,
            "rate": {"kind": self.rate.kind, "value": self.rate.value},
            "group": {"kind": self.group.kind, "number": self.group.number} if self.group else None,
            "instructions": list(self.instructions),
            "self_start": self.self_start,
            "start_paused": self.start_paused,
            "isg_us": self.isg_us,
            "action_count": self.action_count,
            "seed": self.seed,
            "own_addresses": self.own_addresses,
            "dummy": self.dummy,
        }


def intended_packets(streams: Sequence[Stream], factor: float, seconds: float, speed_gbps: float) -> float:
    """Packets that streams send within ``seconds`` (may be infinite) at a multiplier.

    Streams that follow others count with all their packets, once: a chain that is cut off by the duration, or that
    repeats, cannot be judged by this number.
    """
    total = 0.0
    for stream in streams:
        if stream.dummy or stream.start_paused:
            continue
        pps = stream.rate.pps(len(stream.packet), speed_gbps) * factor
        left = max(0.0, seconds - stream.isg_us / 1e6)
        match stream.mode:
            case SingleBurst(packets):
                total += min(packets, pps * left)
            case MultiBurst(packets, bursts, gap_us):
                period = packets / pps + gap_us / 1e6
                whole = min(float(bursts) if bursts else math.inf, left / period)
                total += packets * whole
            case _:
                total += pps * left
    return total
