"""A trial with streams, and the rules by which it counts.

What was sent is compared with what was intended, and how long it took with how long it should have taken: a generator
that is overloaded sends everything, only later. Packets are counted at the ports; packet groups may count what was
never sent. What the receiver itself could not keep is not the device's loss. A trial that breaks one of the rules
says nothing: it is invalid, not lossy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PortCounters:
    """What a port counted during a trial."""

    opackets: int = 0
    ipackets: int = 0
    obytes: int = 0
    ibytes: int = 0
    oerrors: int = 0
    ierrors: int = 0


@dataclass(frozen=True, slots=True)
class GroupCounters:
    """What was counted of a packet group during a trial; latency in microseconds, if it measures latency."""

    sent: int
    received: int
    latency: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Largest accepted relative differences."""

    sent: float = 0.005
    duration: float = 0.05
    groups: float = 0.001


@dataclass(frozen=True, slots=True)
class TrexTrial:
    """Result of a trial; packets and seconds.

    Attributes:
        intended, intended_duration: what was asked for; None: it has no end of its own, or cannot be told beforehand.
        finished: whether sending ended by itself, not because it was waited for long enough.
        send_errors, receiver_drops: faults of the generator itself.
        queue_full: how often the peer of a sending port had no room at first.
    """

    intended: float | None
    sent: int
    intended_duration: float | None
    duration: float
    received: int
    send_errors: int
    receiver_drops: int
    queue_full: int
    finished: bool
    ports: Mapping[int, PortCounters]
    groups: Mapping[int, GroupCounters]
    tolerances: Tolerances = Tolerances()

    @property
    def lost(self) -> int:
        """Packets that the device lost: counted at ports, without those that the receiver dropped."""
        return self.sent - self.received - self.receiver_drops

    @property
    def rate_pps(self) -> float:
        """Packets a second over the time that it really took."""
        return self.sent / self.duration if self.duration > 0 else 0.0

    @property
    def groups_agree(self) -> bool:
        """Whether packet groups counted no more packets sent than the ports did."""
        return sum(group.sent for group in self.groups.values()) <= self.sent * (1 + self.tolerances.groups)

    @property
    def shortcomings(self) -> list[str]:
        """Why it is invalid, one sentence each; empty when it is valid."""
        reasons = []
        if self.sent <= 0:
            return ["nothing was sent"]
        if not self.finished:
            reasons.append("sending did not end within the time that was waited")
        if self.intended is not None and abs(self.sent - self.intended) > max(
            1.0, self.tolerances.sent * self.intended
        ):
            reasons.append(f"sent {self.sent} packets where {self.intended:.0f} were intended")
        if self.intended_duration is not None and self._duration_off(self.intended_duration):
            reasons.append(f"took {self.duration:.2f} s where {self.intended_duration:.2f} s were intended")
        if self.send_errors:
            reasons.append(f"{self.send_errors} packets could not be sent")
        if self.receiver_drops:
            reasons.append(f"the receiver itself dropped {self.receiver_drops} packets")
        if not self.groups_agree:
            counted = sum(group.sent for group in self.groups.values())
            reasons.append(f"packet groups count {counted} packets sent where the ports count {self.sent}")
        if self.lost < 0:
            reasons.append(f"{-self.lost} packets more were received than sent: something else sends")
        return reasons

    @property
    def valid(self) -> bool:
        """Whether it counts."""
        return not self.shortcomings

    def _duration_off(self, intended: float) -> bool:
        return abs(self.duration - intended) > self.tolerances.duration * intended + 0.05


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at one moment, since the server began."""

    ports: Mapping[int, PortCounters]
    groups: Mapping[int, GroupCounters]
    versions: Mapping[int, int]
    queue_full: int


def reading_of(ports: Mapping[int, dict[str, Any]], overall: dict[str, Any], groups: dict[str, Any]) -> Reading:
    """Make a reading of the server's answers to get_port_stats, get_global_stats and get_pgid_stats."""
    names = PortCounters.__slots__
    flows = {int(n): flow for n, flow in (groups.get("flow_stats") or {}).items() if n.isdigit()}
    latencies = groups.get("latency") or {}
    return Reading(
        ports={n: PortCounters(**{name: int(told.get(name, 0)) for name in names}) for n, told in ports.items()},
        groups={
            number: GroupCounters(
                sent=int(sum(flow["tp"].values())),
                received=int(sum(flow["rp"].values())),
                latency=latencies.get(str(number), {}),
            )
            for number, flow in flows.items()
        },
        versions={int(n): int(version) for n, version in (groups.get("ver_id") or {}).items()},
        queue_full=int(overall.get("m_total_queue_full", 0)),
    )


def difference(before: Reading, after: Reading) -> tuple[dict[int, PortCounters], dict[int, GroupCounters], int]:
    """What was counted between two readings; the latency of groups is that since their counters began."""
    ports = {}
    for number, counters in after.ports.items():
        old = before.ports.get(number, PortCounters())
        names = PortCounters.__slots__
        ports[number] = PortCounters(**{name: getattr(counters, name) - getattr(old, name) for name in names})
    groups = {}
    for number, group in after.groups.items():
        same = before.versions.get(number) == after.versions.get(number)
        earlier = before.groups.get(number) if same else None
        sent, received = (earlier.sent, earlier.received) if earlier else (0, 0)
        groups[number] = GroupCounters(group.sent - sent, group.received - received, group.latency)
    return ports, groups, after.queue_full - before.queue_full


def sums(
    ports: Mapping[int, PortCounters], sending: Sequence[int], receiving: Sequence[int]
) -> tuple[int, int, int, int]:
    """Packets sent and received, errors of sending, packets that the receivers dropped."""
    return (
        sum(ports[port].opackets for port in sending),
        sum(ports[port].ipackets for port in receiving),
        sum(ports[port].oerrors for port in sending),
        sum(ports[port].ierrors for port in receiving),
    )
