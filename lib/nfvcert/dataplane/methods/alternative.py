"""REL002 clause 6.2, alternative of step 6: two ranges in the hardware switch, old flows return from the new side."""

from __future__ import annotations

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.methods.common import POLL_S, Task, settled
from nfvcert.dataplane.methods.plain import turn
from nfvcert.dataplane.orders import Expect, ListFlows, Plan, Push, Pushed, Refused, Tell, Wait
from nfvcert.dataplane.ranges import ranges_of, upper_part

ATTEMPTS = 40
"""Pushes tried at a switch that refuses some."""


def alternative(fabric: Fabric, task: Task, behaviour: ControllerBehaviour) -> Plan:
    """Push the two ranges as soon as the new server's switch knows which flows it has to return.

    Raises:
        Refused: the switch does not take the ranges.
    """
    part = upper_part(task.domain, task.share)
    yield from turn(fabric, task, part, behaviour)
    flows = yield ListFlows(task.source, ranges_of(part))
    expectation = Expect(fabric.server(task.target), flows, task.source)
    name = fabric.places[task.target].server
    if behaviour.expects_first():
        yield expectation
        yield Tell("expected", f"the switch of {name} knows {len(flows)} old flows")
    pushed = Pushed(False)
    for _ in range(ATTEMPTS):
        pushed = yield Push(settled(fabric, part))
        if pushed.taken:
            break
        yield Wait(POLL_S)
    else:
        raise Refused(f"the switch takes no push: {pushed.refusal}")
    rules = {"add": pushed.added, "remove": pushed.removed}
    text = f"two ranges; {len(flows)} old flows return from {name}"
    yield Tell("push", text, pushed.t_ns, rules, final=True, state="CONVERGED")
    if not behaviour.expects_first():
        yield expectation
        yield Tell("expected", f"the switch of {name} knows {len(flows)} old flows")
    return "the ranges are in the hardware switch"
