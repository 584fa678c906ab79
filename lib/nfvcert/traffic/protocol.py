"""What every traffic generator can be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from nfvcert.traffic.profiles import TrafficProfile


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What a generator reports of one trial; packets, seconds, microseconds.

    ``send_errors``, ``receiver_drops`` and ``stalls`` are the generator's own faults. ``lost`` were sent and never
    arrived; ``late`` did arrive, but after the record of their interval had counted them as lost: (begin of that
    interval in ns, packets). ``flows_file`` is the table of flows (CSV).
    """

    intended: int
    sent: int
    intended_duration: float
    duration: float
    send_errors: int
    receiver_drops: int
    received: int
    lost: int
    duplicates: int
    reordered: int
    return_sent: int
    return_received: int
    bad_checksums: int
    foreign: int
    flows: int
    users: int
    stalls: list[dict[str, Any]] = field(default_factory=list)
    late: list[tuple[int, int]] = field(default_factory=list)
    latency_us: dict[str, float] = field(default_factory=dict)
    flows_file: Path | None = None


class TrafficGenerator(Protocol):
    """A generator with one client-side and one server-side leg."""

    def prepare(self, profile: TrafficProfile) -> None:
        """Resolve neighbours and load the profile."""

    def start(self) -> int:
        """Start sending; returns the time of the first packet (CLOCK_MONOTONIC, ns)."""

    def intervals(self) -> list[dict[str, Any]]:
        """Interval records that have come in since the last call."""

    def mark(self, name: str) -> int:
        """A moment in the generator's own time (CLOCK_MONOTONIC, ns)."""

    def stop(self, flows_file: Path) -> TrialResult:
        """Stop, settle, then read."""

    def close(self) -> None:
        """End the generator."""
