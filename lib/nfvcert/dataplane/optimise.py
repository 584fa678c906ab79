"""The best use of a small table: which sub-ranges the hardware switch sends to their wanted server already.

An id may go to a server only while no flow of another server lives with that id. Where old flows are scattered, the
vacant sub-ranges between them may go at once, one entry each, and what has no entry stays on the detour. The choice is
greedy: take everything that may move, then give up what loses fewest ids for each entry that becomes free: short
sub-ranges go back to the base server (or are not handed over), short gaps between sub-ranges of one server are closed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from nfvcert.dataplane.identity import IDS
from nfvcert.dataplane.ranges import IdMap, IdSet, Indices, boundaries
from nfvcert.dataplane.rules import PARTITION

Cost = Callable[[Indices, Indices], Indices]

_ROUNDS = 8
_NEVER = np.float64(1e9)


def foreign(present: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """For each server the ids with which flows of other servers live; `present` and result: (servers, ids)."""
    total = present.sum(axis=0, dtype=np.int8)
    return (total[None, :] - present) > 0


def entries(ports: IdMap, base: int, cost: Cost) -> int:
    """Entries that a map of ports costs, in the form that :func:`nfvcert.dataplane.rules.range_rules` gives it."""
    starts, ends = boundaries(ports)
    if len(starts) <= PARTITION:
        return int(cost(starts, ends).sum())
    chosen = ports[starts] != base
    return 1 + int(cost(starts[chosen], ends[chosen]).sum())


def represent(wanted: IdMap, current: IdMap, present: npt.NDArray[np.bool_], base: int, room: int, cost: Cost) -> IdMap:
    """The map of ports nearest to `wanted` which the table can hold and which leaves every living flow its server.

    Args:
        wanted: server of new flows, for each id.
        current: the map that acts.
        present: shape (servers, ids): whether flows without an exception of their own live there.
        base: the server of the catch-all range.
        room: entries for ranges, the catch-all included.
        cost: entries of ranges.

    Returns:
        A map that costs at most `room`; `current` itself if there is no better one.
    """
    others = foreign(present)
    movable = ~others[wanted, np.arange(IDS)]
    ports = np.where(movable, wanted, current).astype(np.int8)
    for _ in range(_ROUNDS):
        excess = entries(ports, base, cost) - room
        if excess <= 0:
            return ports
        if not _give_up(ports, wanted, others, base, excess, cost):
            break
    return current


def _give_up(ports: IdMap, wanted: IdMap, others: IdSet, base: int, excess: int, cost: Cost) -> bool:
    """Change `ports` so that about `excess` entries become free; False: there is nothing to give up."""
    starts, ends = boundaries(ports)
    values = ports[starts]
    count = len(starts)
    sizes = ends - starts + 1
    blocked = np.zeros((len(others), count), np.bool_)
    for server in range(len(others)):
        before = np.concatenate((np.zeros(1, np.int64), np.cumsum(others[server])))
        blocked[server] = before[ends + 1] > before[starts]
    served = np.concatenate((np.zeros(1, np.int64), np.cumsum(ports == wanted)))
    loss = (served[ends + 1] - served[starts]).astype(np.float64)
    saved = np.maximum(cost(starts, ends), 1)

    drop = np.where((values != base) & ~blocked[base], loss, _NEVER)
    left = np.concatenate((values[:1], values[:-1]))
    right = np.concatenate((values[1:], values[-1:]))
    between = (left == right) & (left != values) & (left != base)
    close = np.where(between & ~blocked[left, np.arange(count)], loss, _NEVER)
    # a longer sub-range is never given up for a shorter one; masks are weighed by what they cost
    price = np.concatenate((drop / saved, close))
    order = np.argsort(price, kind="stable")
    order = order[: int((price < _NEVER / 2**12).sum())]
    if not len(order):
        return False
    freed = np.concatenate((saved, np.ones(count, np.int64)))[order]
    chosen = order[: int(np.searchsorted(np.cumsum(freed), excess)) + 1]
    changed = values.copy()
    for index in chosen.tolist():
        if index < count:
            changed[index] = base
        elif changed[index - count - 1] == changed[index - count + 1]:
            changed[index - count] = changed[index - count - 1]
    ports[:] = np.repeat(changed, sizes)
    return True
