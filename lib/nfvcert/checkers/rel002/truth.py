"""Flows as the generator knows them: what was sent and received of each, and which instance handled it.

Everything is in columns (one element a flow); times are CLOCK_MONOTONIC in ns, 0 where something never happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nfvcert.checkers.case import Missing
from nfvcert.checkers.rel002.identity import IDS, ids
from nfvcert.checkers.rel002.workload import Workload, workload
from nfvcert.history import History
from nfvcert.history.migration import FLOWS_TABLE

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]
Range = tuple[int, int]

REQUIRED = (
    "src", "dst", "sport", "dport", "proto", "first_tx_ns", "last_tx_ns", "sent", "received", "duplicates", "reordered",
    "first_instance", "other_packets", "first_other_ns", "detoured", "last_detoured_ns", "longest_gap_ns",
)  # fmt: skip
OPTIONAL = ("changes", "last_owner_ns", "silence_ms", "latency_max_ns")


@dataclass(frozen=True)
class Truth:
    """All flows of a trial."""

    columns: dict[str, Numbers]
    workload: Workload

    def __getitem__(self, name: str) -> Numbers:
        """A column; one of zeros for a column that the generator may leave out."""
        if name in OPTIONAL and name not in self.columns:
            return np.zeros(len(self), dtype=np.int64)
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["sent"])

    @cached_property
    def id(self) -> Numbers:
        """The id of each flow, worked out here and not by a switch."""
        return ids(self.columns, self.workload.identity)

    @cached_property
    def excused(self) -> Mask:
        """Flows that were silent for longer than the state timeout: they may continue at any instance."""
        return self["longest_gap_ns"] > self.workload.state_timeout_ns

    @cached_property
    def moved(self) -> Mask:
        """Flows that went on at another instance once and for all, where the method moves state; else none."""
        once = (self["other_packets"] > 0) & (self["changes"] == 1)
        return once if self.workload.method == "always-migrate" else np.zeros_like(once)

    @cached_property
    def violated(self) -> Mask:
        """Flows of which an instance other than the owner handled a packet, those excused or moved left out."""
        return (self["other_packets"] > 0) & ~self.excused & ~self.moved

    @cached_property
    def lost(self) -> Numbers:
        """Packets of each flow that were sent and never seen at the sink."""
        return self["sent"] - self["received"]

    def owned_by(self, number: int) -> Mask:
        """Flows whose first packet was handled by the instance of that number."""
        return self["first_instance"] == number

    def alive(self, t: int) -> Mask:
        """Flows that have sent their first, and not yet their last packet at ``t``."""
        return (self["first_tx_ns"] <= t) & (self["last_tx_ns"] > t)

    def born(self, first: int, last: int) -> Mask:
        """Flows whose first packet was sent in ``[first, last)``."""
        return (self["first_tx_ns"] >= first) & (self["first_tx_ns"] < last)

    def within(self, ranges: Iterable[Range]) -> Mask:
        """Flows whose id lies in one of the ranges (both ends included)."""
        inside = np.zeros(IDS, dtype=np.bool_)
        for low, high in ranges:
            inside[low : high + 1] = True
        return inside[self.id]

    def count_alive(self, chosen: Mask, times: Numbers) -> Numbers:
        """How many of the chosen flows are alive at each of the times."""
        began = np.sort(self["first_tx_ns"][chosen])
        ended = np.sort(self["last_tx_ns"][chosen])
        return np.searchsorted(began, times, side="right") - np.searchsorted(ended, times, side="right")

    @cached_property
    def place(self) -> dict[tuple[int, int, int, int, int], list[int]]:
        """Rows by addresses: a tuple that was used again has several."""
        found: dict[tuple[int, int, int, int, int], list[int]] = {}
        names = ("src", "dst", "sport", "dport", "proto")
        for row, key in enumerate(zip(*(self.columns[name].tolist() for name in names), strict=True)):
            found.setdefault(key, []).append(row)
        return found


def truth(history: History) -> Truth:
    """The flows of a scenario.

    Raises:
        Missing: the generator's list of flows was not recorded, or has not all columns.
    """
    return history.derived("rel002.truth", lambda: _truth(history))


def _truth(history: History) -> Truth:
    table = history.tables.get(FLOWS_TABLE)
    if table is None or not table.num_rows:
        raise Missing("the generator's list of flows was not recorded")
    absent = [name for name in REQUIRED if name not in table.column_names]
    if absent:
        raise Missing(f"the generator's list of flows lacks {', '.join(absent)}")
    wanted = [name for name in (*REQUIRED, *OPTIONAL) if name in table.column_names]
    columns: dict[str, Any] = {name: _numbers(table.column(name)) for name in wanted}
    return Truth(columns, workload(history))


def _numbers(column: Any) -> Numbers:
    values = column.to_numpy()
    if values.dtype.kind == "f":
        values = np.nan_to_num(values)
    return np.asarray(values, dtype=np.int64)
