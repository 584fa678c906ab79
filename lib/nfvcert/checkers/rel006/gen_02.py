"""REQ.GEN.002: a rollback can be started at any moment until the modification is complete and committed."""

from __future__ import annotations

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import changed, changes_between, grants, labelled, the_request
from nfvcert.checkers.views.coordination import coordinations
from nfvcert.checkers.views.flows import flows
from nfvcert.checkers.views.inventory import lifetimes, sample_before, samples
from nfvcert.checkers.views.operations import distinct_states, notified, operation_id, polled, reachable
from nfvcert.checkers.views.records import differences, records, snapshot, snapshot_or_none
from nfvcert.checkers.views.traffic import guard_trial, lost_between, stages
from nfvcert.history import Event, History, marks
from nfvcert.measure import Measure

FORWARD = frozenset({"migrate", "retire", "complete"})
"""Stages of coordinations that carry a modification on."""
PHASES = ("by_decision", "by_cancel", "by_crash")


@checker("TP.GEN.02.1")
def rollback_from_each_phase(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Rollback from each phase that was tried restores the start state."""
    history = history_of(histories, "rollback")
    case = Case(purpose)
    guard_trial(case, history)
    before = snapshot(history, "before")
    case.rests_on(history, [before])
    refused = differing = 0
    slowest = 0.0
    for label in PHASES:
        if label == "by_crash" and "restart_vnfm" not in declared.features:
            case.observe("The testbed may not restart the VNFM; that phase was left out.")
            continue
        _guard_phase(case, history, label)
        refused += _refusals(case, history, label)
        _stops_when_told(case, history, declared, label)
        after = snapshot_or_none(history, f"after_{label}")
        if not case.guard(after is not None, f"the records after '{label}' were not read"):
            continue
        assert after is not None
        case.rests_on(history, [after])
        found = differences(records(before), records(after))
        found += _inventory_differences(history, declared, before, after)
        differing += len(found)
        for sentence in found:
            share = " (share differs from the snapshot)" if sentence.startswith("shares") else ""
            case.expect(False, f"start state not restored after '{label}'{share}: {sentence}")
        slowest = max(slowest, _rollback_seconds(case, history, label))
    case.measure(
        Measure("refused_phases", refused, "phases", "=", 0, "REL 006 REQ.GEN.002"), "rollback refused before commit"
    )
    case.measure(
        Measure("differences_from_snapshot", differing, "differences", "=", 0, "REL 006 REQ.GEN.001"),
        "start state not restored",
    )
    limit, source = declared.limit("rollback_time"), declared.source("rollback_time")
    case.measure(Measure("rollback_time", round(slowest, 2), "s", "<=", limit, source), "rollback took too long")
    _old_flows(case, history, declared)
    return case.judge("rollback was accepted in every phase tried and restored the start state without loss")


@checker("TP.GEN.02.3")
def nothing_left(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """After a rollback nothing of the new version remains, and the same modification can be tried again."""
    history = history_of(histories, "rollback")
    case = Case(purpose)
    leftovers = 0
    found = samples(history, declared)
    for label in ("by_decision", "by_cancel"):
        after = snapshot(history, f"after_{label}")
        sample = sample_before(found, after.t + 1)
        case.rests_on(history, [after, sample.event])
        case.guard(_was_tried(history, declared, label), f"no new VNFC carried traffic before the rollback '{label}'")
        left = [vnfc.id for vnfc in sample.of("new")]
        leftovers += len(left)
        case.expect(not left, f"leftover new VNFC after '{label}': {', '.join(left)}")
        running = {vnfc.id for vnfc in sample.vnfcs}
        servers = {str(server["id"]) for server in records(after).get("servers") or []}
        leftovers += len(servers - running)
        case.expect(servers <= running, f"the VIM still lists servers after '{label}': {sorted(servers - running)}")
        dangling = [
            str(port["id"])
            for port in records(after).get("ports") or []
            if port.get("device_id") and port["device_id"] not in running
        ]
        leftovers += len(dangling)
        case.expect(not dangling, f"ports left after '{label}': {', '.join(dangling)}")
    case.measure(
        Measure("leftover_resources", leftovers, "resources", "=", 0, "REL 006 6.4"), "leftover new VNFC or resource"
    )
    again = the_request(history, "by_cancel")
    granted = grants(history, operation_id(history, "by_cancel", "vnf"))
    case.rests_on(history, [again, *granted])
    case.expect(again.data.get("status") == 202, "the same modification was refused after the rollback")
    case.guard(bool(granted) or "recorded_reference_points" not in declared.features, "its grant was not recorded")
    case.expect(
        all(grant.data.get("status") == 201 for grant in granted),
        "the same modification was not granted after the rollback",
    )
    return case.judge("nothing of the new version was left and the same modification could be tried again")


@checker("TP.GEN.02.4")
def none_after_commit(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A faultless run is rolled back on order of the administrator; after commit no rollback has an effect."""
    case = Case(purpose)
    history = history_of(histories, "rollback")
    ordered = [e for e in labelled(history, marks.DECISION, "by_decision") if e.data.get("decision") == "ABORT"]
    reached = [e for e in labelled(history, marks.REACHED, "by_decision") if e.data.get("state") == "ROLLED_BACK"]
    case.rests_on(history, [*ordered, *reached])
    if case.guard(bool(ordered), "the administrator did not order an end"):
        case.expect(bool(reached), "a faultless run could not be rolled back on order")
    history = history_of(histories, "upgrade")
    effects = 0
    tries = [e for e in history.marks(marks.ATTEMPT) if str(e.data.get("label", "")).startswith("late_")]
    case.rests_on(history, tries)
    case.guard({e.data.get("task") for e in tries} >= {"cancel", "rollback", "retry"}, "late tasks were not all tried")
    for event in tries:
        status = event.data.get("status")
        case.expect(status == 409, f"late {event.data.get('task')} was answered {status} instead of 409")
        case.expect(
            bool(event.data.get("problem")), f"late {event.data.get('task')} was refused without a problem document"
        )
    if tries:
        after, later = snapshot(history, "after"), snapshot(history, "after_late")
        case.rests_on(history, [after, later])
        found = differences(records(after), records(later))
        found += changes_between(history, declared, after.t, later.t)
        effects = len(found)
        for sentence in found:
            case.expect(False, f"late rollback had an effect: {sentence}")
        guard_trial(case, history)
        effects += lost_between(history, after.t, later.t)
    case.measure(
        Measure("effects_of_late_rollback", effects, "effects", "=", 0, "REL 006 6.4, SOL003 states"),
        "late rollback had an effect",
    )
    return case.judge("rolled back on order before commit, nothing moved any more after it")


def _guard_phase(case: Case, history: History, label: str) -> None:
    paused = stages(history, label)
    case.rests_on(history, [stage.event for stage in paused])
    case.guard(bool(paused), f"the phase of '{label}' was not reached")


def _refusals(case: Case, history: History, label: str) -> int:
    """How many of the tasks of a phase were refused."""
    tasks = labelled(history, marks.TASK, label)
    decided = [event for event in labelled(history, marks.DECISION, label) if event.data.get("decision") == "ABORT"]
    case.rests_on(history, [*tasks, *decided])
    rollbacks = [event for event in tasks if event.data.get("task") == "rollback"]
    if not case.guard(bool(rollbacks), f"no rollback was asked in '{label}'"):
        return 0
    refused = 0
    for event in tasks:
        accepted = event.data.get("status") == 202
        refused += not accepted
        case.expect(
            accepted,
            f"rollback refused before commit: {event.data.get('task')} of '{label}' got {event.data.get('status')}",
        )
    operation = operation_id(history, label, "vnf")
    states = distinct_states(
        sorted(polled(history, operation) + notified(history, operation, sink="full"), key=lambda s: s.t)
    )
    case.expect(
        "ROLLED_BACK" in states, f"'{label}' did not end in ROLLED_BACK but {states[-1] if states else 'unknown'}"
    )
    told = distinct_states(notified(history, operation, sink="full"))
    for earlier, later in zip(told, told[1:], strict=False):
        case.expect(reachable(earlier, later), f"states of '{label}' went from {earlier} to {later}")
    return refused


def _stops_when_told(case: Case, history: History, declared: Declared, label: str) -> None:
    """Expect that the VNFM takes no further step once the EM, where it was ordered to, has answered ABORT."""
    ordered = [e for e in labelled(history, marks.DECISION, label) if e.data.get("decision") == "ABORT"]
    if not ordered:
        return
    found = coordinations(
        history, operation_id(history, label, "vnf"), required="coordination" in declared.drop_features
    )
    aborted = [c for c in found if c.result == "ABORT" and c.end is not None]
    case.rests_on(history, [c.last for c in aborted])
    case.guard(bool(aborted), f"the EM did not pass on the order to stop '{label}'")
    further = [c for c in found if aborted and c.begin > aborted[0].last.t and c.stage in FORWARD]
    case.rests_on(history, [c.event for c in further])
    case.expect(not further, f"'{label}' went on to the next step after the EM had answered ABORT")


def _inventory_differences(history: History, declared: Declared, before: Event, after: Event) -> list[str]:
    found = samples(history, declared)
    first, last = sample_before(found, before.t + 1), sample_before(found, after.t + 1)
    result = []
    for vdu in sorted({vnfc.vdu for vnfc in first.vnfcs if vnfc.vdu}):
        was = sorted(v.generation for v in first.vnfcs if v.vdu == vdu)
        now = sorted(v.generation for v in last.vnfcs if v.vdu == vdu)
        if was != now:
            result.append(f"{vdu} ran as {was} and runs as {now}")
    still = {vnfc.identity for vnfc in last.vnfcs}
    for vnfc in first.vnfcs:
        if vnfc.generation == "both" and vnfc.identity not in still:
            result.append(f"{vnfc.id} is not part of the modification and was touched")
    return result


def _rollback_seconds(case: Case, history: History, label: str) -> float:
    asked = [e for e in labelled(history, marks.TASK, label) if e.data.get("task") == "rollback"]
    done = [e for e in labelled(history, marks.REACHED, label) if e.data.get("state") == "ROLLED_BACK"]
    case.rests_on(history, [*asked, *done])
    return (done[-1].t - asked[0].t) / 1e9 if asked and done else 0.0


def _old_flows(case: Case, history: History, declared: Declared) -> None:
    carried = flows(history, lifetimes(samples(history, declared)))
    old = [flow for flow in carried if flow.first_generation == "old"]
    case.guard(bool(old), "no flow was carried by the old version")
    lost = sum(flow.lost for flow in old)
    limit, source = declared.limit("stateful_loss"), declared.source("stateful_loss")
    case.measure(Measure("lost_packets_of_old_flows", lost, "packets", "<=", limit, source), "flows are lost")
    new = sum(flow.lost for flow in carried if flow.first_generation == "new")
    case.measure(
        Measure("lost_packets_of_new_flows", new, "packets", "<=", limit, source), "flows of the new version are lost"
    )


def _was_tried(history: History, declared: Declared, label: str) -> bool:
    """Whether a new VNFC carried a flow in that attempt."""
    asked = the_request(history, label)
    reached = labelled(history, marks.REACHED, label)
    until = reached[-1].t if reached else history.events[-1].t
    found = samples(history, declared)
    ran = {v.id for s in found if asked.t <= s.t <= until for v in changed(s.vnfcs, declared) if v.generation == "new"}
    return any(stay.vnfc in ran for flow in flows(history, lifetimes(found)) for stay in flow.stays)
