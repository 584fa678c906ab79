"""What several checkers of REL 006 look at."""

from __future__ import annotations

from collections.abc import Iterable

from nfvcert.checkers.case import Case, Missing
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.views.calls import VNF_OPERATION, answer, calls, is_refusal, notifications, request
from nfvcert.checkers.views.inventory import Sample, Vnfc, samples
from nfvcert.checkers.views.operations import first_sighting, polled
from nfvcert.history import Event, History, marks

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


def compute_resources(grant: Event, key: str) -> int:
    """How many compute resources a grant request lists under ``addResources`` or ``removeResources``."""
    return sum(resource.get("type") == "COMPUTE" for resource in request(grant).get(key) or [])


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
    told = notifications(history, VNF_OPERATION, operation=operation)
    statuses = {event.data["notification"].get("notificationStatus") for event in told}
    case.expect({"START", "RESULT"} <= statuses, f"{what}: START and RESULT were not both notified")


def completed_at(history: History, operation: str) -> int:
    """When COMPLETED was first seen (ns).

    Raises:
        Missing: it never was.
    """
    sighting = first_sighting(history, operation, "COMPLETED")
    if sighting is None:
        raise Missing(f"operation {operation} was never seen as COMPLETED")
    return sighting.t
