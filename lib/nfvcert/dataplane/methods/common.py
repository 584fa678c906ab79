"""What methods have in common: their task, and the push that gives every remaining flow its exception."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.optimise import entries
from nfvcert.dataplane.orders import ListFlows, Order, Push, Pushed, ReadRoom, Tell, Wait
from nfvcert.dataplane.ranges import Cost, IdMap, IdSet, one_entry, ranges_of

POLL_S = 0.05
"""Between two looks at how many old flows live."""
STUBBORN_S = 2.0
"""After so long without a push it is told that the detour goes on."""


@dataclass(frozen=True)
class Task:
    """One scaling.

    Attributes:
        source: instance whose ids are to be shared, or that is to leave.
        target: instance that gets new flows.
        domain: the ids that the source had at the beginning.
        share: part of the domain that the target gets.
        threshold: T of step 5; None: as many as the table takes.
        longest_wait_s: for how long a leaving instance is waited for; None: as long as it takes.
        abrupt: flows of the target are cut, for a way back.
        cost: entries that ranges cost in this switch.
    """

    source: int
    target: int
    domain: IdSet
    share: float = 0.5
    threshold: int | None = None
    longest_wait_s: float | None = None
    abrupt: bool = False
    cost: Cost = one_entry


Steps = Generator[Order, Any, Any]


def given(fabric: Fabric, ids: IdSet, place: int) -> IdMap:
    """The owners, with `ids` given to an instance."""
    return np.where(ids, place, fabric.owners).astype(np.int8)


def span(ids: IdSet) -> str:
    """Ranges for people."""
    ranges = ranges_of(ids)
    text = ", ".join(f"[{lo}, {hi}]" for lo, hi in ranges[:3])
    return text if len(ranges) <= 3 else f"{text} and {len(ranges) - 3} more"


def strays(fabric: Fabric, ids: IdSet) -> Generator[Order, Any, dict[Flow, int]]:
    """Living flows of `ids` at another server than that of the id's owner, and their servers."""
    found: dict[Flow, int] = {}
    wanted = fabric.wanted
    for place in range(len(fabric.places)):
        server = fabric.server(place)
        there = ids & (wanted != server)
        if there.any():
            flows: list[Flow] = yield ListFlows(place, ranges_of(there))
            found |= dict.fromkeys(flows, server)
    return found


def settled(fabric: Fabric, ids: IdSet) -> IdMap:
    """The map of ports with `ids` where their owners are."""
    return np.where(ids, fabric.wanted, fabric.ports).astype(np.int8)


def room_for_exceptions(fabric: Fabric, ids: IdSet, task: Task) -> Generator[Order, Any, int]:
    """Entries that a settled table would leave for exceptions of `ids`; those of other ids stay."""
    room: int = yield ReadRoom()
    elsewhere = sum(1 for flow in fabric.exceptions if not ids[flow.id])
    return room - entries(settled(fabric, ids), fabric.base, task.cost) - elsewhere


def push_settled(
    fabric: Fabric, ids: IdSet, flows: dict[Flow, int], behaviour: ControllerBehaviour
) -> Generator[Order, Any, Pushed]:
    """Step 6: ranges where the owners are, exceptions for the flows that are elsewhere; at one instant."""
    kept = behaviour.kept_exceptions(fabric.exceptions, int(ids.sum()))
    chosen = behaviour.exceptions(list(flows))
    exceptions = {flow: server for flow, server in kept.items() if not ids[flow.id] or flow in flows}
    exceptions |= {flow: flows[flow] for flow in chosen}
    pushed: Pushed = yield Push(settled(fabric, ids), exceptions)
    return pushed


def known(flows: dict[Flow, int], listed: dict[Flow, int] | None) -> dict[Flow, int]:
    """Of flows that live, those that were listed before; all, where none were."""
    return flows if listed is None else {flow: server for flow, server in flows.items() if flow in listed}


def settle_when_few(
    fabric: Fabric, ids: IdSet, task: Task, behaviour: ControllerBehaviour, listed: dict[Flow, int] | None = None
) -> Generator[Order, Any, Pushed]:
    """Steps 5 and 6: wait until so few old flows are left that the table can take them, then push.

    Args:
        ids: the ids whose owner has changed; servers' switches know already.
        listed: old flows, where they were listed before; default: listed at the push.
    """
    waited, told = 0.0, ""
    while True:
        room = yield from room_for_exceptions(fabric, ids, task)
        threshold = behaviour.threshold(task.threshold, room)
        flows = yield from strays(fabric, ids)
        pushed = Pushed(False)
        if behaviour.may_push(len(flows), threshold):
            pushed = yield from push_settled(fabric, ids, known(flows, listed), behaviour)
            if pushed.taken:
                text = f"{len(fabric.exceptions)} exceptions, threshold {threshold}"
                rules = {"add": pushed.added, "remove": pushed.removed, "threshold": threshold}
                yield Tell("push", text, pushed.t_ns, rules, final=True, state="CONVERGED")
                return pushed
        text = pushed.refusal or (
            f"more old flows live than the {max(room, 0)} entries that are left take; the detour goes on"
        )
        if waited >= STUBBORN_S and text != told:
            yield Tell("waiting", f"{len(flows)} old flows, threshold {threshold}: {text}")
            told = text
        yield Wait(POLL_S)
        waited += POLL_S
