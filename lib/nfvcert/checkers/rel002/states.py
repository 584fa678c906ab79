"""State that instances hold of their flows, as dumped from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from nfvcert.checkers.case import Missing
from nfvcert.checkers.rel002.table import Key
from nfvcert.history import History
from nfvcert.history.migration import STATES_TABLE


@dataclass(frozen=True, slots=True)
class Held:
    """State of one flow at one instance: packets counted until the dump."""

    instance: str
    packets: int


def states(history: History, label: str) -> tuple[int, dict[Key, list[Held]]]:
    """(time in ns of the last dump, states by addresses) of the dumps with that label.

    Raises:
        Missing: there was none.
    """
    table = history.tables.get(STATES_TABLE)
    rows = [row for row in table.to_pylist() if row["label"] == label] if table is not None else []
    if not rows:
        raise Missing(f"the states of the instances were not dumped ('{label}')")
    found: dict[Key, list[Held]] = defaultdict(list)
    for row in rows:
        key = (int(row["src"]), int(row["dst"]), int(row["sport"]), int(row["dport"]), int(row["proto"]))
        found[key].append(Held(str(row["instance"]), int(row["packets"])))
    return max(int(row["t_ns"]) for row in rows), dict(found)
