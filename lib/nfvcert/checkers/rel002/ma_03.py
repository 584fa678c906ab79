"""REL002.MA.3: migration avoidance, steps 1 to 6: new flows are detoured until the table can take the old ones."""

from __future__ import annotations

import numpy as np

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel002.common import (
    affinity,
    exceptions_suffice,
    lossless,
    nothing_twice,
    table_within,
)
from nfvcert.checkers.rel002.figures import figures
from nfvcert.checkers.rel002.guards import guarded
from nfvcert.checkers.rel002.table import Dump, dumps, most_asked_for, removal_delays, since
from nfvcert.checkers.rel002.truth import Range, Truth, truth
from nfvcert.checkers.rel002.workload import Workload, last_push, scaling_end, steps, the_request, workload
from nfvcert.history import EventKind, History
from nfvcert.history import migration as m
from nfvcert.measure import Measure

PUSH_LAG_S = 0.5
SETTLED_NS = 100_000_000
AROUND_NS = 100_000_000


@checker("TP.MA.03.1")
def steps_four_to_six(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The hardware table changes once, when so few old flows are left that it can take their exceptions."""
    case, history = Case(purpose), history_of(histories, "ma-plain")
    guarded(case, history)
    return _one_push(case, history)


@checker("TP.MA.03.6")
def steps_on_open_vswitch(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The same holds with a switch of others, at the rate that it can carry: nothing is lost."""
    case, history = Case(purpose), history_of(histories, "ma-openvswitch")
    offered, flows = guarded(case, history)
    case.guard(offered.driver == "openvswitch", f"the hardware switch was not Open vSwitch but {offered.driver}")
    case.observe(f"Open vSwitch was offered {offered.text}")
    lossless(case, flows)
    return _one_push(case, history)


def _one_push(case: Case, history: History) -> Judgement:
    """Steps 4 to 6 in a history that was found valid."""
    offered, flows = workload(history), truth(history)
    affinity(case, flows)
    table_within(case, figures(history))
    split, found = the_request(history), dumps(history)
    push = last_push(history)
    before = [dump for dump in found if dump.t < split.t]
    case.guard(bool(before), "the table was not dumped before the split")
    threshold = scaling_end(history).data.get("threshold")
    if not isinstance(threshold, int):
        case.guard(False, "the controller does not tell its threshold")
        return case.judge("")
    given = _given(found[-1], offered, split.target) or _asked(split.answer)
    _lag(case, history, flows, offered, given, threshold, None if push is None else push.t)
    if push is None:
        return case.judge("")
    case.rests_on(history, [push.event, *(dump.event for dump in before[-1:])])
    early = [dump for dump in found if split.t < dump.t < push.t - SETTLED_NS and not dump.same_rules(before[-1])]
    case.expect(not early, "the table of the hardware switch changed before the push")
    pushes = steps(history, m.PUSH, label=split.label)
    case.expect(len(pushes) == 1, f"{len(pushes)} pushes to the hardware switch instead of one")
    after = [dump for dump in found if dump.t > push.t + SETTLED_NS]
    if case.guard(bool(after), "the table was not dumped after the push"):
        count = len(after[0].exceptions)
        case.expect(count < threshold, f"pushed with {count} exceptions, the threshold is {threshold}")
        exceptions_suffice(case, history, after, flows, offered, split)
    _direct(case, flows, offered, given, push.t, split.target)
    _exceptions_go(case, after, flows)
    return case.judge(
        "one push, in time and within the table; new flows go the direct way, exceptions end with their flows"
    )


def _given(dump: Dump, offered: Workload, target: str) -> list[Range]:
    """Ranges that the table leads to the server of the target."""
    return dump.towards(offered.server(offered.number(target)))


def _asked(answer: dict[str, object]) -> list[Range]:
    """The range that the controller says it wants to give away."""
    given = answer.get("given")
    ranges = given if isinstance(given, list) else []
    return [(int(low), int(high)) for low, high in ranges]


def _lag(
    case: Case,
    history: History,
    flows: Truth,
    offered: Workload,
    given: list[Range],
    threshold: int,
    push: int | None,
) -> None:
    """How long after the generator's truth fell below the threshold the push came."""
    if not case.guard(bool(given), "it is not known which range was to be given away"):
        return
    split, end = the_request(history), figures(history).end_ns
    old = flows.owned_by(offered.number(split.source)) & flows.within(given)
    times = np.arange(split.t, push or end, 5_000_000)
    counts = flows.count_alive(old, times)
    above = np.flatnonzero(counts >= threshold)
    first = int(times[above[-1] + 1]) if len(above) and above[-1] + 1 < len(times) else int(times[0])
    if len(above) and above[-1] + 1 >= len(times):
        case.guard(push is not None, f"{int(counts[-1])} old flows were left at the end, the threshold is {threshold}")
        first = int(times[-1])
    lag = ((push or end) - first) / 1e9
    case.measure(
        Measure(
            "push_lag_behind_ground_truth",
            round(lag, 3),
            "s",
            "<=",
            PUSH_LAG_S,
            "declared",
            interval=(round(lag - 0.005, 3), round(lag, 3)),
            rule="living old flows of the generator counted each 5 ms",
        ),
        "push lag over limit" if push is not None else "push lag over limit, the push never came",
    )


def _direct(case: Case, flows: Truth, offered: Workload, given: list[Range], push: int, target: str) -> None:
    born = flows.born(push + AROUND_NS, int(flows["first_tx_ns"].max()) + 1) & flows.within(given)
    if not case.guard(bool(born.any()), "no flow of the range began after the push"):
        return
    late = int((born & (flows["detoured"] > 0)).sum())
    case.expect(not late, f"new flows still enter the first server after the push: {late} of {int(born.sum())}")
    elsewhere = int((born & ~flows.owned_by(offered.number(target))).sum())
    case.expect(not elsewhere, f"{elsewhere} new flows of the range went to another instance after the push")


def _exceptions_go(case: Case, after: list[Dump], flows: Truth) -> None:
    if not after:
        return
    late = [low for low, _ in removal_delays(after, flows) if low > 1.0]
    case.expect(not late, f"{len(late)} exceptions were still there 1 s after the end of their flows")


@checker("TP.MA.03.2")
def born_in_the_switching_instants(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Flows that begin or end while snapshot and push happen keep to one instance."""
    history = history_of(histories, "ma-burst")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    moments = steps(history, m.SNAPSHOT, m.DETOUR, m.PUSH)
    case.rests_on(history, [step.event for step in moments[:8]])
    names = {step.step for step in moments}
    case.guard(m.PUSH in names and names & {m.SNAPSHOT, m.DETOUR} != set(), "snapshot and push were not both reached")
    near = np.zeros(len(flows), dtype=np.bool_)
    for step in moments:
        near |= flows.born(step.t - AROUND_NS, step.t + AROUND_NS)
        near |= (flows["last_tx_ns"] >= step.t - AROUND_NS) & (flows["last_tx_ns"] < step.t + AROUND_NS)
    least = int(2 * 0.1 * 10 * offered.new_flows_per_second * 0.5)
    case.guard(
        int(near.sum()) >= least, f"only {int(near.sum())} flows began or ended at these instants, {least} are needed"
    )
    affinity(case, flows, among=near, name="affinity_violations_within_100ms")
    rest = int((flows.violated & ~near).sum())
    case.expect(not rest, f"{rest} flows met another instance at other times")
    return case.judge(f"{int(near.sum())} flows that began or ended around snapshot and push kept to their instance")


@checker("TP.MA.03.3")
def silent_is_not_ended(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A flow that pauses for less than the state timeout finds its owner again."""
    history = history_of(histories, "ma-idle")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    push, split = last_push(history), the_request(history)
    if not case.guard(push is not None, "the push was not reached"):
        return case.judge("")
    assert push is not None
    case.rests_on(history, [push.event])
    timeout_ms = offered.state_timeout_ns / 1e6
    silences = sorted({int(value) for value in flows["silence_ms"].tolist() if value})
    case.guard(
        any(s >= 0.85 * timeout_ms and s <= 0.95 * timeout_ms for s in silences),
        "no flow paused for about 90 % of the state timeout",
    )
    short = (flows["silence_ms"] > 0) & (flows["silence_ms"] <= 0.95 * timeout_ms)
    through = short & (flows["first_tx_ns"] < split.t) & (flows["last_tx_ns"] > push.t)
    old = through & flows.owned_by(offered.number(split.source))
    case.guard(
        int(old.sum()) >= 10, f"only {int(old.sum())} pausing flows lived from before the split until after the push"
    )
    affinity(case, flows, among=short)
    rest = int((flows.violated & ~short & (flows["silence_ms"] == 0)).sum())
    case.expect(not rest, f"{rest} flows that did not pause met another instance")
    longer = int(((flows["silence_ms"] > timeout_ms) & (flows["other_packets"] > 0)).sum())
    case.observe(
        f"{longer} flows that were silent for longer than the timeout went on at another instance, which is right too"
    )
    return case.judge("paused flows found their owner again before and after the push")


@checker("TP.MA.03.4")
def slow_refusing_or_dying(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Rules that are installed slowly, refused or only half way never let a range act without its exceptions."""
    case = Case(purpose)
    for scenario in ("ma-refused-rules", "ma-controller-killed"):
        history = history_of(histories, scenario)
        offered, flows = guarded(case, history)
        _disturbed(case, history)
        found = dumps(history)
        case.rests_on(history, [found[-1].event])
        exceptions_suffice(case, history, found, flows, offered, the_request(history))
        affinity(case, flows)
        lossless(case, flows)
        nothing_twice(case, flows)
        case.expect(found[-1].covers_all_once(), "the ranges in the table do not partition all ids at the end")
        end = scaling_end(history)
        state = str(end.data.get("state"))
        case.rests_on(history, [end])
        case.expect(
            state in ("CONVERGED", "COMPLETED", "REFUSED", "WITHDRAWN", "FAILED"),
            f"{scenario}: the push was neither completed nor withdrawn, the scaling is {state}",
        )
    return case.judge("no range acted without its exceptions, whatever became of the rules; nothing was lost")


def _disturbed(case: Case, history: History) -> None:
    """Guard that the disturbance took place while rules were pushed."""
    if history.scenario == "ma-controller-killed":
        killed = history.of(EventKind.FAULT, where=lambda e: e.data.get("kind") == "kill")
        case.rests_on(history, killed)
        case.guard(bool(killed), "the controller was not killed")
        return
    refused = [
        event
        for event in history.of(EventKind.API_CALL, where=lambda e: e.source == m.CONTROL + m.SWITCH)
        if not event.data.get("ok") or (event.data.get("answer") or {}).get("refused")
    ]
    case.rests_on(history, refused[:3])
    case.guard(bool(refused), "the switch refused no rule")


@checker("TP.MA.03.5")
def quota_and_endless_flows(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The threshold follows the quota; flows that never end are detoured for as long as it takes."""
    history = history_of(histories, "ma-quota")
    case = Case(purpose)
    offered, flows = guarded(case, history)
    quota = offered.quota
    if not case.guard(quota is not None, "the scenario set no quota"):
        return case.judge("")
    assert quota is not None
    found = since(history, the_request(history).t)
    case.rests_on(history, [found[0].event, found[-1].event])
    case.guard(found[0].others > 0, "no rule of other tenants was in the table")
    own = max(max(dump.own for dump in found), most_asked_for(history, found))
    case.measure(
        Measure("own_entries_max", own, "count", "<=", quota, "declared", rule="in the table, or asked of the switch"),
        "own entries over quota",
    )
    case.expect(
        min(dump.others for dump in found) >= found[0].others, "rules of other tenants were removed from the table"
    )
    affinity(case, flows)
    end = scaling_end(history)
    case.rests_on(history, [end])
    threshold = end.data.get("threshold")
    if not isinstance(threshold, int):
        case.guard(False, "the controller does not tell its threshold")
    else:
        case.expect(threshold <= quota, f"the threshold of {threshold} ignores the quota of {quota}")
    push = last_push(history)
    if push is None or push.t > figures(history).end_ns:
        waits = [step for step in steps(history, m.WAITING) if step.t < figures(history).end_ns]
        case.rests_on(history, [step.event for step in waits[:3]])
        case.expect(bool(waits), "old flows stayed above the threshold and the controller does not report it")
    return case.judge(f"never more than {own} own entries of {quota}, and nothing was forced")
