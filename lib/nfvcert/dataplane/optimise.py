"""Entries that a map of ports costs in the table of a hardware switch."""

from __future__ import annotations

from collections.abc import Callable

from nfvcert.dataplane.ranges import IdMap, Indices, boundaries
from nfvcert.dataplane.rules import PARTITION

Cost = Callable[[Indices, Indices], Indices]


def entries(ports: IdMap, base: int, cost: Cost) -> int:
    """Entries that a map of ports costs, in the form that :func:`nfvcert.dataplane.rules.range_rules` gives it."""
    starts, ends = boundaries(ports)
    if len(starts) <= PARTITION:
        return int(cost(starts, ends).sum())
    chosen = ports[starts] != base
    return 1 + int(cost(starts[chosen], ends[chosen]).sum())
