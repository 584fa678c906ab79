"""Loads over time from the generator's interval records: what each instance handled, imbalance, detours, latency.

Imbalance is (max - min) / mean of the packets that the instances were offered within one second, in percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nfvcert.checkers.case import Missing
from nfvcert.history import Event, EventKind, History
from nfvcert.history.migration import GENERATOR

WINDOW_NS = 1_000_000_000
STAYS_NS = 5_000_000_000
"""Loads have converged when the imbalance stays within the limit for that long."""


@dataclass(frozen=True)
class Loads:
    """The intervals in columns; ``handled`` and ``detoured`` hold packets by the number of the instance."""

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    sent: NDArray[np.int64]
    handled: dict[int, NDArray[np.int64]]
    detoured: NDArray[np.int64]
    direct_p50: NDArray[np.float64]
    detoured_p50: NDArray[np.float64]
    detoured_samples: NDArray[np.int64]
    direct_p99: NDArray[np.float64]
    events: tuple[Event, ...]

    def windows(self, first: int, last: int) -> list[tuple[int, int]]:
        """Places ``[i, j)`` of the intervals of every window of one second between two times (ns), 100 ms apart."""
        found = []
        for i in range(len(self.begin)):
            if self.begin[i] < first:
                continue
            j = int(np.searchsorted(self.end, self.begin[i] + WINDOW_NS * 0.999))
            if j >= len(self.end) or self.end[j] > last:
                break
            found.append((i, j + 1))
        return found

    def imbalance(self, window: tuple[int, int], instances: Sequence[int]) -> float:
        """Imbalance of the instances in a window, percent."""
        offered = [int(self.handled[n][slice(*window)].sum()) if n in self.handled else 0 for n in instances]
        mean = sum(offered) / len(offered)
        return 100.0 * (max(offered) - min(offered)) / mean if mean else 200.0

    def imbalances(self, first: int, last: int, instances: Sequence[int]) -> list[tuple[int, float]]:
        """(begin in ns, imbalance in percent) of every window between two times."""
        return [(int(self.begin[w[0]]), self.imbalance(w, instances)) for w in self.windows(first, last)]

    def detour_share(self, first: int, last: int) -> float:
        """Largest share of the offered packets that was detoured in a window between two times, percent."""
        shares = [
            100.0 * int(self.detoured[slice(*w)].sum()) / max(1, int(self.sent[slice(*w)].sum()))
            for w in self.windows(first, last)
        ]
        return max(shares, default=0.0)

    def detoured_after(self, t: int) -> int:
        """Packets that arrived after a detour in intervals that begin at ``t`` or later."""
        return int(self.detoured[self.begin >= t].sum())

    def added_latency_us(self, first: int, last: int) -> tuple[float, float, float] | None:
        """Median latency that a detour adds: (value, lowest, highest quartile of the intervals) in microseconds.

        Each interval compares the medians of detoured and of direct packets in it; weighted by detoured packets. None
        when no interval holds both.
        """
        chosen = (
            (self.begin >= first)
            & (self.end <= last)
            & (self.detoured_samples > 0)
            & (self.direct_p50 > 0)
            & (self.detoured_p50 > 0)
        )
        if not chosen.any():
            return None
        added = (self.detoured_p50[chosen] - self.direct_p50[chosen]) / 1000.0
        weights = self.detoured_samples[chosen]
        order = np.argsort(added)
        share = np.cumsum(weights[order]) / weights.sum()
        low, middle, high = (float(added[order][int(np.searchsorted(share, q))]) for q in (0.25, 0.5, 0.75))
        return middle, low, high


def converged_at(imbalances: Sequence[tuple[int, float]], limit: float) -> int | None:
    """Begin (ns) of the first window from which the imbalance stays within the limit for five seconds."""
    since: int | None = None
    for begin, percent in imbalances:
        if percent > limit:
            since = None
            continue
        if since is None:
            since = begin
        if begin + WINDOW_NS - since >= STAYS_NS:
            return since
    return None


def loads(history: History) -> Loads:
    """The generator's intervals of a scenario.

    Raises:
        Missing: there are none.
    """
    return history.derived("rel002.loads", lambda: _loads(history))


def _loads(history: History) -> Loads:
    events = sorted(
        history.of(EventKind.PACKET_INTERVAL, where=lambda event: event.source == GENERATOR),
        key=lambda event: int(event.data["begin_ns"]),
    )
    if not events:
        raise Missing("the generator's intervals were not recorded")

    def column(key: str) -> NDArray[np.int64]:
        return np.array([int(event.data[key]) for event in events], dtype=np.int64)

    def latency(way: str, key: str) -> NDArray[np.float64]:
        found = [(event.data.get("latency_ns") or {}).get(way) or {} for event in events]
        return np.array([float(entry.get(key) or 0) for entry in found])

    numbers = sorted({int(number) for event in events for number in event.data["instances"]})
    handled = {
        n: np.array([int(e.data["instances"].get(str(n), {}).get("packets", 0)) for e in events], dtype=np.int64)
        for n in numbers
    }
    detours = [sum(int(i.get("detoured", 0)) for i in event.data["instances"].values()) for event in events]
    return Loads(
        begin=column("begin_ns"),
        end=column("end_ns"),
        sent=column("sent"),
        handled=handled,
        detoured=np.array(detours, dtype=np.int64),
        direct_p50=latency("direct", "p50"),
        detoured_p50=latency("detoured", "p50"),
        detoured_samples=latency("detoured", "n").astype(np.int64),
        direct_p99=latency("direct", "p99"),
        events=tuple(events),
    )
