"""Entries that a map of ports costs in the table of a hardware switch."""

from __future__ import annotations

from nfvcert.dataplane.ranges import Cost, IdMap, boundaries
from nfvcert.dataplane.rules import is_partition


def entries(ports: IdMap, base: int, cost: Cost) -> int:
    """Entries that a map of ports costs, in the form that :func:`nfvcert.dataplane.rules.range_rules` gives it."""
    starts, ends = boundaries(ports)
    if is_partition(starts, ends, cost):
        return int(cost(starts, ends).sum())
    chosen = ports[starts] != base
    return 1 + int(cost(starts[chosen], ends[chosen]).sum())
