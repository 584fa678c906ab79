"""REL002.MA.6: a software upgrade sends new flows to the new version in stages, old flows end where they began."""

from __future__ import annotations

import numpy as np

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import affinity, lossless
from nfvcert.checkers.rel002.figures import figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.processes import running_until
from nfvcert.checkers.rel002.truth import Mask, Truth
from nfvcert.checkers.rel002.workload import Request, Workload, requests, steps
from nfvcert.history import History
from nfvcert.history import migration as m
from nfvcert.measure import Measure
from nfvcert.measure.statistics import wilson_interval

SHARE_TOLERANCE = 2.0
IN_FORCE_NS = 250_000_000
"""A stage is judged from that long after its request on."""
ROLLBACK_LIMIT_MS = 500.0
LEAVES_WITHIN_S = 2.0


@checker("TP.MA.06.1")
def no_flow_sees_two_versions(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The share of new flows follows the stages, each flow carries one version mark, the old instance ends last."""
    history = history_of(histories, "ma-version")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    stages = [request for request in requests(history) if request.label.startswith("stage-")]
    case.guard(len(stages) >= 3, f"only {len(stages)} stages were reached")
    case.rests_on(history, [stage.event for stage in stages])
    affinity(case, flows, name="flows_with_two_versions")
    lossless(case, flows)
    ends = [stage.t for stage in stages[1:]] + [figures(history).end_ns]
    for stage, end in zip(stages, ends, strict=True):
        _share(case, flows, offered, stage, end)
    _old_leaves(case, history, flows, offered, stages)
    return case.judge("new flows followed the stages, each flow met one version, the old one left after its last flow")


def _share(case: Case, flows: Truth, offered: Workload, stage: Request, end: int) -> None:
    born = flows.born(stage.t + IN_FORCE_NS, end) & (flows["received"] > 0)
    count = int(born.sum())
    if not case.guard(count >= 50, f"only {count} flows began in the stage of {100 * stage.share:g} %"):
        return
    on_new = int((born & flows.owned_by(offered.number(stage.target))).sum())
    low, high = (100 * bound for bound in wilson_interval(on_new, count))
    measured, wanted = 100 * on_new / count, 100 * stage.share
    error = abs(measured - wanted)
    nearest = 0.0 if low <= wanted <= high else min(abs(low - wanted), abs(high - wanted))
    case.measure(
        Measure(
            f"share_error_at_{wanted:g}_percent",
            round(error, 3),
            "percentage points",
            "<=",
            SHARE_TOLERANCE,
            "declared",
            interval=None if error <= SHARE_TOLERANCE else (round(nearest, 3), round(nearest, 3)),
            rule="tolerance beyond the sampling error of the flows that began (Wilson, k = 2)",
        ),
        f"share of new flows at {measured:.1f} % in the stage of {wanted:g} %",
    )


def _old_leaves(case: Case, history: History, flows: Truth, offered: Workload, stages: list[Request]) -> None:
    old = flows.owned_by(offered.number(offered.initial))
    last = int(flows["last_tx_ns"][old].max())
    gone = running_until(history, offered.initial)
    if gone is None:
        left = (figures(history).end_ns - last) / 1e9
        if left > LEAVES_WITHIN_S + offered.state_timeout_ns / 1e9:
            case.expect(False, f"the old instance still ran {left:.1f} s after its last flow had ended")
        else:
            case.guard(False, "flows of the old version lived until the end, so its leaving was not seen")
        return
    at, event = gone
    case.rests_on(history, [event])
    case.expect(at >= last, "the old instance was stopped while flows of it were alive")
    late = (at - last) / 1e9
    limit = LEAVES_WITHIN_S + offered.state_timeout_ns / 1e9
    case.measure(
        Measure("old_instance_leaves_after_its_last_flow", round(late, 2), "s", "<=", limit, "declared"),
        "the old instance left too late",
    )


@checker("TP.MA.06.2")
def way_back(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A rollback sends new flows to the old version at once; no flow of the old version suffers from it."""
    history = history_of(histories, "ma-version-back")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    rollbacks = [request for request in requests(history) if request.label in ("rollback", "abrupt")]
    if not case.guard(any(r.label == "rollback" for r in rollbacks), "the modification was not rolled back"):
        return case.judge("")
    case.rests_on(history, [request.event for request in rollbacks])
    forward = [request for request in requests(history) if request.label.startswith("stage-")]
    target = offered.number(forward[0].target)
    end = figures(history).end_ns
    for request in rollbacks:
        until = min([r.t for r in requests(history) if r.t > request.t], default=end)
        on_new = flows.born(request.t, until) & flows.owned_by(target)
        last = int(flows["first_tx_ns"][on_new].max()) if on_new.any() else request.t
        case.measure(
            Measure(
                "rollback_to_new_flows_on_old",
                round((last - request.t) / 1e6, 1),
                "ms",
                "<=",
                ROLLBACK_LIMIT_MS,
                "declared",
            ),
            f"new flows still met the new version after the {request.label}",
        )
    old = flows.owned_by(offered.number(offered.initial))
    disturbed = old & ((flows.lost > 0) | flows.violated)
    case.measure(
        Measure("old_version_flows_disturbed", int(disturbed.sum()), "count", "=", 0, "nfvcert"),
        "flows of the old version disturbed by the rollback",
    )
    cut = _cut(case, history, flows, target, rollbacks)
    two = int((flows.violated & ~old & ~cut).sum())
    case.expect(not two, f"flows born since meet the other version: {two} flows of the new version")
    return case.judge("new flows went to the old version at once, flows of the new version ended there")


def _cut(case: Case, history: History, flows: Truth, target: int, rollbacks: list[Request]) -> Mask:
    """Flows that an abrupt rollback cuts: those of the new version that lived then. No other flow may lose a packet."""
    cut = np.zeros(len(flows), dtype=np.bool_)
    for request in rollbacks:
        if request.label == "abrupt":
            lived = (flows["first_tx_ns"] <= request.t + int(ROLLBACK_LIMIT_MS * 1e6)) & (
                flows["last_tx_ns"] > request.t
            )
            cut |= flows.owned_by(target) & lived
    case.rests_on(history, [step.event for step in steps(history, m.TERMINATED, m.PUSH, label="abrupt")])
    lossless(case, flows, among=~cut)
    if cut.any():
        case.observe(f"the abrupt rollback cut {int(cut.sum())} flows of the new version")
    return cut
