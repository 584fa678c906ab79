"""Scaling in (REL002 clause 6.2, similar in spirit): no new flow for the leaving instance; it goes with its last."""

from __future__ import annotations

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.identity import IDS
from nfvcert.dataplane.methods.common import POLL_S, Steps, Task, given, settle_when_few, settled, span
from nfvcert.dataplane.orders import CountFlows, Forget, ListFlows, Plan, Push, Report, SetOwners, Tell, Terminate, Wait

EVERYWHERE = [(0, IDS - 1)]


def scale_in(fabric: Fabric, task: Task, behaviour: ControllerBehaviour) -> Plan:
    """Give the ids of `source` to `target`, merge the range when the table takes what is left, wait, end `source`."""
    domain = task.domain
    name = fabric.places[task.target].name
    yield SetOwners(given(fabric, domain, task.target))
    yield Tell("detour", f"new flows of {span(domain)} go to {name}", state="DETOURING")
    yield from settle_when_few(fabric, domain, task, behaviour)
    yield Tell("merge", f"{span(domain)} belongs to {name}")
    return (yield from leave(fabric, task, behaviour, task.source))


def leave(fabric: Fabric, task: Task, behaviour: ControllerBehaviour, leaving: int) -> Steps:
    """Wait until an instance serves nothing, at most `task.longest_wait_s`, then end it. Returns the reason."""
    waited = 0.0
    while True:
        flows: int = yield CountFlows(leaving, EVERYWHERE)
        if behaviour.is_empty(flows, waited):
            yield Tell("drained", f"{flows} flows are left after {waited:.1f} s")
            cut: list[list[int]] = []
            break
        if task.longest_wait_s is not None and waited >= task.longest_wait_s:
            cut = [flow.key for flow in (yield ListFlows(leaving, EVERYWHERE))]
            yield Tell("drained", f"{len(cut)} flows are cut after the longest wait of {task.longest_wait_s:g} s")
            break
        yield Wait(POLL_S)
        waited += POLL_S
    yield Report({"cut_flows": cut})
    yield Forget(leaving)
    server = fabric.server(leaving)
    kept = {flow: at for flow, at in fabric.exceptions.items() if at != server}
    yield Push(settled(fabric, task.domain), kept)
    yield Terminate(leaving)
    yield Tell("terminated", f"{fabric.places[leaving].name} has ended")
    return "the instance has left" if not cut else f"the longest wait was over: {len(cut)} flows were cut"
