"""Migration avoidance as REL002 clause 6.2 has it, steps 4 to 6 (steps 1 to 3 are the caller's)."""

from __future__ import annotations

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.methods.common import Steps, Task, given, room_for_exceptions, settle_when_few, span, strays
from nfvcert.dataplane.orders import ListFlows, Plan, Report, SetOwners, Tell, Wait
from nfvcert.dataplane.ranges import IdSet, ranges_of, upper_part

BLIND_S = 0.02
"""Between list and turn, for a controller that lists too early."""


def turn(fabric: Fabric, task: Task, part: IdSet, behaviour: ControllerBehaviour) -> Steps:
    """Step 4: servers' switches send new flows of [M, Y] to the new instance; old flows stay where they are.

    Returns (by generator) the old flows, if they were listed before the turn, else None.
    """
    listed: dict[Flow, int] | None = None
    if not behaviour.lists_after_turn():
        listed = yield from strays_of_source(fabric, task, part)
        yield Wait(BLIND_S)
    yield SetOwners(given(fabric, part, task.target))
    name = fabric.places[task.target].name
    yield Tell("detour", f"new flows of {span(part)} go to {name}", state="DETOURING")
    flows = yield from strays(fabric, part)
    yield Tell("snapshot", f"{len(flows)} old flows live in {span(part)}")
    return listed


def strays_of_source(fabric: Fabric, task: Task, part: IdSet) -> Steps:
    """The source's living flows of `part`, before anything has changed."""
    flows = yield ListFlows(task.source, ranges_of(part))
    return dict.fromkeys(flows, fabric.server(task.source))


def plain(fabric: Fabric, task: Task, behaviour: ControllerBehaviour) -> Plan:
    """Detour new flows until fewer than T old ones are left, then push ranges and exceptions at once."""
    part = upper_part(task.domain, task.share)
    listed = yield from turn(fabric, task, part, behaviour)
    room = yield from room_for_exceptions(fabric, part, task)
    yield Report({"threshold": behaviour.threshold(task.threshold, room)})
    yield from settle_when_few(fabric, part, task, behaviour, listed)
    return "ranges and exceptions are in the hardware switch"
