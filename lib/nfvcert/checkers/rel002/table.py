"""The hardware switch's table over time: what each dump held, and which exceptions its ranges needed at that moment."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nfvcert.checkers.case import Missing
from nfvcert.checkers.rel002.identity import IDS
from nfvcert.checkers.rel002.truth import Mask, Range, Truth
from nfvcert.checkers.rel002.workload import orders
from nfvcert.history import Event, EventKind, History
from nfvcert.history.migration import RULES_TABLE, SWITCH

Key = tuple[int, int, int, int, int]
Addressed = tuple[int, int, str, int]

ADDRESSES = ("src", "dst", "sport", "dport", "proto")
OWN = ("", "nfvcert")
"""Owner tags of the controller's own rules."""


@dataclass(frozen=True, slots=True)
class Dump:
    """One dump: ``ranges`` (lo, hi, port, priority), ``exceptions`` from addresses to a port, foreign rules counted."""

    t: int
    used: int
    capacity: int
    ranges: tuple[Addressed, ...]
    exceptions: dict[Key, str]
    others: int
    event: Event

    @property
    def own(self) -> int:
        """Entries of the controller."""
        return len(self.ranges) + len(self.exceptions)

    def towards(self, port: str) -> list[Range]:
        """Ranges of ids that lead to a port; of overlapping ranges the one of the higher priority counts."""
        leads = np.zeros(IDS + 1, dtype=np.bool_)
        for low, high, to, _ in sorted(self.ranges, key=_priority):
            leads[low : high + 1] = to == port
        edges = np.flatnonzero(np.diff(leads.astype(np.int8), prepend=0))
        return [(int(low), int(high) - 1) for low, high in zip(edges[::2], edges[1::2], strict=True)]

    def same_rules(self, other: Dump) -> bool:
        """Whether both hold the same rules."""
        return self.ranges == other.ranges and self.exceptions == other.exceptions

    def covers_all_once(self) -> bool:
        """Whether the ranges partition all ids: for none of them two of the same priority decide, or none."""
        decided = np.full(IDS, -1, dtype=np.int64)
        for low, high, _, priority in sorted(self.ranges, key=_priority):
            if (decided[low : high + 1] == priority).any():
                return False
            decided[low : high + 1] = priority
        return bool((decided >= 0).all())


def since(history: History, t: int) -> list[Dump]:
    """Dumps from the last one before ``t`` on; all, when there is none before.

    Raises:
        Missing: as :func:`dumps`.
    """
    found = dumps(history)
    before = [place for place, dump in enumerate(found) if dump.t < t]
    return found[before[-1] if before else 0 :]


def _priority(rule: Addressed) -> int:
    return rule[3]


def dumps(history: History) -> list[Dump]:
    """All dumps in order.

    Raises:
        Missing: the table was never dumped, or its rules were not kept.
    """
    return history.derived("rel002.dumps", lambda: _dumps(history))


def _dumps(history: History) -> list[Dump]:
    events = history.of(EventKind.INVENTORY, where=lambda event: event.source == SWITCH)
    if not events:
        raise Missing("the table of the hardware switch was never dumped")
    contents = _contents(history)
    found: list[Dump] = []
    ranges: tuple[Addressed, ...] = ()
    exceptions: dict[Key, str] = {}
    others = 0
    for event in events:
        t = int(event.data["t_ns"])
        if t in contents:
            ranges, exceptions, others = contents[t]
        elif int(event.data["used"]) != len(ranges) + len(exceptions) + others:
            raise Missing("the rules of a dump of the hardware switch were not kept")
        found.append(Dump(t, int(event.data["used"]), int(event.data["capacity"]), ranges, exceptions, others, event))
    return found


Content = tuple[tuple[Addressed, ...], dict[Key, str], int]
"""Ranges, exceptions, number of foreign rules."""


def _contents(history: History) -> dict[int, Content]:
    """The content of each dump that was kept, by its time; rows of one dump lie together."""
    table = history.tables.get(RULES_TABLE)
    if table is None:
        raise Missing("the rules of the hardware switch were not recorded")
    if not table.num_rows:
        return {}
    columns = {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}
    times = columns["t_ns"].astype(np.int64)
    edges = [0, *(np.flatnonzero(np.diff(times)) + 1).tolist(), len(times)]
    return {
        int(times[first]): _content({name: column[first:last] for name, column in columns.items()})
        for first, last in zip(edges, edges[1:], strict=False)
    }


def _content(rows: dict[str, NDArray[Any]]) -> Content:
    own = np.array([(owner or "") in OWN for owner in rows["owner"].tolist()], dtype=np.bool_)
    ranging = own & (rows["kind"] == "range")
    single = own & (rows["kind"] == "flow")
    priorities = rows["priority"][ranging].tolist() if "priority" in rows else [0] * int(ranging.sum())
    ranges = sorted(
        zip(
            rows["lo"][ranging].astype(int).tolist(),
            rows["hi"][ranging].astype(int).tolist(),
            rows["port"][ranging].tolist(),
            (int(priority or 0) for priority in priorities),
            strict=True,
        )
    )
    keys = zip(*(rows[name][single].astype(int).tolist() for name in ADDRESSES), strict=True)
    exceptions = dict(zip(keys, rows["port"][single].tolist(), strict=True))
    return tuple(ranges), exceptions, int((~own).sum())


def needing(dump: Dump, flows: Truth, owner: int, port: str, *, margin_ns: int) -> Mask:
    """Living flows of an instance whose range leads to a port behind which it is not: each needs an exception.

    Args:
        margin_ns: flows within that time of their first or last packet are left out.
    """
    living = (flows["first_tx_ns"] + margin_ns < dump.t) & (flows["last_tx_ns"] - margin_ns > dump.t)
    return living & flows.owned_by(owner) & flows.within(dump.towards(port)) & ~flows.excused


def unprotected(dump: Dump, flows: Truth, owner: int, home: str, port: str, *, margin_ns: int) -> list[int]:
    """Rows of flows that need an exception in this dump and have none that leads them home."""
    rows = np.flatnonzero(needing(dump, flows, owner, port, margin_ns=margin_ns))
    return [row for row in rows.tolist() if dump.exceptions.get(key_of(flows, row)) != home]


def key_of(flows: Truth, row: int) -> Key:
    """Addresses of the flow in a row."""
    return (
        int(flows["src"][row]),
        int(flows["dst"][row]),
        int(flows["sport"][row]),
        int(flows["dport"][row]),
        int(flows["proto"][row]),
    )


def removal_delays(found: list[Dump], flows: Truth) -> list[tuple[float, float]]:
    """For each exception seen: how long after its flow's last packet it was still there, (at least, at most) seconds.

    The bounds lie at the last dump that has it and the first one without it; one that never went counts to the last
    dump. Exceptions of flows that outlive the dumps are left out.
    """
    last_seen: dict[Key, int] = {}
    gone: dict[Key, int] = {}
    for dump in found:
        for key in list(last_seen):
            if key not in dump.exceptions and key not in gone:
                gone[key] = dump.t
        for key in dump.exceptions:
            last_seen[key] = dump.t
            gone.pop(key, None)
    delays = []
    end = found[-1].t
    for key, seen in last_seen.items():
        rows = flows.place.get(key)
        if rows is None:
            continue
        last = max(int(flows["last_tx_ns"][row]) for row in rows)
        if last < end:
            delays.append((max(0.0, (seen - last) / 1e9), max(0.0, (gone.get(key, seen) - last) / 1e9)))
    return delays


def most_asked_for(history: History, found: list[Dump]) -> int:
    """Most own entries that an order would have led to, whether the switch took it or not."""
    times = [dump.t for dump in found]
    most = 0
    for order in orders(history, SWITCH, "apply"):
        asked = int(order.data["t_request"])
        place = bisect_left(times, asked) - 1
        if place >= 0:
            request = order.data["request"]
            most = max(most, found[place].own + len(request.get("add") or []) - len(request.get("remove") or []))
    return most
