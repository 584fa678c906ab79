"""What several checkers of REL 006 look at."""

from __future__ import annotations

from collections.abc import Iterable

from nfvcert.checkers.case import Case, Missing
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.views.calls import (
    NS_OPERATION,
    VNF_OPERATION,
    answer,
    calls,
    is_refusal,
    notification,
    notifications,
    occurrence_id,
    request,
)
from nfvcert.checkers.views.coordination import coordinations
from nfvcert.checkers.views.flows import flows, users
from nfvcert.checkers.views.inventory import Sample, Vnfc, lifetimes, samples
from nfvcert.checkers.views.operations import first_sighting, operation_id, polled
from nfvcert.checkers.views.traffic import Stage, share_measure
from nfvcert.history import Event, EventKind, History, marks

GRANTS = r"/grant/v1/grants$"
NFVO_SIDE = "or-vnfm-nfvo"
VNFM_SIDE = "or-vnfm"


def labelled(history: History, name: str, label: str) -> list[Event]:
    """Marks of a kind that carry a label."""
    return [event for event in history.marks(name) if event.data.get("label") == label]


def the_request(history: History, label: str) -> Event:
    """The request with that label.

    Raises:
        Missing: it was not made.
    """
    found = labelled(history, marks.REQUEST, label)
    if not found:
        raise Missing(f"request '{label}' was not made")
    return found[0]


def changed(found: Iterable[Vnfc], declared: Declared) -> list[Vnfc]:
    """Those VNFCs whose VDU the modification replaces."""
    return [vnfc for vnfc in found if vnfc.vdu in declared.changed_vdus]


def identities(sample: Sample, declared: Declared) -> set[tuple[str, int, int]]:
    """Identities of all VNFCs of the drop in a sample."""
    return {vnfc.identity for vnfc in sample.vnfcs if vnfc.generation != "unknown"}


def changes_between(history: History, declared: Declared, first: int, last: int) -> list[str]:
    """VNFCs that came, went or were restarted between two times (ns), one sentence each."""
    within = [sample for sample in samples(history, declared) if first <= sample.t <= last]
    if len(within) < 2:
        raise Missing("the inventory was not sampled often enough to see a change")
    start = identities(within[0], declared)
    found = []
    for sample in within[1:]:
        now = identities(sample, declared)
        for vnfc, *_ in sorted(start - now):
            found.append(f"VNFC {vnfc} was stopped or restarted")
        for vnfc, *_ in sorted(now - start):
            found.append(f"VNFC {vnfc} was started")
        if found:
            return found
    return found


def grants(history: History, operation: str) -> list[Event]:
    """Grant exchanges of one VNF operation."""
    return [
        event
        for event in calls(history, "POST", GRANTS, reference_point=NFVO_SIDE)
        if request(event).get("vnfLcmOpOccId") == operation
    ]


def granted(case: Case, history: History, declared: Declared, label: str) -> list[Event]:
    """Grant exchanges of the modification with that label; INCONC where they should have been recorded and were not."""
    found = grants(history, operation_id(history, label, "vnf"))
    case.rests_on(history, found)
    case.guard(
        bool(found) or "recorded_reference_points" not in declared.features, f"the grant of '{label}' was not recorded"
    )
    return found


def granted_addition(found: Iterable[Event], kind: str) -> int:
    """Resources of a kind (COMPUTE, LINKPORT) that grants which were given add beyond those that they remove."""
    given = [event for event in found if event.data.get("status") == 201]
    return sum(_listed(event, "addResources", kind) - _listed(event, "removeResources", kind) for event in given)


def compute_resources(grant: Event, key: str) -> int:
    """How many compute resources a grant request lists under ``addResources`` or ``removeResources``."""
    return _listed(grant, key, "COMPUTE")


def expect_no_hidden_operation(case: Case, history: History, kind: str, operations: Iterable[str]) -> None:
    """Expect that notifications tell of no other modifications than those whose ids a requester was given.

    Args:
        kind: type of the notifications.
        operations: what they call a modification.
    """
    if not case.guard(bool(history.of(EventKind.API_NOTIFICATION)), "no notification was recorded"):
        return
    known = {str(event.data.get("id")) for event in history.marks(marks.OPERATION)}
    known |= {str(event.data.get("operation")) for event in history.marks(marks.REQUEST)}
    started = [n for n in notifications(history, kind) if notification(n).get("notificationStatus") == "START"]
    hidden = [
        event
        for event in started
        if notification(event).get("operation") in {*operations} and occurrence_id(event) not in known
    ]
    case.rests_on(history, [*started[:2], *hidden])
    for event in hidden:
        case.expect(False, f"a refused request was started nevertheless: operation {occurrence_id(event)} was notified")


def _listed(grant: Event, key: str, kind: str) -> int:
    return sum(resource.get("type") == kind for resource in request(grant).get(key) or [])


def expect_stopped(case: Case, history: History, event: Event, what: str, reason: str) -> None:
    """Expect that a wrong request was refused, or became an operation that ended without success.

    Args:
        what: names the request in messages.
        reason: reason of the FAIL when it was accepted.
    """
    case.rests_on(history, [event])
    status = event.data.get("status")
    problem = event.data.get("problem")
    operation = event.data.get("operation")
    if is_refusal(status):
        told = isinstance(problem, dict) and bool(problem.get("detail") or problem.get("title"))
        case.expect(told, f"{what} was refused with {status} but without a problem document")
        if status == 400 and isinstance(problem, dict):
            text = f"{problem.get('title', '')} {problem.get('detail', '')}".lower()
            case.guard(
                "version header" not in text, f"{what} was refused for a missing Version header, not for its content"
            )
        return
    tasks = labelled(history, marks.TASK, str(event.data.get("label")))
    if tasks:
        case.rests_on(history, tasks)
        case.expect(False, f"{reason}: {what} went on until the tester stopped it")
        return
    if status == 202 and operation:
        _expect_unsuccessful(case, history, str(operation), what, reason)
        return
    case.expect(False, f"{reason}: {what} was answered {status}")


def _expect_unsuccessful(case: Case, history: History, operation: str, what: str, reason: str) -> None:
    seen = polled(history, operation)
    final = next((s for s in reversed(seen) if s.state in ("ROLLED_BACK", "FAILED", "COMPLETED", "FAILED_TEMP")), None)
    if not case.guard(final is not None, f"{what} became operation {operation} whose end was not seen"):
        return
    assert final is not None
    case.rests_on(history, [final.event])
    if not case.expect(final.state in ("ROLLED_BACK", "FAILED"), f"{reason}: {what} led to {final.state}"):
        return
    record = answer(final.event)
    case.expect(bool(record.get("error")), f"{what} ended in {final.state} without an error")
    told = [n for kind in (VNF_OPERATION, NS_OPERATION) for n in notifications(history, kind, operation=operation)]
    case.rests_on(history, told)
    statuses = [notification(event).get("notificationStatus") for event in sorted(told, key=lambda event: event.t)]
    case.expect({"START", "RESULT"} <= {*statuses}, f"{what}: START and RESULT were not both notified")
    case.expect(statuses[:1] != ["RESULT"], f"{what}: RESULT was notified before START")


def final_notification(case: Case, history: History, operation: str) -> Event | None:
    """The notification that told a subscriber of COMPLETED in full; INCONC and None where there is none."""
    told = [
        event
        for event in notifications(history, VNF_OPERATION, operation=operation, sink="full")
        if notification(event).get("operationState") == "COMPLETED"
    ]
    case.rests_on(history, told)
    return told[0] if case.guard(bool(told), "the final notification was not received") else None


def completed_at(history: History, operation: str) -> int:
    """When COMPLETED was first seen (ns).

    Raises:
        Missing: it never was.
    """
    sighting = first_sighting(history, operation, "COMPLETED")
    if sighting is None:
        raise Missing(f"operation {operation} was never seen as COMPLETED")
    return sighting.t


def shares_follow(case: Case, history: History, declared: Declared, label: str, steps: list[float]) -> bool:
    """Measure the share of new requests in each of the steps while the EM is asked about it; whether all fit.

    Raises:
        Missing: the flows were not recorded.
    """
    requests = users(flows(history, lifetimes(samples(history, declared))))
    right = True
    for coordination in coordinations(history, operation_id(history, label, "vnf")):
        if coordination.stage != "migrate" or coordination.share not in steps or coordination.end is None:
            continue
        stage = Stage(label, coordination.share, coordination.begin + 500_000_000, coordination.end, coordination.event)
        measure = share_measure(
            requests, stage, tolerance=declared.limit("step_tolerance"), source=declared.source("step_tolerance")
        )
        if measure is not None:
            right &= case.measure(measure, f"share off the step of {coordination.share:g} percent in '{label}'")
    return right
