"""REL002.MA.5: splits after splits, doubled reports of an overload, new instances that die (annex A.1: annex_a1)."""

from __future__ import annotations

import numpy as np

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import affinity, lossless, table_within
from nfvcert.checkers.rel002.figures import figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.loads import STAYS_NS, loads
from nfvcert.checkers.rel002.table import dumps
from nfvcert.checkers.rel002.truth import truth
from nfvcert.checkers.rel002.workload import (
    Workload,
    faults,
    requests,
    scaling_end,
    steps,
    the_request,
)
from nfvcert.history import History
from nfvcert.history import migration as m
from nfvcert.measure import Measure

OUTAGE_LIMIT_MS = 200.0
SAME_REPORT = ("overload", "doubled", "doubled-late")


@checker("TP.MA.05.3")
def one_to_eight(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Three rounds of splits, the next before the old flows of the last have ended."""
    history = history_of(histories, "ma-doubling")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    measured = figures(history)
    rounds = [request for request in requests(history) if request.status is not None and request.status < 300]
    case.guard(len(rounds) >= 3, f"only {len(rounds)} splits were accepted")
    affinity(case, flows)
    lossless(case, flows)
    table_within(case, measured)
    found = dumps(history)
    case.rests_on(history, [found[0].event, found[-1].event])
    torn = [dump for dump in found if not dump.covers_all_once()]
    case.expect(not torn, f"the ranges did not partition all ids in {len(torn)} of {len(found)} dumps")
    _still_living(case, history, offered)
    final = loads(history).imbalances(measured.end_ns - STAYS_NS, measured.end_ns, _serving(history, offered))
    worst = max((percent for _, percent in final), default=200.0)
    case.measure(
        Measure(
            "imbalance", round(worst, 2), "%", "<=", measured.imbalance_limit, "nfvcert",
            rule="largest window of 1 s in the last 5 s",
        ),
        "imbalance of the instances",
    )  # fmt: skip
    return case.judge("ranges partitioned the whole through all rounds, flows kept their owner, loads were balanced")


def _serving(history: History, offered: Workload) -> list[int]:
    named = {offered.initial} | {request.target for request in requests(history) if (request.status or 500) < 300}
    return sorted(offered.number(name) for name in named)


def _still_living(case: Case, history: History, offered: Workload) -> None:
    flows, rounds = truth(history), requests(history)
    if len(rounds) < 2:
        return
    old = flows.owned_by(offered.number(offered.initial)) & (flows["first_tx_ns"] < rounds[0].t)
    living = int((old & flows.alive(rounds[-1].t)).sum())
    case.guard(living >= 10, f"only {living} flows from before the first split lived at the last one")


@checker("TP.MA.05.4")
def doubled_reports_and_no_place(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A doubled report splits once, nothing is split without a place, a dead new instance takes no new flow."""
    case = Case(purpose)
    history = history_of(histories, "ma-overload")
    _, flows = guarded(case, history)
    affinity(case, flows)
    lossless(case, flows)
    begun = steps(history, m.DETOUR)
    case.rests_on(history, [step.event for step in begun])
    doubled = [request for request in requests(history) if request.label in SAME_REPORT]
    case.guard(len(doubled) >= 2, "the overload was not reported twice")
    ids = {step.event.data["id"] for step in begun if step.t < _next_report(history)}
    ids |= {request.id for request in doubled if request.id is not None}
    case.expect(bool(ids), "the overload report started no split")
    case.expect(len(ids) <= 1, f"{len(ids)} splits after one overload that was reported twice")
    _no_place(case, history)
    _stillborn(case, histories)
    return case.judge(
        "one split for a doubled report, none without a place, and none of the new flows stayed with the dead"
    )


def _next_report(history: History) -> int:
    return next((request.t for request in requests(history) if request.label not in SAME_REPORT), 2**63 - 1)


def _no_place(case: Case, history: History) -> None:
    request = next((r for r in requests(history) if r.label == "no-place"), None)
    if not case.guard(request is not None, "no overload was reported while no server was free"):
        return
    assert request is not None
    case.rests_on(history, [request.event])
    later = [step for step in steps(history, m.DETOUR, m.PUSH) if step.label == request.label]
    case.expect(not later, "a split was made although no server was free")
    case.expect(
        request.status is not None and request.status >= 400, f"a split without a place was answered {request.status}"
    )


def _stillborn(case: Case, histories: Histories) -> None:
    history = history_of(histories, "ma-stillborn")
    offered, flows = guarded(case, history)
    split = the_request(history)
    killed = [fault for fault in faults(history, "kill") if fault.data.get("target") == split.target]
    if not case.guard(bool(killed), "the new instance was not killed"):
        return
    at = killed[0].t
    case.rests_on(history, [killed[0], scaling_end(history)])
    old = flows.owned_by(offered.number(split.source)) & (flows["first_tx_ns"] < at)
    case.expect(
        not int(flows.lost[old].sum()), f"{int((flows.lost[old] > 0).sum())} flows of the old instance lost packets"
    )
    end = figures(history).end_ns
    born = flows.born(at, end)
    harmed = born & (flows.lost > 0)
    last = int(flows["first_tx_ns"][harmed].max()) if harmed.any() else at
    again = born & flows.owned_by(offered.number(split.source)) & (flows["first_tx_ns"] > last)
    case.guard(bool(again.any()) or bool(harmed.any()), "no flow began after the kill")
    outage = (last - at) / 1e6
    spacing = 1000.0 / max(1.0, offered.new_flows_per_second * max(split.share, 0.01))
    case.measure(
        Measure(
            "new_flow_outage_after_kill",
            round(outage, 1),
            "ms",
            "<=",
            OUTAGE_LIMIT_MS,
            "declared",
            interval=(round(outage, 1), round(outage + spacing, 1)),
            rule="last flow that began after the kill and lost packets, and the mean distance to the next one",
        ),
        "new flows lost after the death of the new instance",
    )
    affinity(case, flows, among=np.asarray(flows.owned_by(offered.number(split.source))))
