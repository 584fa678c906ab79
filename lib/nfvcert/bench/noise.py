"""How quiet the machine was while something was measured."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

STAT = Path("/proc/stat")
SPIN_S = 0.05
STEAL_LIMIT = 0.02
"""Share of processor time taken by the hypervisor from which on a figure is doubtful."""
SLOWER_LIMIT = 0.10
"""Change of the spin rate from which on a figure is doubtful."""
FOREIGN_LIMIT = 0.5
"""Runnable processes beside our own, on average, from which on a figure is doubtful."""
SPREAD_LIMIT = 0.20
"""Width of an interval relative to the median from which on a figure is doubtful."""


@dataclass(frozen=True, slots=True)
class Noise:
    """Before and after a run: steal (share of processor time), load averages, rates of a short spin (loops/s)."""

    steal: float
    load_before: float
    load_after: float
    spin_before: float
    spin_after: float

    @property
    def doubts(self) -> list[str]:
        """Why figures of this run are doubtful, one sentence each."""
        found = []
        if self.steal > STEAL_LIMIT:
            found.append(f"{100 * self.steal:.1f} % of the processor time went to other guests of the host")
        if self.load_before > FOREIGN_LIMIT:
            found.append(f"something else ran before: load average {self.load_before:.2f}")
        if abs(self.spin_after / self.spin_before - 1) > SLOWER_LIMIT:
            change = 100 * (self.spin_after / self.spin_before - 1)
            found.append(f"the processor's own speed changed by {change:+.0f} % from begin to end")
        return found

    def to_dict(self) -> dict[str, Any]:
        """The noise as JSON holds it."""
        return {**asdict(self), "doubts": self.doubts}


class NoiseWatch:
    """Takes its first look when made."""

    def __init__(self) -> None:
        self._load = os.getloadavg()[0]
        self._spin = spin_rate()
        self._ticks = processor_ticks(STAT.read_text())

    def finish(self) -> Noise:
        """Take the second look."""
        total_before, steal_before = self._ticks
        total, steal = processor_ticks(STAT.read_text())
        share = (steal - steal_before) / max(1, total - total_before)
        return Noise(share, self._load, os.getloadavg()[0], self._spin, spin_rate())


def processor_ticks(text: str) -> tuple[int, int]:
    """All ticks and stolen ticks of all processors, of the text of /proc/stat."""
    fields = [int(field) for field in text.splitlines()[0].split()[1:]]
    return sum(fields[:8]), fields[7] if len(fields) > 7 else 0


def spin_rate(seconds: float = SPIN_S, tries: int = 3) -> float:
    """Loops a second of a short busy loop, the best of some tries."""
    return max(_spin(seconds) for _ in range(tries))


def doubtful_spread(values: Sequence[float]) -> bool:
    """Whether repeats differ so much that their median says little."""
    if len(values) < 2:
        return True
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return middle <= 0 or (ordered[-1] - ordered[0]) / middle > SPREAD_LIMIT


def _spin(seconds: float) -> float:
    loops, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        loops += 1
    return loops / (time.perf_counter() - begin)
