"""REQ.VNF.M.01: the whole modification is a managed operation, from request to a finished change."""

from __future__ import annotations

import itertools

from nfvcert.checkers.case import Case, Judgement, Missing
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import (
    changed,
    changes_between,
    completed_at,
    compute_resources,
    expect_no_hidden_operation,
    expect_stopped,
    grants,
    labelled,
    the_request,
)
from nfvcert.checkers.views.calls import VNF_OPERATION, request, t_request
from nfvcert.checkers.views.flows import flows
from nfvcert.checkers.views.inventory import lifetimes, sample_at, sample_before, samples
from nfvcert.checkers.views.operations import final_record, notified, operation_id, polled, reachable
from nfvcert.checkers.views.records import affected_vnfcs
from nfvcert.checkers.views.traffic import guard_control, guard_trial, lost_between, trial_data
from nfvcert.history import EventKind, History, marks
from nfvcert.history.marks import OBSERVED_TABLE
from nfvcert.measure import Measure

SMOOTH = frozenset({"STARTING", "PROCESSING", "COMPLETED"})
"""States of an operation that meets with no trouble."""
REFUSED = ("unknown_vnfd", "disabled_package", "other_base")


@checker("TP.VNF.01.2")
def old_software_gone(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """At the first sign of COMPLETED no old VNFC exists any more."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    operation = operation_id(history, "upgrade", "vnf")
    completed = completed_at(history, operation)
    found = samples(history, declared)
    frozen = sample_at(found, completed)
    case.guard(frozen.t >= completed, "the hosts were not looked at after COMPLETED")
    case.rests_on(history, [frozen.event])
    held = [event for event in history.of(EventKind.FAULT) if event.data.get("kind") == "hold_stop"]
    case.rests_on(history, held)
    if not held:
        case.observe("The testbed cannot hold back a stop; the delay was left out.")
    alive = changed(frozen.of("old"), declared)
    case.expect(not alive, f"old VNFC alive after COMPLETED: {', '.join(vnfc.id for vnfc in alive)}")
    last_seen = [s.t for s in found if s.t >= completed and changed(s.of("old"), declared)]
    overlap = (max(last_seen) - completed) / 1e6 if last_seen else 0.0
    case.measure(
        Measure(
            "old_alive_after_completed",
            round(overlap, 1),
            "ms",
            "=",
            0,
            "REL 006 6.3.1.2 REQ.VNF.M.13",
            rule="seen in samples of the hosts' inventory",
        ),
        "old VNFC alive after COMPLETED",
    )
    late = _last_packet_from_old(history, declared)
    if case.guard(late is not None or "port_observer" not in declared.features, "no tap saw a packet of an old VNFC"):
        case.expect(late is None or late <= completed, "a packet left an old VNFC after COMPLETED")
    record = final_record(history, operation)
    running = {vnfc.id for vnfc in frozen.vnfcs}
    changes = record.get("resourceChanges") or {}
    for resource in sorted(affected_vnfcs(changes, "REMOVED") & running):
        case.expect(False, f"VNFC {resource} is reported as REMOVED and still runs")
    for resource in sorted(affected_vnfcs(changes, "ADDED") - running):
        case.expect(False, f"VNFC {resource} is reported as ADDED and does not run")
    return case.judge("no old VNFC, port or packet was there any more at the first sign of COMPLETED")


@checker("TP.VNF.01.3")
def unverified_request_stops(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Requests that cannot be verified are stopped before anything is touched; the right one goes through."""
    history = history_of(histories, "refusals")
    case = Case(purpose)
    requests = [the_request(history, label) for label in REFUSED]
    twin = the_request(history, "twin")
    asked = min(int(event.data.get("t_request") or event.t) for event in requests)
    first = sample_before(samples(history, declared), asked).t
    for change in changes_between(history, declared, first, twin.t):
        case.expect(False, f"VNFC changed by a refused request: {change}")
    for event in requests:
        expect_stopped(case, history, event, f"the request '{event.data['label']}'", "unverifiable request accepted")
    refused_operations = {event.data.get("operation") for event in requests if event.data.get("operation")}
    for operation in refused_operations:
        for grant in grants(history, str(operation)):
            asked = grant.data.get("status") == 201 and bool(request(grant).get("addResources"))
            case.expect(not asked, "a grant with new resources was used for a refused request")
    expect_no_hidden_operation(case, history, VNF_OPERATION, ["CHANGE_VNFPKG"])
    guard_trial(case, history)
    lost = lost_between(history, first, twin.t)
    case.measure(Measure("lost_packets", lost, "packets", "=", 0, "nothing is changed"), "packets were lost")
    reached = labelled(history, marks.REACHED, "twin")
    case.rests_on(history, [twin, *reached])
    case.guard(bool(reached), "the end of the positive twin was not seen")
    done = any(event.data.get("state") == "COMPLETED" for event in reached)
    case.expect(done, "the positive twin did not complete right afterwards")
    return case.judge("each request that could not be verified was stopped with nothing touched, its twin completed")


@checker("TP.VNF.01.4")
def resources_as_granted(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Nothing new runs before the grant, nothing beyond it afterwards, nothing at all when it is denied."""
    history = history_of(histories, "refusals")
    case = Case(purpose)
    operation = operation_id(history, "twin", "vnf")
    asked = grants(history, operation)
    if not asked:
        raise Missing("no grant request of the operation was recorded")
    grant = asked[0]
    requested = the_request(history, "twin")
    case.rests_on(history, [requested, *asked])
    case.guard(grant.data.get("fault") is not None, "the grant was not held back")
    ungranted = 0
    for life in lifetimes(samples(history, declared)).values():
        if life.vnfc.generation in ("new", "unknown") and t_request(requested) <= life.vnfc.start < grant.t:
            ungranted += 1
            case.expect(False, f"resource present before the grant: VNFC {life.vnfc.id}")
    reached = labelled(history, marks.REACHED, "twin")
    case.guard(bool(reached), "the end of the twin was not seen")
    until = reached[-1].t if reached else history.events[-1].t
    created, removed = _created_and_removed(history, declared, requested.t, until)
    case.expect(created <= compute_resources(grant, "addResources"), f"{created} VNFCs created, fewer granted")
    case.expect(removed <= compute_resources(grant, "removeResources"), f"{removed} VNFCs removed, fewer granted")
    denied = the_request(history, "denied_grant")
    expect_stopped(case, history, denied, "the request whose grant was denied", "operation went on without a grant")
    for change in changes_between(history, declared, denied.t, requested.t):
        ungranted += 1
        case.expect(False, f"inventory changed although the grant was denied: {change}")
    case.measure(
        Measure("ungranted_resources", ungranted, "resources", "=", 0, "REL 006 B.3.2 step 6, SOL003 grant principle"),
        "resources taken without a grant",
    )
    return case.judge("resources were taken only after the grant, within it, and none when it was denied")


@checker("TP.VNF.01.6")
def upgraded_without_loss(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A load-sharing stateful VNF is upgraded and neither a packet nor a session is lost."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    requested = the_request(history, "upgrade")
    case.rests_on(history, [requested])
    case.expect(requested.data.get("status") == 202, f"the request was answered {requested.data.get('status')}")
    operation = operation_id(history, "upgrade", "vnf")
    states = polled(history, operation)
    if not states:
        raise Missing("the operation was never read")
    for earlier, later in itertools.pairwise(states):
        case.expect(reachable(earlier.state, later.state), f"state went from {earlier.state} to {later.state}")
    case.expect(states[-1].state == "COMPLETED", f"the operation ended {states[-1].state}")
    told = notified(history, operation, sink="full")
    if case.guard(bool(told), "no notification of the operation was recorded"):
        case.rests_on(history, [told[0].event, told[-1].event])
        case.expect(told[-1].state == "COMPLETED", f"the last notification tells {told[-1].state}")
    for state in sorted({sighting.state for sighting in [*states, *told]} - SMOOTH):
        case.expect(False, f"the operation went through {state}")
    guard_trial(case, history)
    limit = declared.limit("stateful_loss")
    guard_control(case, history, lost_limit=limit)
    data = trial_data(history)
    lost = lost_between(history, requested.t, history.events[-1].t)
    source = declared.source("stateful_loss")
    case.measure(Measure("lost_packets", lost, "packets", "<=", limit, source), "lost packets")
    case.measure(
        Measure("duplicated_packets", int(data["duplicates"]), "packets", "<=", 0, "every packet leaves exactly once"),
        "duplicated packets",
    )
    found = samples(history, declared)
    lives = lifetimes(found)
    carried = flows(history, lives)
    back = sum(flow.return_sent - flow.return_received for flow in carried)
    case.measure(Measure("lost_return_packets", back, "packets", "<=", limit, source), "lost packets of the way back")
    _judge_sessions(case, history, declared, requested.t)
    served = {stay.vnfc for flow in carried for stay in flow.stays}
    end = changed(found[-1].vnfcs, declared)
    at_completed = changed(sample_at(found, completed_at(history, operation)).vnfcs, declared)
    case.expect(all(vnfc.generation == "new" for vnfc in at_completed), "not only new software runs at the end")
    wanted = sum(declared.candidate.instances.get(vdu, 0) for vdu in declared.changed_vdus)
    case.expect(
        len(at_completed) == wanted, f"{len(at_completed)} VNFCs run at the end, the descriptor asks for {wanted}"
    )
    idle = [vnfc.id for vnfc in at_completed if vnfc.id not in served and vnfc in end]
    case.expect(not idle, f"new VNFCs that forwarded nothing: {', '.join(idle)}")
    return case.judge("the upgrade completed without a lost or doubled packet and without a broken session")


def _judge_sessions(case: Case, history: History, declared: Declared, since: int) -> None:
    record = history.mark(marks.SESSIONS)
    if record is None:
        case.guard(False, "the TCP sessions were not recorded to their end")
        return
    case.rests_on(history, [record])
    sessions = record.data.get("sessions") or []
    lasting = [s for s in sessions if s.get("established") and int(s.get("established_ns") or 0) <= since]
    case.guard(bool(lasting), "no TCP session was established before the request")
    broken = [s for s in lasting if s.get("broken")]
    case.measure(
        Measure(
            "lost_sessions",
            len(broken),
            "sessions",
            "<=",
            declared.limit("lost_sessions"),
            declared.source("lost_sessions"),
        ),
        "broken TCP sessions",
    )
    moved = [s for s in lasting if len(set(s.get("addresses") or [])) > 1]
    case.expect(not moved, "the server saw the source address of a TCP session change")
    longest = max((float(s.get("longest_ms") or 0) for s in lasting), default=0.0)
    case.measure(Measure("longest_session_pause", longest, "ms", "report", None, "reported"), "pause")


def _created_and_removed(history: History, declared: Declared, first: int, last: int) -> tuple[int, int]:
    found = [sample for sample in samples(history, declared) if first <= sample.t <= last]
    if len(found) < 2:
        raise Missing("the inventory was not sampled while the twin was modified")
    at_start = {vnfc.id for vnfc in found[0].vnfcs if vnfc.generation != "unknown"}
    ever = {identifier for identifier, life in lifetimes(found).items() if life.vnfc.generation != "unknown"}
    at_end = {vnfc.id for vnfc in found[-1].vnfcs}
    return len(ever - at_start), len(at_start - at_end)


def _last_packet_from_old(history: History, declared: Declared) -> int | None:
    observed = history.tables.get(OBSERVED_TABLE)
    if observed is None:
        return None
    lives = lifetimes(samples(history, declared))
    old = {p for life in lives.values() if life.vnfc.generation == "old" for p in life.vnfc.ports}
    times = [
        last
        for port, direction, last in zip(
            observed.column("port").to_pylist(),
            observed.column("direction").to_pylist(),
            observed.column("last_ns").to_pylist(),
            strict=True,
        )
        if port in old and direction == "in"
    ]
    return max(times, default=None)
