"""REL002 clause 6.2, extreme (2): the state of old flows moves to the new instance, sub-range by sub-range."""

from __future__ import annotations

import numpy as np

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.methods.common import POLL_S, Task, given, settled, span
from nfvcert.dataplane.orders import Copy, Discard, Hold, Plan, Push, Pushed, Refused, Resume, SetOwners, Tell, Wait
from nfvcert.dataplane.ranges import empty_set, ranges_of, upper_part

PIECES = 128
"""Sub-ranges that are held back one after the other; the smaller, the fewer packets wait for a move."""
ATTEMPTS = 40


def always_migrate(fabric: Fabric, task: Task, behaviour: ControllerBehaviour) -> Plan:
    """Hold, copy, discard, turn, resume for each sub-range; then the two ranges are pushed without any exception.

    Raises:
        Refused: the switch does not take the ranges.
    """
    part = upper_part(task.domain, task.share)
    server = fabric.server(task.source)
    moved = 0
    yield Tell("move-begin", f"flows of {span(part)} move in {PIECES} pieces", state="DETOURING")
    for ids in np.array_split(np.flatnonzero(part), PIECES):
        if not len(ids):
            continue
        piece = empty_set()
        piece[ids] = True
        if (fabric.owners[ids] == task.target).all():
            continue  # moved before the controller was started again
        ranges = ranges_of(piece)
        yield Hold(server, ranges)
        copy = Copy(task.source, task.target, ranges)
        if behaviour.awaits_copy():
            moved += yield copy
        yield SetOwners(given(fabric, piece, task.target))
        yield Resume(server, task.target, ranges)
        if not behaviour.awaits_copy():
            moved += yield copy
        yield Discard(task.source, ranges)
        yield Wait(0.0)
    yield Tell("moved", f"{moved} flows have moved")
    pushed = Pushed(False)
    for _ in range(ATTEMPTS):
        pushed = yield Push(settled(fabric, part))
        if pushed.taken:
            rules = {"add": pushed.added, "remove": pushed.removed}
            yield Tell("push", "two ranges, no exception", pushed.t_ns, rules, final=True, state="CONVERGED")
            return "the ranges are in the hardware switch"
        yield Wait(POLL_S)
    raise Refused(f"the switch takes no push: {pushed.refusal}")
