"""REQ.VNF.M.12: anyone entitled can find out at any time in which state of the modification a VNF instance is."""

from __future__ import annotations

from collections import Counter

from nfvcert.checkers.case import Case, Judgement, Missing
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import changes_between, labelled
from nfvcert.checkers.views.calls import VNF_OPERATION, answer, calls, notification, notifications, t_request
from nfvcert.checkers.views.flows import flows
from nfvcert.checkers.views.inventory import lifetimes, sample_at, samples
from nfvcert.checkers.views.operations import FINAL, operation_id, polled, reachable
from nfvcert.checkers.views.records import resource_id, vnfcs
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.measure import Measure

SERVING_NS = 500_000_000
"""What a VNFC forwarded that recently tells that it is serving."""
WATCHED = (("upgrade", "upgrade"), ("rollback", "by_decision"), ("rollback", "by_cancel"))


@checker("TP.VNF.12.1")
def state_agrees_with_phase(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """What is read at each pause agrees with what runs; a second modification is refused."""
    case = Case(purpose)
    history = history_of(histories, "upgrade")
    looks = labelled(history, marks.FOUND, "upgrade")
    case.guard(len({event.data.get("by") for event in looks}) >= 2, "the state was not read as NFVO and as EM")
    case.rests_on(history, looks)
    misreported = 0
    for event in looks:
        running = [o for o in event.data.get("operations") or [] if o.get("operationState") not in FINAL]
        right = case.expect(
            len(running) == 1, f"{len(running)} operations that are not final were found as {event.data.get('by')}"
        )
        right &= _per_vnfc_versions(case, history, declared, event)
        right &= _serving_versions(case, history, declared, event)
        misreported += not right
    _same_for_both(case, looks)
    case.measure(
        Measure("phases_misreported", misreported, "readings", "=", 0, "REL 006 6.3.1.2 REQ.VNF.M.12"),
        "phases misreported",
    )
    for scenario, label in (("upgrade", "second_while_processing"), ("rollback", "second_while_failed_temp")):
        other = history_of(histories, scenario)
        tries = labelled(other, marks.ATTEMPT, label)
        case.rests_on(other, tries)
        if case.guard(bool(tries), f"the attempt '{label}' was not made"):
            status = tries[0].data.get("status")
            case.expect(status == 409, f"second operation accepted: '{label}' was answered {status}")
            case.expect(bool(tries[0].data.get("problem")), f"'{label}' was refused without a problem document")
            if scenario == "rollback":
                found = changes_between(other, declared, tries[0].t - 400_000_000, tries[0].t + 400_000_000)
                case.expect(not found, f"second operation accepted: {'; '.join(found)}")
    return case.judge("the state read agreed with what ran at every pause, a second modification was refused")


@checker("TP.VNF.12.2")
def readable_at_any_moment(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The state can be read at any moment and never goes backwards."""
    case = Case(purpose)
    slowest, failed, reads = 0.0, 0, 0
    for scenario, label in WATCHED:
        history = history_of(histories, scenario)
        operation = operation_id(history, label, "vnf")
        events = _reads(history)
        reads += len(events)
        slow = max(events, key=lambda event: event.t - t_request(event), default=None)
        case.rests_on(history, [slow] if slow else [])
        slowest = max([slowest, *((event.t - t_request(event)) / 1e6 for event in events)])
        bad = [event for event in events if event.data.get("status") != 200]
        failed += len(bad)
        case.rests_on(history, bad[:5])
        _never_backwards(case, history, operation, label)
    case.guard(reads >= 20, f"the records were read {reads} times only")
    case.measure(
        Measure(
            "read_time_max", round(slowest, 1), "ms", "<=", declared.limit("query_time"), declared.source("query_time")
        ),
        "read time above limit",
    )
    case.measure(Measure("failed_reads", failed, "reads", "=", 0, "declared"), "reads that failed")
    _pending_cancel(case, history_of(histories, "rollback"))
    return case.judge("every read was answered in time and the states only went forward")


@checker("TP.VNF.12.3")
def notifications_tell_the_same(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Notifications arrive in order, once each, in time, and a refused one comes again."""
    case = Case(purpose)
    slowest = 0.0
    for scenario, label in WATCHED:
        history = history_of(histories, scenario)
        operation = operation_id(history, label, "vnf")
        seen = {sighting.state: sighting.t for sighting in reversed(polled(history, operation))}
        case.guard(bool(seen), f"the operation '{label}' was never read")
        for sink in ("full", "short"):
            told = notifications(history, VNF_OPERATION, operation=operation, sink=sink)
            case.rests_on(history, told)
            if not case.guard(bool(told), f"subscriber '{sink}' was told nothing of '{label}'"):
                continue
            _told_in_order(case, told, f"'{sink}' of '{label}'")
            for event in told:
                state = str(notification(event).get("operationState"))
                if state in seen:
                    slowest = max(slowest, (event.t - seen[state]) / 1e9)
                if state in ("FAILED_TEMP", "FAILED", "ROLLED_BACK"):
                    case.expect(bool(notification(event).get("error")), f"{state} was notified without an error")
            final = {s for s in seen if s in FINAL}
            states = {str(notification(event).get("operationState")) for event in told}
            case.expect(final <= states, f"the end of '{label}' was not notified to '{sink}'")
    limit, source = declared.limit("notify_delay"), declared.source("notify_delay")
    case.measure(Measure("notification_delay", round(slowest, 3), "s", "<=", limit, source), "notification too late")
    _refused_comes_again(case, history_of(histories, "upgrade"))
    return case.judge("notifications came in order, once for each state, in time, and again where refused")


@checker("TP.VNF.12.4")
def crash_does_not_hide(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A crash of the VNFM does not hide the state of a running modification."""
    history = history_of(histories, "rollback")
    case = Case(purpose)
    restarts = [event for event in history.marks(marks.RESTARTED) if event.data.get("component") == "vnfm"]
    if not case.guard(bool(restarts), "the VNFM was not restarted"):
        return case.judge("")
    restart = restarts[0]
    case.rests_on(history, restarts)
    operation = operation_id(history, "by_crash", "vnf")
    down, up = int(restart.data["down_from"]), int(restart.data["up_at"])
    before = [s for s in polled(history, operation) if s.t < down]
    after = [s for s in polled(history, operation) if s.t > up]
    case.guard(bool(before) and before[-1].state == "PROCESSING", "the modification was not in PROCESSING at the kill")
    reads = [event for event in calls(history, "GET", rf"lcm_op_occs/{operation}$") if event.t > up]
    if not reads:
        raise Missing("the operation was not read after the restart")
    lost = [event for event in reads if event.data.get("status") == 404]
    case.rests_on(history, [*lost[:2], *(s.event for s in after[:1])])
    case.expect(not lost and bool(after), "operation not found after restart")
    if after:
        first = after[0]
        case.expect(
            first.state in ("PROCESSING", "FAILED_TEMP", "ROLLING_BACK"),
            f"the operation is {first.state} after the restart",
        )
        limit, source = declared.limit("sync_time"), declared.source("sync_time")
        case.measure(
            Measure("time_until_state_readable", round((first.t - up) / 1e9, 2), "s", "<=", limit, source),
            "readable too late",
        )
    ended = labelled(history, marks.REACHED, "by_crash")
    case.rests_on(history, ended)
    done = any(event.data.get("state") in ("ROLLED_BACK", "COMPLETED") for event in ended)
    case.expect(done, "the operation could not be brought to a proper end after the restart")
    return case.judge("the operation was found again by its id and brought to a proper end")


def _per_vnfc_versions(case: Case, history: History, declared: Declared, event: Event) -> bool:
    sample = sample_at(samples(history, declared), event.t - 300_000_000)
    running = {vnfc.id: vnfc for vnfc in sample.vnfcs}
    expected = {"old": declared.in_service.vnfd_id, "new": declared.candidate.vnfd_id}
    right = True
    for record in vnfcs(event.data.get("vnf_instance") or {}):
        vnfc = running.get(resource_id(record))
        if vnfc is None or vnfc.generation not in expected or not record.get("vnfdId"):
            continue
        right &= case.expect(
            record["vnfdId"] == expected[vnfc.generation],
            f"per-VNFC version disagrees with running digest: {vnfc.id} is {vnfc.generation}",
        )
    return right


def _serving_versions(case: Case, history: History, declared: Declared, event: Event) -> bool:
    """Whether the record lists VNFCs of every version that forwards packets when it is read."""
    names = {"old": declared.in_service.vnfd_id, "new": declared.candidate.vnfd_id}
    pool = [v for v in vnfcs(event.data.get("vnf_instance") or {}) if v.get("vduId") in declared.changed_vdus]
    listed = {vnfc.get("vnfdId") for vnfc in pool}
    stays = [stay for flow in flows(history, lifetimes(samples(history, declared))) for stay in flow.stays]
    serving = {stay.generation for stay in stays if stay.first <= event.t <= stay.last + SERVING_NS}
    case.guard(bool(serving), "no VNFC forwarded packets while the state was read")
    hidden = sorted(name for name in serving & {*names} if names[name] not in listed)
    return case.expect(not hidden, f"phase disagrees with the wire: {', '.join(hidden)} VNFCs forward, none is listed")


def _same_for_both(case: Case, looks: list[Event]) -> None:
    states: dict[str, list[tuple[str, ...]]] = {}
    for event in looks:
        running = tuple(str(o.get("operationState")) for o in event.data.get("operations") or [])
        states.setdefault(str(event.data.get("by")), []).append(running)
    case.expect(len({tuple(found) for found in states.values()}) <= 1, "NFVO and EM read different states")


def _reads(history: History) -> list[Event]:
    """What the readers asked, but for the time in which the tester itself had taken the VNFM down."""
    down = [
        (int(event.data["down_from"]), int(event.data["up_at"]))
        for event in history.marks(marks.RESTARTED)
        if event.data.get("component") == "vnfm"
    ]

    def counts(event: Event) -> bool:
        reader = str(event.data.get("role", "")).startswith("reader")
        return reader and not any(t_request(event) <= up and event.t >= begin for begin, up in down)

    return history.of(EventKind.API_CALL, where=counts)


def _never_backwards(case: Case, history: History, operation: str, label: str) -> None:
    seen = [s for s in polled(history, operation) if str(s.event.data.get("role", "")).startswith("reader")]
    case.guard(len(seen) >= 5, f"operation '{label}' was read {len(seen)} times only")
    for earlier, later in zip(seen, seen[1:], strict=False):
        if t_request(later.event) < earlier.t:
            continue
        case.expect(
            reachable(earlier.state, later.state) and not (earlier.state in FINAL and later.state != earlier.state),
            f"the state of '{label}' went from {earlier.state} to {later.state}",
        )
        first, second = (str(answer(s.event).get("stateEnteredTime", "")) for s in (earlier, later))
        case.expect(first <= second, f"stateEnteredTime of '{label}' fell")


def _pending_cancel(case: Case, history: History) -> None:
    cancels = [e for e in labelled(history, marks.TASK, "by_cancel") if e.data.get("task") == "cancel"]
    graceful = [e for e in cancels if e.data.get("mode") == "GRACEFUL" and e.data.get("status") == 202]
    if not graceful:
        case.observe("No graceful cancel was accepted; its pending flag was not judged.")
        return
    operation = operation_id(history, "by_cancel", "vnf")
    after = [s for s in polled(history, operation) if t_request(s.event) > graceful[0].t and s.state == "PROCESSING"]
    pending = [s for s in after if answer(s.event).get("isCancelPending")]
    case.rests_on(history, [*graceful, *(s.event for s in after[:3])])
    if after:
        case.expect(len(pending) == len(after), "isCancelPending is not shown while a graceful cancel is pending")


def _told_in_order(case: Case, told: list[Event], where: str) -> None:
    bodies = [notification(event) for event in told]
    starts = [i for i, body in enumerate(bodies) if body.get("notificationStatus") == "START"]
    case.expect(bool(starts), f"START was not notified to {where}")
    if starts:
        case.expect(starts[0] == 0, f"notification order: a RESULT overtook the START ({where})")
    states = [str(body.get("operationState")) for body in bodies]
    for earlier, later in zip(states, states[1:], strict=False):
        case.expect(
            earlier == later or reachable(earlier, later), f"notification order: {later} after {earlier} ({where})"
        )
    entered = Counter(
        (str(b.get("operationState")), str(b.get("stateEnteredTime") or ""), str(b.get("id"))) for b in bodies
    )
    by_state: dict[tuple[str, str], set[str]] = {}
    for state, entered_at, identifier in entered:
        by_state.setdefault((state, entered_at), set()).add(identifier)
    once = {"STARTING", "COMPLETED", "ROLLED_BACK", "FAILED"}
    for (state, _), identifiers in by_state.items():
        if state in once:
            case.expect(len(identifiers) == 1, f"{state} was notified {len(identifiers)} times to {where}")


def _refused_comes_again(case: Case, history: History) -> None:
    refused = [
        event
        for event in history.of(EventKind.API_NOTIFICATION)
        if event.data.get("status") == 503 and event.data.get("sink") == "short"
    ]
    case.rests_on(history, refused)
    if not case.guard(bool(refused), "no notification was refused with 503"):
        return
    identifier = notification(refused[0]).get("id")
    again = [
        event
        for event in history.of(EventKind.API_NOTIFICATION)
        if event.data.get("status") == 204 and notification(event).get("id") == identifier and event.t > refused[0].t
    ]
    case.rests_on(history, again)
    case.expect(bool(again), "the notification refused with 503 was lost")
