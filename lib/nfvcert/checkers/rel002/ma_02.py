"""REL002.MA.2: always migrate, the state of the flows in the given range moves and two filters replace one."""

from __future__ import annotations

import numpy as np

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import lossless, reached_end
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.loads import loads
from nfvcert.checkers.rel002.states import states
from nfvcert.checkers.rel002.table import dumps, key_of
from nfvcert.checkers.rel002.truth import Mask, Truth
from nfvcert.checkers.rel002.workload import Workload, faults, steps, the_request
from nfvcert.history import History
from nfvcert.history import migration as m
from nfvcert.measure import Measure

LATENCY_LIMIT_US = 500.0
FINAL = "final"
AFTER_FAULT = "after"
COMMITTED_NS = 200_000_000
"""A flow that sends seldom shows its new instance that much later than the step tells."""


def _moved(flows: Truth, offered: Workload, source: str) -> Mask:
    """Flows of the source that packets tell were handled by another instance later on."""
    return flows.owned_by(offered.number(source)) & (flows["other_packets"] > 0)


def _outside(history: History, flows: Truth) -> Mask:
    """Flows that met another instance before the move began or after it was done."""
    begun, done = steps(history, m.MOVE_BEGIN), steps(history, m.MOVED)
    first = begun[0].t if begun else 0
    last = (done[-1].t if done else 2**62) + COMMITTED_NS
    return (flows["other_packets"] > 0) & ~((flows["first_other_ns"] >= first) & (flows["first_other_ns"] <= last))


@checker("TP.MA.02.1")
def move_without_loss(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """State moves with its flow: one change of the instance, nothing lost, reordered or counted twice."""
    history = history_of(histories, "ma-always-migrate")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    split = the_request(history)
    reached_end(case, history, "CONVERGED", "COMPLETED")
    moved = _moved(flows, offered, split.source)
    case.guard(int(moved.sum()) >= 30, f"only {int(moved.sum())} flows were moved while they sent")
    back = moved & (flows["changes"] > 1)
    case.expect(
        not back.any(),
        f"{int(back.sum())} flows went back and forth: after its commit a flow was handled by the old instance",
    )
    elsewhere = (flows.violated & ~moved) | (_outside(history, flows) & ~flows.excused)
    case.expect(not elsewhere.any(), f"{int(elsewhere.sum())} flows met another instance without having been moved")
    lossless(case, flows)
    case.measure(
        Measure("packets_reordered", int(flows["reordered"].sum()), "count", "=", 0, "nfvcert"), "packets reordered"
    )
    _latency(case, history)
    _counters(case, history, flows, moved, offered, split.target)
    found = dumps(history)
    case.rests_on(history, [found[-1].event])
    last = found[-1]
    case.expect(
        len(last.ranges) == 2 and not last.exceptions and last.covers_all_once(),
        f"the table ends with {len(last.ranges)} ranges and {len(last.exceptions)} exceptions, not two range filters",
    )
    return case.judge(
        f"{int(moved.sum())} flows moved with their state, without loss, reordering or a counter that jumps"
    )


def _latency(case: Case, history: History) -> None:
    begun, done = steps(history, m.MOVE_BEGIN), steps(history, m.MOVED)
    if not case.guard(bool(begun and done), "begin and end of the move are not known"):
        return
    case.rests_on(history, [begun[0].event, done[-1].event])
    over_time = loads(history)
    during = (over_time.end > begun[0].t) & (over_time.begin < done[-1].t) & (over_time.direct_p99 > 0)
    calm = (over_time.end <= begun[0].t) & (over_time.direct_p99 > 0)
    if not case.guard(bool(during.any() and calm.any()), "latency was not measured during and before the move"):
        return
    added = float(over_time.direct_p99[during].max() - np.median(over_time.direct_p99[calm])) / 1000
    case.measure(
        Measure("added_latency_p99_during_move", round(added, 1), "us", "<=", LATENCY_LIMIT_US, "declared"),
        "latency added during the move",
    )


def _counters(case: Case, history: History, flows: Truth, moved: Mask, offered: Workload, target: str) -> None:
    """What the new instance counted of a moved flow in all must be what the generator received of it."""
    at, held = states(history, FINAL)
    wrong = seen = 0
    for row in np.flatnonzero(moved & (flows["last_tx_ns"] < at)).tolist():
        key = key_of(flows, row)
        if len(flows.place[key]) > 1:
            continue
        of = [state for state in held.get(key, []) if state.instance == target]
        if not of:
            continue
        seen += 1
        wrong += of[0].packets != int(flows["received"][row])
    if case.guard(seen >= 30, f"the state of only {seen} moved flows was dumped"):
        case.expect(not wrong, f"counter does not continue exactly: {wrong} of {seen} moved flows")


@checker("TP.MA.02.2")
def either_side_dies(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A move that is interrupted leaves the state of each flow in one surviving instance, and goes on to its end."""
    history = history_of(histories, "ma-move-interrupted")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    split = the_request(history)
    hit = faults(history, "kill", "stop")
    case.rests_on(history, hit)
    begun = steps(history, m.MOVE_BEGIN)
    done = steps(history, m.MOVED)
    inside = [fault for fault in hit if begun and fault.t >= begun[0].t and (not done or fault.t <= done[-1].t)]
    if not case.guard(bool(inside), "nothing died while flows were moved"):
        return case.judge("")
    at, held = states(history, AFTER_FAULT)
    living = flows.alive(at) & (flows["first_tx_ns"] < inside[0].t) & (flows["last_tx_ns"] > at + 50_000_000)
    case.guard(int(living.sum()) >= 30, f"only {int(living.sum())} flows lived through the interruption")
    nowhere = twice = 0
    for row in np.flatnonzero(living).tolist():
        holders = {state.instance for state in held.get(key_of(flows, row), [])}
        nowhere += not holders
        twice += len(holders) > 1
    case.measure(Measure("flows_without_state", nowhere, "count", "=", 0, "nfvcert"), "flows without state")
    case.expect(not twice, f"{twice} flows have their state in two instances")
    moved = _moved(flows, offered, split.source)
    case.expect(
        not (moved & (flows["changes"] > 1)).any(), "flows went back and forth between the instances: split state"
    )
    reached = reached_end(case, history, "CONVERGED", "COMPLETED")
    return case.judge(f"every flow kept its state in one instance, and the move went on to {reached}")
