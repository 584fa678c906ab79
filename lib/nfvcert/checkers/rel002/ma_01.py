"""REL002.MA.1: never migrate, every flow alive at the split keeps its instance through an exception rule."""

from __future__ import annotations

import numpy as np

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import affinity, exceptions_suffice, lossless, table_within
from nfvcert.checkers.rel002.figures import figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.table import Dump, dumps, removal_delays, since
from nfvcert.checkers.rel002.truth import truth
from nfvcert.checkers.rel002.workload import (
    Request,
    Workload,
    faults,
    last_push,
    scaling_end,
    steps,
    the_request,
)
from nfvcert.history import History
from nfvcert.measure import Measure

REMOVAL_LIMIT_S = 1.0
SETTLED_NS = 100_000_000


@checker("TP.MA.01.1")
def exceptions_equal_living_flows(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Each living old flow of the range given away has its exception, and only while it lives."""
    history = history_of(histories, "ma-never-migrate")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    split, found = the_request(history), dumps(history)
    after = _pushed(since(history, split.t))
    case.guard(any(dump.exceptions for dump in after), "no dump shows an exception of the split")
    if after:
        case.rests_on(history, [after[0].event, found[-1].event])
        most = max(len(dump.exceptions) for dump in after)
        case.observe(f"at most {most} exceptions at once; traffic of this workload goes one way, so one direction each")
        exceptions_suffice(case, history, after, flows, offered, split)
    affinity(case, flows)
    lossless(case, flows)
    table_within(case, figures(history))
    _removal(case, found, history)
    return case.judge("exceptions matched the living old flows at each dump, no flow left its instance")


def _pushed(found: list[Dump]) -> list[Dump]:
    """Dumps from the first one on that holds other rules than the one before the split."""
    before = found[0]
    return found[next((place for place, dump in enumerate(found) if not dump.same_rules(before)), len(found)) :]


def _removal(case: Case, found: list[Dump], history: History) -> None:
    delays = removal_delays(found, truth(history))
    if not case.guard(bool(delays), "no exception outlived its flow or went with it: removal was not seen"):
        return
    low, high = max(delays)
    case.measure(
        Measure(
            "exception_removal_delay",
            round(high, 3),
            "s",
            "<=",
            REMOVAL_LIMIT_S,
            "declared",
            interval=(round(low, 3), round(high, 3)),
            rule="between the last dump with the exception and the first without it",
        ),
        "exception removed too late after the end of its flow",
    )


def _smaller(history: History, split: Request) -> str:
    """What a step says of a share that is smaller than the one asked for; empty if none does."""
    for step in steps(history, label=split.label):
        share = (step.event.data.get("rules") or {}).get("share")
        if share is not None and float(share) < split.share:
            return step.text
    return ""


@checker("TP.MA.01.2")
def more_flows_than_entries(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """When the exceptions do not fit, the controller refuses, gives less or changes the method, and says so."""
    history = history_of(histories, "ma-table-full")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    split = the_request(history)
    found = since(history, split.t)
    needed = int((flows.alive(split.t) & flows.owned_by(offered.number(offered.initial))).sum() * split.share)
    case.guard(
        needed > offered.table_capacity,
        f"only {needed} exceptions were needed, the table of {offered.table_capacity} was not put to the test",
    )
    case.rests_on(history, [found[0].event, found[-1].event])
    case.guard(found[0].others > 0, "no rule of anybody else was in the table")
    filled = faults(history, "fill")
    case.rests_on(history, filled)
    case.guard(bool(filled), "nobody else took entries between the controller's look at the table and its push")
    others = np.array([dump.others for dump in found])
    most = np.maximum.accumulate(others)
    gone = int((most - others).max())
    case.expect(not gone, f"rules of others evicted: {gone} of {int(most.max())} are gone")
    table_within(case, figures(history))
    affinity(case, flows)
    _installed(case, history, found, offered, split)
    _said(case, history, found[-1], offered)
    return case.judge(
        "the controller gave way to the limit of the table and said how; nobody lost a rule or an instance"
    )


def _installed(case: Case, history: History, found: list[Dump], offered: Workload, split: Request) -> None:
    """What the controller calls a push has to be in the table: a refusal of the switch is no push."""
    push = last_push(history)
    if push is None:
        return
    after = [dump for dump in found if dump.t > push.t + SETTLED_NS]
    if case.guard(bool(after), "the table was not dumped after the push"):
        case.rests_on(history, [push.event, after[0].event])
        case.expect(
            bool(after[0].towards(offered.server(offered.number(split.target)))),
            "a push is reported that the switch refused: no range of the table leads to the new instance",
        )


def _said(case: Case, history: History, last: Dump, offered: Workload) -> None:
    split = the_request(history)
    told = str(split.answer.get("detail") or split.answer.get("reason") or "")
    if split.status is None or split.status >= 400:
        case.expect(bool(told), f"the controller refused with {split.status} without saying why")
        return
    end = scaling_end(history)
    case.rests_on(history, [end])
    reason = str(end.data.get("reason") or told or _smaller(history, split))
    case.expect(
        bool(reason), f"the scaling ended as {end.data.get('state')} and the controller did not say what it changed"
    )
