"""REL002 clause 6.2, extreme (1): an exception in the hardware switch for every old flow, at once."""

from __future__ import annotations

import numpy as np

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.methods.common import (
    POLL_S,
    Task,
    given,
    known,
    push_settled,
    room_for_exceptions,
    span,
    strays,
)
from nfvcert.dataplane.methods.plain import turn
from nfvcert.dataplane.orders import Plan, Refused, Report, SetOwners, Tell, Wait
from nfvcert.dataplane.ranges import IdSet, empty_set, upper_part

ATTEMPTS = 40
"""Pushes tried at a switch that refuses some."""


def never_migrate(fabric: Fabric, task: Task, behaviour: ControllerBehaviour) -> Plan:
    """Push without waiting; where the table cannot take all old flows the new instance gets a smaller range.

    Raises:
        Refused: the table takes no exception at all, or no push.
    """
    part = upper_part(task.domain, task.share)
    listed = yield from turn(fabric, task, part, behaviour)
    refusal = ""
    for _ in range(ATTEMPTS):
        flows = yield from strays(fabric, part)
        room = yield from room_for_exceptions(fabric, part, task)
        if not behaviour.may_push(len(flows), behaviour.threshold(None, room)):
            smaller = _that_fits(part, sorted(flow.id for flow in flows), max(0, room))
            back = part & ~smaller
            if not smaller.any():
                yield SetOwners(given(fabric, back, task.source))
                raise Refused(f"{len(flows)} exceptions are needed, {max(0, room)} entries are left")
            yield SetOwners(given(fabric, back, task.source))
            name, kept = fabric.places[task.target].name, smaller.sum() / max(1, task.domain.sum())
            text = f"{len(flows)} exceptions are needed, {room} entries are left: {name} gets {span(smaller)} only"
            yield Tell("waiting", text, rules={"share": round(float(kept), 4)})
            yield Report({"share": float(kept)})
            yield Wait(0.0)
            # flows born at the target in what it gave back have exceptions of their own
            part, task_ids = smaller, part
            flows = yield from strays(fabric, task_ids)
            room = yield from room_for_exceptions(fabric, task_ids, task)
            if len(flows) > room:
                continue
            pushed = yield from push_settled(fabric, task_ids, flows, behaviour)
        else:
            pushed = yield from push_settled(fabric, part, known(flows, listed), behaviour)
        if pushed.taken:
            rules = {"add": pushed.added, "remove": pushed.removed}
            text = f"{len(fabric.exceptions)} exceptions for {span(part)}"
            yield Tell("push", text, pushed.t_ns, rules, final=True, state="CONVERGED")
            return "ranges and exceptions are in the hardware switch"
        refusal = pushed.refusal
        yield Wait(POLL_S)
    yield SetOwners(given(fabric, part, task.source))
    raise Refused(f"the switch takes no push: {refusal}")


def _that_fits(part: IdSet, ids: list[int], room: int) -> IdSet:
    """The largest upper range of `part` that holds at most 9/10 of `room` of the old flows with these ids."""
    allowed = room * 9 // 10
    if not allowed:
        return empty_set()
    smaller = part.copy()
    if len(ids) > allowed:
        smaller[: ids[-allowed - 1] + 1] = False
    return np.asarray(smaller)
