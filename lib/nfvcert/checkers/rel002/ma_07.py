"""REL002.MA.7: scale-in gives the leaving instance no new flow, lets its flows end, then removes it."""

from __future__ import annotations

import numpy as np

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import affinity, exceptions_suffice, lossless, table_within
from nfvcert.checkers.rel002.figures import figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.processes import running_until
from nfvcert.checkers.rel002.table import dumps, key_of
from nfvcert.checkers.rel002.truth import Truth
from nfvcert.checkers.rel002.workload import Request, Workload, requests, scaling_end, steps, the_request
from nfvcert.history import History
from nfvcert.history import migration as m
from nfvcert.measure import Measure

SCALE_IN = "scale-in"
TURN = "turn-round"
CHANGE_NS = 500_000_000
"""Longest time from a request to the change that it asks for."""
CUT_TOLERANCE_NS = 1_000_000_000


def _changed(history: History, request: Request) -> int:
    """From when on new flows must go the new way: the controller's own step, else the longest time allowed for it."""
    own = [step.t for step in steps(history, m.DETOUR, label=request.label)]
    return min([*own[:1], request.t + CHANGE_NS])


@checker("TP.MA.07.1")
def leave_without_loss(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """New flows avoid the leaving instance, which goes when its last flow has ended; one range is left."""
    history = history_of(histories, "ma-scale-in")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    request = the_request(history, SCALE_IN)
    leaving = flows.owned_by(offered.number(request.source))
    case.rests_on(history, [request.event])
    at = _changed(history, request)
    living = int((leaving & flows.alive(request.t)).sum())
    case.guard(living >= 10, f"only {living} flows lived at the leaving instance")
    late = leaving & (flows["first_tx_ns"] > at)
    case.measure(
        Measure("new_flows_at_leaving_instance", int(late.sum()), "count", "=", 0, "nfvcert"),
        "new flows at the leaving instance",
    )
    affinity(case, flows)
    lossless(case, flows)
    table_within(case, figures(history))
    merged = steps(history, m.MERGE, m.PUSH, label=SCALE_IN)
    if case.guard(bool(merged), "the range of the leaving instance was not merged"):
        found = [dump for dump in dumps(history) if dump.t > merged[0].t]
        exceptions_suffice(case, history, found, flows, offered, request)
    _leaves(case, history, flows, offered, request)
    return case.judge("the leaving instance got no new flow, ended after its last one, and its range was merged")


def _leaves(case: Case, history: History, flows: Truth, offered: Workload, request: Request) -> None:
    own = flows.owned_by(offered.number(request.source))
    last = int(flows["last_tx_ns"][own].max())
    gone = running_until(history, request.source)
    if gone is None:
        alive = (figures(history).end_ns - last) / 1e9
        limit = 2.0 + offered.state_timeout_ns / 1e9
        if alive > limit:
            case.expect(False, f"the leaving instance still ran {alive:.1f} s after its last flow had ended")
        else:
            case.guard(False, "flows of the leaving instance lived until the end, so its leaving was not seen")
        return
    at, event = gone
    case.rests_on(history, [event])
    cut = int((own & (flows["last_tx_ns"] > at)).sum())
    case.expect(not cut, f"the leaving instance was ended with living flows, {cut} of them")
    final = dumps(history)[-1]
    case.rests_on(history, [final.event])
    case.expect(
        len(final.ranges) == 1 and not final.exceptions and final.covers_all_once(),
        f"the table ends with {len(final.ranges)} ranges and {len(final.exceptions)} exceptions instead of one range",
    )


@checker("TP.MA.07.2")
def endless_flows_and_turning_round(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """After the longest wait what is cut is reported flow by flow; turning round moves no flow."""
    case = Case(purpose)
    _longest_wait(case, history_of(histories, "ma-scale-in-endless"))
    _turned(case, history_of(histories, "ma-turn-round"))
    return case.judge("flows that were cut were all reported; turning round moved no flow and gave new ones back")


def _longest_wait(case: Case, history: History) -> None:
    offered, flows = guarded(case, history)
    request = the_request(history, SCALE_IN)
    wait = float(request.event.data.get("longest_wait_s") or 0)
    end = scaling_end(history, SCALE_IN)
    gone = running_until(history, request.source)
    case.rests_on(history, [request.event, end])
    if not case.guard(wait > 0, "no longest wait was set"):
        return
    own = flows.owned_by(offered.number(request.source))
    due = request.t + int(wait * 1e9)
    endless = int((own & flows.alive(due)).sum())
    case.guard(endless >= 3, f"only {endless} flows of the leaving instance lived at the end of the longest wait")
    if gone is None:
        case.expect(
            str(end.data.get("state")) != "COMPLETED",
            "the scale-in is reported as completed, but the leaving instance still runs",
        )
    else:
        case.expect(
            gone[0] >= due - CUT_TOLERANCE_NS, "the leaving instance was ended before the longest wait was over"
        )
    cut_at = due - CUT_TOLERANCE_NS if gone is None else gone[0] - CUT_TOLERANCE_NS
    cut = np.flatnonzero(own & ((flows.lost > 0) | flows.violated) & (flows["last_tx_ns"] > cut_at))
    told = {tuple(int(part) for part in key[:5]) for key in end.data.get("cut_flows") or []}
    silent = sum(key_of(flows, row) not in told for row in cut.tolist())
    case.measure(Measure("unreported_cut_flows", silent, "count", "=", 0, "nfvcert"), "flows cut and not reported")
    early = own & (flows["last_tx_ns"] <= cut_at)
    others = int(((flows.lost > 0) & ~own).sum() + (flows.lost[early] > 0).sum())
    case.expect(not others, f"{others} flows that were not to be cut lost packets")


def _turned(case: Case, history: History) -> None:
    offered, flows = guarded(case, history)
    leave = the_request(history, SCALE_IN)
    turn = next((request for request in requests(history) if request.label == TURN), None)
    if not case.guard(turn is not None, "the scale-in was not turned round"):
        return
    assert turn is not None
    case.rests_on(history, [leave.event, turn.event])
    again = flows.born(turn.t + CHANGE_NS, figures(history).end_ns) & flows.owned_by(offered.number(leave.source))
    case.expect(bool(again.any()), "the instance that stays after all gets no new flow")
    moved = int((flows["changes"] > 1).sum())
    case.expect(not moved, f"flow moved twice: {moved} flows")
    affinity(case, flows)
    lossless(case, flows)
