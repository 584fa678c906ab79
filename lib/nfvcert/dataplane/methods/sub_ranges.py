"""A method of nfvcert's own: hand over at once every sub-range in which no old flow lives.

10,000 living flows leave most of 65,536 ids vacant, and the 2,000 longest vacant sub-ranges make up half of all ids.
Each costs one entry, as an exception does, so the table takes over half of the new flows at once, without a detour and
without an exception; clause 6.2 fills it with exceptions only after most old flows have ended. While old flows end, the
vacant sub-ranges grow together. Until the load is balanced the new instance gets more than its share of the new flows,
which needs a short, bounded detour in sub-ranges for which there is no entry yet; then sub-ranges are given back, those
first in which the fewest flows of the new instance live. At last, when few flows are on the wrong side of M, the
table becomes the two ranges of clause 6.2 with an exception for each of these.

A switch that matches masks takes a sub-range as several entries. There the aligned blocks of which sub-ranges consist
are handed over one by one, the largest first, so that the table is used as well as it can be.

With the workload of annex A.1 (exponential lifetimes, idle timeout 0.2 s) loads are within 5 % from the window of 1 s
that begins 4 s after the trigger, detours are about a third of the plain method's, the table stays below 2,048 entries.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nfvcert.dataplane.behaviour import ControllerBehaviour
from nfvcert.dataplane.fabric import Fabric
from nfvcert.dataplane.identity import Flow
from nfvcert.dataplane.methods.common import Steps, Task, push_settled, room_for_exceptions, span, strays
from nfvcert.dataplane.methods.vacant import Choice, choose, without_runs
from nfvcert.dataplane.optimise import entries
from nfvcert.dataplane.orders import (
    Expect,
    ListFlows,
    Order,
    Plan,
    Push,
    Pushed,
    ReadLoads,
    ReadOccupancy,
    ReadRoom,
    SetOwners,
    Tell,
    Wait,
)
from nfvcert.dataplane.ranges import IdMap, IdSet, empty_set, ranges_of, upper_part

TICK_S = 0.3
"""Between two plans."""
HASTE = 0.05
"""While the new instance lacks more than this part of the load it gets as many of the new flows as it can get."""
HASTE_S = 8.0
"""No longer than this: where old flows do not end, haste would only lengthen detours."""
MOST = 0.85
"""It gets no more than this part of the new flows: the last of them would all need a detour."""
GAIN = 6.0
"""Share of new flows above the target for each share of the load that is missing."""
EXTRA = 0.45
EXTRA_S = 4.0
"""Part of the ids that may be detoured beside the sub-ranges handed over, and for how long."""
SPARE, SPARE_PART = 32, 64
"""Entries kept free for what is born between looking and pushing: so many, in small tables one in so many."""
BALANCED = 1.6
"""The load is balanced while the new instance lacks, or has too much, no more than so many standard deviations of what
chance makes of as many flows: 0.8 % of the load for 10,000."""
CALM_S = 2.0
"""For how long the load has to be balanced before the last push of sub-ranges. After :data:`HASTE_S` the two ranges are
pushed as soon as their exceptions fit, balanced or not: few or endless flows may never balance."""


@dataclass(frozen=True)
class Handed:
    """What a tick has done: the push, ids with old and with any flows, part of the domain handed over, whether some are
    detoured.

    ``expected`` are the flows that the source's switch knows as the target's, and keeps knowing while they live,
    since all their packets pass there.
    """

    pushed: Pushed
    old: int
    living: int
    handed: float
    detours: bool
    expected: frozenset[Flow]


def wanted_share(lacking: float, target: float, age_s: float) -> float:
    """Share of the new flows that the new instance is to get while it lacks a part of the load."""
    most = max(MOST, target)
    if lacking > HASTE and age_s < HASTE_S:
        return most
    return min(most, max(0.0, target + GAIN * lacking))


def chance(flows: int, share: float) -> float:
    """Standard deviation of the part of the load that an instance has when each flow goes there with that chance."""
    return math.sqrt(share * (1 - share) / max(1, flows))


def sub_ranges(fabric: Fabric, task: Task, behaviour: ControllerBehaviour) -> Plan:
    """Plan anew each :data:`TICK_S` until the load has stayed balanced and nothing needs a detour any more."""
    part = upper_part(task.domain, task.share)
    age, calm, pushes, living = 0.0, 0.0, 0, 0
    told = ""
    expected: frozenset[Flow] = frozenset()
    yield Tell("detour", f"vacant sub-ranges of {span(task.domain)} are handed over", state="DETOURING")
    while True:
        lacking = yield from _lacking(task, behaviour)
        calm = calm + TICK_S if age and abs(lacking) <= BALANCED * chance(living, task.share) else 0.0
        settling = calm >= CALM_S or age >= HASTE_S
        if settling:
            room = yield from room_for_exceptions(fabric, task.domain, task)
            occupancy = yield ReadOccupancy()
            wrong = int((occupancy[task.source] & part).sum() + (occupancy[task.target] & task.domain & ~part).sum())
            if behaviour.may_push(wrong + _spare(room), room):
                pushed = yield from _finish(fabric, task, part, behaviour)
                if pushed.taken:
                    return "two ranges and exceptions are in the hardware switch"
        wanted = task.share if calm >= CALM_S else wanted_share(lacking, task.share, age)
        done = yield from _hand_over(fabric, task, wanted, EXTRA if age < EXTRA_S else 0.0, expected, behaviour)
        expected, living = done.expected, done.living
        pushes += done.pushed.taken
        if pushes == 1 and done.pushed.taken:
            yield Tell("snapshot", f"{done.old} ids have old flows", done.pushed.t_ns)
        if calm >= CALM_S and done.pushed.taken and not done.detours:
            rules = {"add": done.pushed.added, "remove": done.pushed.removed}
            text = f"{done.handed:.1%} of the ids in sub-ranges, {len(fabric.exceptions)} exceptions"
            yield Tell("push", text, done.pushed.t_ns, rules, final=True, state="CONVERGED")
            return "sub-ranges and exceptions are in the hardware switch"
        if done.pushed.refusal and done.pushed.refusal != told:
            told = done.pushed.refusal
            yield Tell("waiting", f"the switch does not take the sub-ranges: {told}")
        yield Wait(TICK_S)
        age += TICK_S


def _spare(room: int) -> int:
    return min(SPARE, max(0, room) // SPARE_PART)


def _lacking(task: Task, behaviour: ControllerBehaviour) -> Generator[Order, Any, float]:
    """Part of the load of both instances that the target lacks of its share; negative: it has too much."""
    loads: dict[int, float] = yield ReadLoads()
    if not loads:
        return task.share
    total = loads[task.source] + loads[task.target]
    return task.share - loads[task.target] / total if total > 0 else task.share


def _hand_over(
    fabric: Fabric, task: Task, wanted: float, extra: float, expected: frozenset[Flow], behaviour: ControllerBehaviour
) -> Generator[Order, Any, Handed]:
    occupancy = yield ReadOccupancy()
    room: int = yield ReadRoom()
    kept = _kept(fabric, task, behaviour)
    elsewhere = len(kept)
    others = entries(np.where(task.domain, fabric.base, fabric.ports).astype(np.int8), fabric.base, task.cost)
    free = room - elsewhere - others - _spare(room)
    third = _unprotected(occupancy, task, kept)
    choice = _choice(fabric, task, occupancy, third, wanted, free, extra, room - elsewhere)
    mine = choice.handed | choice.detoured
    owners = np.where(mine, task.target, np.where(task.domain, task.source, fabric.owners)).astype(np.int8)
    yield SetOwners(owners)
    # from here on no flow is born at the source in `handed`, none at the target outside of `mine`
    occupancy = yield ReadOccupancy()
    handed = without_runs(choice.handed, occupancy[task.source] | _unprotected(occupancy, task, kept))
    ports = _ports(fabric, task, handed)
    outside = task.domain & ~handed & occupancy[task.target]
    flows: list[Flow] = (yield ListFlows(task.target, ranges_of(outside))) if outside.any() else []
    taken = max(0, room - _spare(room) // 2 - elsewhere - entries(ports, fabric.base, task.cost))
    flows.sort(key=lambda flow: flow not in fabric.exceptions)
    returned = flows[taken:]
    if unknown := [flow for flow in returned if flow not in expected]:
        yield Expect(fabric.server(task.source), unknown, task.target)
    exceptions = kept | dict.fromkeys(behaviour.exceptions(flows[:taken]), fabric.server(task.target))
    pushed: Pushed = yield Push(ports, exceptions)
    old, new = int(occupancy[task.source].sum()), int(occupancy[task.target].sum())
    detours = bool(returned) or bool((mine & ~handed).any())
    share = float(handed.sum() / max(1, task.domain.sum()))
    return Handed(pushed, old, old + new, share, detours, frozenset(returned) if pushed.taken else frozenset())


def _choice(
    fabric: Fabric,
    task: Task,
    occupancy: dict[int, IdSet],
    third: IdSet,
    wanted: float,
    free: int,
    extra: float,
    most: int,
) -> Choice:
    """What to hand over, so that ranges cost at most `most` entries: what lies between may cost some, too.

    Ids in `third` have flows of third instances and stay where they are.
    """
    old = occupancy[task.source] | third
    while True:
        choice = choose(old, occupancy[task.target], task.domain, wanted, free, extra, task.cost)
        if free <= 1 or entries(_ports(fabric, task, choice.handed), fabric.base, task.cost) <= most:
            return choice
        free //= 2


def _ports(fabric: Fabric, task: Task, handed: IdSet) -> IdMap:
    """The map of ports with a part of the domain handed over."""
    ports = np.where(handed, fabric.server(task.target), fabric.ports)
    return np.where(task.domain & ~handed, fabric.server(task.source), ports).astype(np.int8)


def _kept(fabric: Fabric, task: Task, behaviour: ControllerBehaviour) -> dict[Flow, int]:
    """Exceptions that are no business of this scaling: of other ids, and of flows that earlier ones left elsewhere."""
    pair = {fabric.server(task.source), fabric.server(task.target)}
    existing = behaviour.kept_exceptions(fabric.exceptions, int(task.domain.sum()))
    return {flow: at for flow, at in existing.items() if not task.domain[flow.id] or at not in pair}


def _unprotected(occupancy: dict[int, IdSet], task: Task, kept: dict[Flow, int]) -> IdSet:
    """Ids of the domain with flows of third instances that are detoured to them, as they have no exception."""
    third = empty_set()
    for place, ids in occupancy.items():
        if place not in (task.source, task.target):
            third |= ids & task.domain
    third[[flow.id for flow in kept]] = False
    return third


def _finish(fabric: Fabric, task: Task, part: IdSet, behaviour: ControllerBehaviour) -> Steps:
    """Owners become the two ranges; flows on the wrong side of M get exceptions; one push."""
    owners = np.where(part, task.target, np.where(task.domain, task.source, fabric.owners)).astype(np.int8)
    yield SetOwners(owners)
    flows = yield from strays(fabric, task.domain)
    room = yield from room_for_exceptions(fabric, task.domain, task)
    if len(flows) > room:
        return Pushed(False)
    pushed = yield from push_settled(fabric, task.domain, flows, behaviour)
    if pushed.taken:
        rules = {"add": pushed.added, "remove": pushed.removed}
        text = f"{span(part)} and {len(flows)} exceptions"
        yield Tell("push", text, pushed.t_ns, rules, final=True, state="CONVERGED")
    return pushed
