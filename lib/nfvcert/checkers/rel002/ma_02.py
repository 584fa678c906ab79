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
from nfvcert.checkers.rel002.workload import Request, Workload, faults, steps, the_request
from nfvcert.history import History
from nfvcert.history import migration as m
from nfvcert.measure import Measure

LATENCY_LIMIT_US = 500.0
FINAL = "final"
AFTER_FAULT = "after"
FEW_PACKETS = 20
"""A counter that lacks more than these was begun anew."""
SERVED_AGAIN_NS = 1_000_000_000
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
    _latency(case, history, float(offered.event.data.get("move_latency_us") or LATENCY_LIMIT_US))
    _counters(case, history, flows, moved, split)
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


def _latency(case: Case, history: History, limit: float) -> None:
    """The 99th percentile of an interval during the move, compared with that of one before it; medians of both."""
    begun, done = steps(history, m.MOVE_BEGIN), steps(history, m.MOVED)
    if not case.guard(bool(begun and done), "begin and end of the move are not known"):
        return
    case.rests_on(history, [begun[0].event, done[-1].event])
    over_time = loads(history)
    during = (over_time.end > begun[0].t) & (over_time.begin < done[-1].t) & (over_time.direct_p99 > 0)
    calm = (over_time.end <= begun[0].t) & (over_time.direct_p99 > 0)
    if not case.guard(bool(during.any() and calm.any()), "latency was not measured during and before the move"):
        return
    before = over_time.direct_p99[calm]
    added = float(np.median(over_time.direct_p99[during]) - np.median(before)) / 1000
    spread = float(np.subtract(*np.quantile(before, (0.75, 0.25)))) / 1000
    case.measure(
        Measure(
            "added_latency_p99_during_move", round(added, 1), "us", "<=", limit, "declared",
            interval=(round(added - spread, 1), round(added + spread, 1)),
            rule="median of the intervals during the move less that of those before; give or take what those vary by",
        ),
        "latency added during the move",
    )  # fmt: skip
    largest = over_time.direct_p99[during].max() / 1000
    case.observe(f"largest 99th percentile of an interval during the move: {largest:g} us")


def _counters(case: Case, history: History, flows: Truth, moved: Mask, split: Request) -> None:
    """What the new instance counted of a moved flow in all must be what the generator received of it."""
    at, held = states(history, FINAL)
    wrong = seen = left = 0
    for row in np.flatnonzero(moved & (flows["last_tx_ns"] < at)).tolist():
        key = key_of(flows, row)
        if len(flows.place[key]) > 1:
            continue
        left += any(state.instance == split.source for state in held.get(key, []))
        of = [state for state in held.get(key, []) if state.instance == split.target]
        if not of:
            continue
        seen += 1
        wrong += of[0].packets != int(flows["received"][row])
    if case.guard(seen >= 30, f"the state of only {seen} moved flows was dumped"):
        case.expect(not wrong, f"counter does not continue exactly: {wrong} of {seen} moved flows")
        case.expect(not left, f"{left} of {seen} moved flows still have a copy of their state in the old instance")


@checker("TP.MA.02.2")
def either_side_dies(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A move that is interrupted leaves the state of each flow in one surviving instance, and goes on to its end."""
    case = Case(purpose)
    reached = [
        _interrupted(case, history_of(histories, "ma-move-interrupted"), m.FIRST_SPLIT),
        _interrupted(case, history_of(histories, "ma-move-target-killed"), "again"),
        _interrupted(case, history_of(histories, "ma-move-target-stopped"), m.FIRST_SPLIT),
    ]
    return case.judge(f"every flow kept its state in one instance; the moves went on to {', '.join(reached)}")


def _interrupted(case: Case, history: History, repeated: str) -> str:
    """One move with one fault in it; ``repeated`` is the request that carried it to its end."""
    offered, flows = guarded(case, history)
    split = the_request(history)
    begun, done = steps(history, m.MOVE_BEGIN), steps(history, m.MOVED)
    hit = [
        fault
        for fault in faults(history, "kill", "stop")
        if begun and fault.t >= begun[0].t and (not done or fault.t <= done[-1].t)
    ]
    case.rests_on(history, hit)
    if not case.guard(bool(hit), f"{history.scenario}: nothing died while flows were moved"):
        return ""
    at = hit[0].t
    before = flows["first_tx_ns"] < at
    begun_elsewhere = (flows["other_packets"] > 0) & (flows["first_other_ns"] < at)
    moved = flows.owned_by(offered.number(split.source)) & begun_elsewhere
    case.guard(int(moved.sum()) >= 10, f"{history.scenario}: only {int(moved.sum())} flows were moved before the fault")
    died = hit[0].data["kind"] == "kill" and hit[0].data["target"] == split.target
    lost_with_it = moved | (before & flows.owned_by(offered.number(split.target)))
    judged = before & ~lost_with_it if died else before
    _one_state_each(case, history, flows, judged)
    if died:
        case.observe(f"{int(lost_with_it.sum())} flows had their state in the instance that died, and lost it with it")
        _still_served(case, flows, judged, at)
    limit = 1 if repeated == m.FIRST_SPLIT else 2
    again = judged & (flows["changes"] > limit)
    case.expect(
        not again.any(), f"{history.scenario}: {int(again.sum())} flows went back and forth between the instances"
    )
    return reached_end(case, history, "CONVERGED", "COMPLETED", label=repeated)


def _one_state_each(case: Case, history: History, flows: Truth, judged: Mask) -> None:
    """Each living flow has its state in one instance; at the end the state tells of every packet that was received."""
    at, held = states(history, AFTER_FAULT)
    end, final = states(history, FINAL)
    alive = judged & flows.alive(at) & (flows["last_tx_ns"] > at + 50_000_000)
    case.guard(
        int(alive.sum()) >= 30, f"{history.scenario}: only {int(alive.sum())} flows lived through the interruption"
    )
    nowhere = twice = 0
    for row in np.flatnonzero(alive).tolist():
        holders = {state.instance for state in held.get(key_of(flows, row), [])}
        nowhere += not holders
        twice += len(holders) > 1
    begun_anew = inexact = 0
    for row in np.flatnonzero(judged & (flows["last_tx_ns"] < end)).tolist():
        key = key_of(flows, row)
        counted = final.get(key, [])
        if len(flows.place[key]) > 1 or not counted:
            continue
        missing = int(flows["received"][row]) - max(state.packets for state in counted)
        begun_anew += missing > FEW_PACKETS
        inexact += 0 < abs(missing) <= FEW_PACKETS
    case.measure(
        Measure("flows_without_state", nowhere + begun_anew, "count", "=", 0, "nfvcert"),
        f"{history.scenario}: flows without state, {begun_anew} of them begun anew",
    )
    case.expect(not twice, f"{history.scenario}: {twice} flows have their state in two instances")
    case.expect(not inexact, f"{history.scenario}: counter does not continue exactly: {inexact} flows")


def _still_served(case: Case, flows: Truth, judged: Mask, at: int) -> None:
    """Flows that stayed go on at the instance that has their state, soon after the other one died."""
    late = judged & (flows["last_tx_ns"] > at + SERVED_AGAIN_NS)
    cut = late & (flows["other_packets"] == 0) & (flows["last_owner_ns"] < flows["last_tx_ns"] - SERVED_AGAIN_NS)
    case.expect(not cut.any(), f"packets of {int(cut.sum())} flows no longer reach the instance that has their state")
    held = late & (flows["longest_gap_ns"] > SERVED_AGAIN_NS)
    case.expect(not held.any(), f"packets of {int(held.sum())} flows were held back for more than a second")
