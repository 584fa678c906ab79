"""Sub-ranges of flow ids in which no old flow lives: which of them a limited table is to hand over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nfvcert.dataplane.identity import IDS
from nfvcert.dataplane.ranges import Cost, IdSet, Indices, blocks, boundaries, empty_set, one_entry

WEIGHT = 6.5
"""Ids that a sub-range may be shorter for each flow of the new instance in it: that flow saves an exception."""
SURPLUS = 0.04
"""Part of the domain that may be handed over beyond what is wanted, so that the exceptions fit."""


@dataclass(frozen=True)
class Choice:
    """Ids that the hardware switch hands over, and further ids whose new flows take a detour meanwhile."""

    handed: IdSet
    detoured: IdSet


def choose(
    old: IdSet, new: IdSet, domain: IdSet, wanted: float, room: int, extra: float, cost: Cost = one_entry
) -> Choice:
    """The sub-ranges to hand over. Pure.

    Args:
        old, new: ids with living flows of the old and of the new instance.
        domain: ids that are shared.
        wanted: part of the domain's new flows that the new instance is to get.
        room: entries for sub-ranges and exceptions.
        extra: largest part of the domain that may be detoured.
        cost: entries that ranges cost; where some cost several, aligned blocks of sub-ranges are chosen one by one.
    """
    starts, ends = boundaries(domain & ~old)
    vacant = (domain & ~old)[starts]
    starts, ends = starts[vacant], ends[vacant]
    if not len(starts) or wanted <= 0:
        return Choice(empty_set(), empty_set())
    if (cost(starts, ends) > 1).any():
        starts, ends = blocks(starts, ends)
    lengths: Indices = ends - starts + 1
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(new, dtype=np.int64)))
    inside: Indices = before[ends + 1] - before[starts]
    order = np.argsort(-(lengths + WEIGHT * inside), kind="stable")
    covered = np.cumsum(lengths[order]) / max(1, int(domain.sum()))
    enough = int(np.searchsorted(covered, wanted)) + 1
    outside = int((new & domain).sum()) - np.cumsum(inside[order])
    costs = np.arange(1, len(order) + 1) + np.maximum(0, outside)
    feasible = np.flatnonzero(costs <= room) + 1
    count = min(enough, room, len(order))
    if len(feasible) and costs[count - 1] > room and wanted < 1:
        nearest = int(feasible[np.argmin(np.abs(feasible - enough))])
        if covered[nearest - 1] <= wanted + SURPLUS:
            count = nearest
    count = max(1, count)
    handed = _ids(starts[order[:count]], ends[order[:count]])
    missing = min(wanted - float(covered[count - 1]), extra)
    rest = order[count:]
    if missing <= 0 or not len(rest):
        return Choice(handed, empty_set())
    more = int(np.searchsorted(np.cumsum(lengths[rest]), missing * int(domain.sum())))
    return Choice(handed, _ids(starts[rest[:more]], ends[rest[:more]]))


def _ids(starts: Any, ends: Any) -> IdSet:
    marks = np.zeros(IDS + 1, np.int32)
    np.add.at(marks, starts, 1)
    np.add.at(marks, ends + 1, -1)
    return np.asarray(np.cumsum(marks[:-1]) > 0)


def without_runs(ids: IdSet, occupied: IdSet) -> IdSet:
    """`ids` without those of its runs in which something lives."""
    starts, ends = boundaries(ids)
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(occupied)))
    free = ids[starts] & (before[ends + 1] == before[starts])
    return np.asarray(np.repeat(free, ends - starts + 1))
