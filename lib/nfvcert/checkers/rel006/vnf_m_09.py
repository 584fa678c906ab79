"""REQ.VNF.M.09: the new version is scaled out and the old one in, as the policies say."""

from __future__ import annotations

from collections.abc import Iterable

from nfvcert.checkers.case import Case, Judgement, Missing
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import changed, completed_at, final_notification, labelled, the_request
from nfvcert.checkers.views.calls import notification
from nfvcert.checkers.views.coordination import coordinations
from nfvcert.checkers.views.flows import flows
from nfvcert.checkers.views.inventory import Vnfc, lifetimes, sample_before, samples
from nfvcert.checkers.views.operations import final_record, first_sighting, operation_id
from nfvcert.checkers.views.records import affected_vnfcs
from nfvcert.checkers.views.traffic import control_span, guard_trial, intervals
from nfvcert.history import History, marks
from nfvcert.measure import Measure
from nfvcert.measure.statistics import percentile


@checker("TP.VNF.09.1")
def grows_and_shrinks(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """New grows and old shrinks in steps without a dip in capacity."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    guard_trial(case, history)
    asked = the_request(history, "upgrade")
    operation = operation_id(history, "upgrade", "vnf")
    end = completed_at(history, operation)
    policy = declared.policy(str(asked.data.get("policy")))
    found = samples(history, declared)
    original = len(changed(sample_before(found, asked.t).vnfcs, declared))
    additional = int((policy.get("additional_resources") or {}).get("vnfcs", 0))
    within = [sample for sample in found if asked.t <= sample.t <= end]
    case.guard(len(within) >= 5, "the hosts were looked at too seldom")
    counts = [len(changed(sample.vnfcs, declared)) for sample in within]
    lowest = min(within, key=lambda sample: len(changed(sample.vnfcs, declared))) if within else found[0]
    highest = max(within, key=lambda sample: len(changed(sample.vnfcs, declared))) if within else found[0]
    case.rests_on(history, [asked, lowest.event, highest.event])
    case.measure(
        Measure(
            "ready_capacity",
            round(min(counts, default=0) / original, 3) if original else 0.0,
            "ratio",
            ">=",
            declared.limit("min_capacity"),
            declared.source("min_capacity"),
            rule="VNFCs that run, against those before the request",
        ),
        "ready capacity below the minimum",
    )
    most = original + additional
    case.expect(max(counts, default=0) <= most, f"{max(counts, default=0)} VNFCs at once, the policy allows {most}")
    grown = [len([v for v in changed(s.vnfcs, declared) if v.generation == "new"]) for s in within]
    shrunk = [len([v for v in changed(s.vnfcs, declared) if v.generation == "old"]) for s in within]
    case.expect(all(a <= b for a, b in zip(grown, grown[1:], strict=False)), "the number of new VNFCs fell on the way")
    case.expect(
        all(a >= b for a, b in zip(shrunk, shrunk[1:], strict=False)), "the number of old VNFCs rose on the way"
    )
    final = final_notification(case, history, operation)
    if final is not None and within:
        ran, runs = (_ids(changed(sample.vnfcs, declared)) for sample in (sample_before(found, asked.t), within[-1]))
        told = notification(final)
        for change, seen in (("ADDED", runs - ran), ("REMOVED", ran - runs)):
            named = affected_vnfcs(told, change)
            case.expect(seen <= named, f"{change} in the final notification misses {', '.join(sorted(seen - named))}")
    _latency(case, history, declared, asked.t, end)
    return case.judge("capacity never fell below the minimum, new grew and old shrank as the policy says")


@checker("TP.VNF.09.2")
def old_drained_only(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Scaling in takes old, drained components only."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    guard_trial(case, history)
    asked = the_request(history, "upgrade")
    operation = operation_id(history, "upgrade", "vnf")
    end = _end_of_change(history, operation)
    found = samples(history, declared)
    lives = lifetimes(found)
    removed = [life for life in lives.values() if asked.t <= life.last < end and changed([life.vnfc], declared)]
    case.guard(bool(removed), "no VNFC was removed")
    early = [life.vnfc.id for life in removed if life.vnfc.generation == "new"]
    case.expect(not early, f"new VNFC removed before COMPLETED: {', '.join(early)}")
    retirements = [c for c in coordinations(history, operation) if c.stage == "retire"]
    case.rests_on(history, [asked, *(c.last for c in retirements)])
    agreed = {str(i) for c in retirements if c.result == "CONTINUE" for i in c.outputs.get("retire") or []}
    if first_sighting(history, operation, "COMPLETED") is not None:
        final = final_notification(case, history, operation)
        if final is not None:
            unsaid = _ids(life.vnfc for life in removed) - affected_vnfcs(notification(final), "REMOVED")
            case.expect(not unsaid, f"the removal of {', '.join(sorted(unsaid))} was not notified")
    records = {
        str((affected.get("computeResource") or {}).get("resourceId", "")): str(
            affected.get("vnfcInstanceId") or affected.get("id")
        )
        for affected in (final_record(history, operation).get("resourceChanges") or {}).get("affectedVnfcs") or []
    }
    if retirements:
        for life in removed:
            named = records.get(life.vnfc.id, "")
            case.expect(
                named in agreed or life.vnfc.id in agreed, f"VNFC {life.vnfc.id} was removed without the EM's agreement"
            )
    carried = flows(history, lives)
    cut = 0
    for life in removed:
        gone = life.last
        for flow in carried:
            mine = [stay for stay in flow.stays if stay.vnfc == life.vnfc.id]
            if mine and flow.end > gone and (flow.lost or flow.mapping_changes):
                cut += 1
    limit, source = declared.limit("lost_sessions"), declared.source("lost_sessions")
    case.measure(Measure("sessions_cut_by_scale_in", cut, "sessions", "<=", limit, source), "session cut by scale-in")
    moved_flows = sum(len(flow.stays) > 1 for flow in carried)
    stated = any(c.outputs.get("moved") for c in retirements)
    if moved_flows:
        case.expect(stated, "sessions remained at the drain timeout and their treatment is stated nowhere")
    return case.judge("only old VNFCs went, each after its sessions had ended or moved")


def _ids(found: Iterable[Vnfc]) -> set[str]:
    return {vnfc.id for vnfc in found}


def _end_of_change(history: History, operation: str) -> int:
    """When the operation completed, or where it stopped (ns)."""
    completed = first_sighting(history, operation, "COMPLETED")
    stopped = labelled(history, marks.REACHED, "upgrade")
    if completed is None and not stopped:
        raise Missing("the end of the operation was not seen")
    return completed.t if completed is not None else stopped[-1].t


def _latency(case: Case, history: History, declared: Declared, first: int, last: int) -> None:
    begin, end = control_span(history)
    control = [float(e.data["lat_us"]["p99"]) for e in intervals(history) if begin <= int(e.data["t0"]) < end]
    during = [float(e.data["lat_us"]["p99"]) for e in intervals(history) if first <= int(e.data["t0"]) < last]
    if not control or not during:
        case.observe("Latency was not recorded in intervals.")
        return
    base = percentile(control, 0.5)
    ratio = percentile(during, 0.5) / base if base else 0.0
    limit = (declared.parameters.get("kpi") or {}).get("p99_latency_ratio")
    case.measure(
        Measure(
            "p99_latency_ratio",
            round(ratio, 2),
            "ratio to control run",
            "report",
            None,
            "indicative: software dataplane on shared cores",
            rule="medians of the 99th percentiles of 100 ms intervals",
        ),
        "latency",
    )
    if limit is not None:
        case.observe(f"The latency limit {limit} is not judged on this testbed; the ratio is reported.")
