"""Rates from counters: what the engine counts is read now and then, and differences are taken over a window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from nfvcert.traffic.trex.server.groups import group_counters

WINDOW_S = 1.0
"""Rates are averages over at least this long, and over at most twice as long while it is asked for them."""

_RATES = {"tps": ("tp", 1), "rps": ("rp", 1), "tbs": ("tb", 8), "rbs": ("rb", 8)}
Sample = tuple[float, Mapping[str, Any]]


class Meter:
    """Packets and bits a second of packet groups."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()

    def add(self, statistics: Mapping[str, Any], now: float) -> None:
        """Take in a reading of the engine's statistics (its ``t_ns``, or ``now`` in seconds, dates it)."""
        moment = statistics["t_ns"] / 1e9 if "t_ns" in statistics else now
        if self._samples and moment <= self._samples[-1][0]:
            return
        self._samples.append((moment, statistics.get("groups", {})))
        while len(self._samples) > 2 and moment - self._samples[1][0] >= WINDOW_S:
            self._samples.popleft()

    def begin(self) -> None:
        """Something starts: what was before it does not count in rates."""
        self._samples.clear()

    def rates(self, ports: Iterable[str]) -> dict[str, dict[str, dict[str, float]]]:
        """Group -> tps, rps, tbs, rbs -> port -> value; empty before two readings."""
        if len(self._samples) < 2:
            return {}
        ports = list(ports)
        (begin, before), (end, after) = self._samples[0], self._samples[-1]
        result: dict[str, dict[str, dict[str, float]]] = {}
        for number, group in after.items():
            new, old = group_counters(group, ports), group_counters(before.get(number, {}), ports)
            result[number] = {
                rate: {port: max(0.0, (new[count][port] - old[count][port]) * unit / (end - begin)) for port in ports}
                for rate, (count, unit) in _RATES.items()
            }
        return result

    def forget(self, number: int) -> None:
        """A group's counters begin anew."""
        name = str(number)
        self._samples = deque(
            (moment, {key: group for key, group in groups.items() if key != name}) for moment, groups in self._samples
        )
