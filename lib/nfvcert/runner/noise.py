"""How noisy this machine is: what a measurement on it is worth."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

SECONDS = 1.0
TICK_S = 0.001
LATE_S = 0.005


@dataclass(frozen=True, slots=True)
class Noise:
    """How late a process that sleeps for a millisecond wakes up (ms), and how often by more than 5 ms."""

    p99_ms: float
    worst_ms: float
    late: int
    load: float

    @property
    def text(self) -> str:
        """In words, with what to do about it."""
        advice = ""
        if self.worst_ms > 50 or self.load > 2:
            advice = "; too noisy for figures: end what else runs here, figures will be INCONC rather than wrong"
        return (
            f"noise: wake-ups late by {self.p99_ms:.1f} ms (99th percentile), {self.worst_ms:.1f} ms at worst, "
            f"load average {self.load:.2f}{advice}"
        )


def measure_noise() -> Noise:
    """Sleep and see, for a second."""
    late = []
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        before = time.monotonic()
        time.sleep(TICK_S)
        late.append(time.monotonic() - before - TICK_S)
    late.sort()
    return Noise(
        p99_ms=1000 * late[int(0.99 * (len(late) - 1))],
        worst_ms=1000 * late[-1],
        late=sum(value > LATE_S for value in late),
        load=os.getloadavg()[0],
    )
