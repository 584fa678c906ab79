"""REQ.VNF.M.03: an OSS can start the software modification of VNFs of a service and learns its outcome."""

from __future__ import annotations

from nfvcert.checkers.case import Case, Judgement, Missing
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import (
    VNFM_SIDE,
    changed,
    expect_no_hidden_operation,
    expect_stopped,
    granted,
    the_request,
)
from nfvcert.checkers.views.calls import (
    NS_OPERATION,
    VNF_OPERATION,
    calls,
    notifications,
    request,
    t_request,
)
from nfvcert.checkers.views.coordination import Coordination, coordinations
from nfvcert.checkers.views.flows import flows, users
from nfvcert.checkers.views.inventory import lifetimes, samples
from nfvcert.checkers.views.operations import final_record, operation_id
from nfvcert.checkers.views.records import affected_vnfcs
from nfvcert.checkers.views.traffic import guard_trial, share_measure, stages
from nfvcert.history import Event, EventKind, History
from nfvcert.measure import Measure

ORDER_UNCERTAINTY_NS = 250_000_000
"""Two messages of different components are ordered only when they are further apart than this: tester, recorder and
components are scheduled on the same few cores, so that an answer may be noted long after it came, and a notification is
delivered by a queue of its own."""

CHANGE = r"/vnf_instances/[^/]+/change_vnfpkg$"


class _Order:
    """Counts what came out of order, with the sentence that says so."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.violations = 0

    def before(self, first: int | None, second: int | None, sentence: str) -> None:
        """``first`` has to lie before ``second``; a missing step is a violation too."""
        if first is None or second is None:
            self.violations += 1
            self.case.expect(False, f"a step is missing: {sentence}")
        elif second + ORDER_UNCERTAINTY_NS < first:
            self.violations += 1
            self.case.expect(False, sentence)


@checker("TP.VNF.03.1")
def oss_flow_in_order(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The flow started by the OSS shows its steps in the right order (REL 006 B.3.2)."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    order = _Order(case)
    ns_operation = operation_id(history, "upgrade", "ns")
    operation = operation_id(history, "upgrade", "vnf")
    asked = _oss_request(history, ns_operation)
    forwarded = calls(history, "POST", CHANGE, reference_point=VNFM_SIDE)
    forwarded = [event for event in forwarded if event.source.startswith("witness") and event.t >= t_request(asked)]
    case.rests_on(history, [asked, *forwarded[:1]])
    if not case.guard(bool(forwarded), "the request of the NFVO to the VNFM was not recorded"):
        return case.judge("")
    vnf_request = forwarded[0]
    if not history.of(EventKind.API_NOTIFICATION):
        raise Missing("no notification was recorded")
    ns_start, ns_result = _told(history, NS_OPERATION, ns_operation, "oss")
    vnf_start, vnf_result = _told(history, VNF_OPERATION, operation, "full")
    case.rests_on(history, [e for e in (ns_start, ns_result, vnf_start, vnf_result) if e])
    order.before(asked.t, t_request(vnf_request), "the VNF request left before the OSS had its answer")
    order.before(_t(ns_start), t_request(vnf_request), "START of the service operation follows the VNF request")
    order.before(vnf_request.t, _t(vnf_start), "START of the VNF operation precedes the answer with its id")
    found = coordinations(history, operation, required="coordination" in declared.drop_features)
    _resources_in_order(order, history, declared, operation, found)
    if found:
        case.rests_on(history, [c.event for c in found] + [c.last for c in found])
        order.before(found[-1].end, _t(vnf_result), "RESULT of the VNF operation precedes the last result of the EM")
    else:
        case.observe("No coordination with an EM was recorded: steps 7 to 13 are left out.")
    order.before(_t(vnf_result), _t(ns_result), "service RESULT precedes VNF RESULT")
    _same_ids(case, order, found, operation)
    case.measure(
        Measure(
            "order_violations",
            order.violations,
            "violations",
            "=",
            0,
            "REL 006 B.3.2",
            rule=f"order judged beyond {ORDER_UNCERTAINTY_NS / 1e6:g} ms",
        ),
        "steps out of order",
    )
    return case.judge("all steps of the flow were seen, in order and about the same operation")


@checker("TP.VNF.03.3")
def failed_check_reported(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """A failed check of the package reaches the OSS and never the VNFM."""
    history = history_of(histories, "refusals")
    case = Case(purpose)
    seen = [event for event in history.of(EventKind.API_CALL) if event.source == f"witness:{VNFM_SIDE}"]
    case.guard(bool(seen), "the reference point between NFVO and VNFM was not recorded")
    for label in ("oss_unknown", "oss_disabled"):
        event = the_request(history, label)
        vnfd_id = event.data.get("vnfd_id")
        sent = [
            call
            for call in calls(history, "POST", CHANGE, reference_point=VNFM_SIDE)
            if call.source.startswith("witness") and request(call).get("vnfdId") == vnfd_id
        ]
        case.rests_on(history, [event, *sent])
        case.expect(not sent, f"VNF request sent for an unverified package ('{label}')")
        expect_stopped(case, history, event, f"the request '{label}'", "VNF request sent for an unverified package")
    expect_no_hidden_operation(case, history, NS_OPERATION, ["UPDATE"])
    return case.judge("each failed check was told to the OSS and no request reached the VNFM")


@checker("TP.VNF.03.4")
def policy_arrives(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Policy and parameters chosen by the OSS arrive unchanged and take effect on the wire."""
    case = Case(purpose)
    tolerance, source = declared.limit("step_tolerance"), declared.source("step_tolerance")
    for scenario, label in (("upgrade", "upgrade"), ("rollback", "by_decision")):
        history = history_of(histories, scenario)
        asked = the_request(history, label)
        policy, token = asked.data.get("policy"), asked.data.get("token")
        forwarded = [
            call
            for call in calls(history, "POST", CHANGE, reference_point=VNFM_SIDE)
            if call.source.startswith("witness") and call.t >= asked.data.get("t_request", 0)
        ]
        forwarded = [c for c in forwarded if abs(t_request(c) - asked.t) < 10_000_000_000]
        case.rests_on(history, [asked, *forwarded[:1]])
        if not case.guard(bool(forwarded), f"the VNF request of '{label}' was not recorded"):
            continue
        parameters = request(forwarded[0]).get("additionalParams") or {}
        case.expect(parameters.get("policy") == policy, f"chosen policy missing in the VNF request ('{label}')")
        case.expect(parameters.get("token") == token, f"free parameter missing in the VNF request ('{label}')")
        found = coordinations(history, operation_id(history, label, "vnf"))
        for coordination in found:
            case.rests_on(history, [coordination.event])
            carried = coordination.inputs.get("additionalParams") or {}
            named = (coordination.inputs.get("policy") or {}).get("name")
            case.expect(named == policy, f"a coordination of '{label}' carries policy {named!r}")
            case.expect(carried.get("token") == token, f"free parameter missing in a coordination of '{label}'")
        guard_trial(case, history)
        requests = users(flows(history, lifetimes(samples(history, declared))))
        for stage in stages(history, label):
            measure = share_measure(requests, stage, tolerance=tolerance, source=source)
            if case.guard(measure is not None, f"too few new requests in the step of {stage.share:g} percent"):
                assert measure is not None
                case.measure(measure, f"share off the step of {stage.share:g} percent of policy {policy}")
    return case.judge("policies and parameters arrived unchanged, the shares on the wire follow the chosen policies")


def _oss_request(history: History, operation: str) -> Event:
    for event in calls(history, "POST", r"/ns_instances/[^/]+/update$"):
        if str((event.data.get("headers") or {}).get("location", "")).endswith(operation):
            return event
    raise Missing("the request of the OSS was not recorded")


def _told(history: History, kind: str, operation: str, sink: str) -> tuple[Event | None, Event | None]:
    told = notifications(history, kind, operation=operation, sink=sink)
    start = next((e for e in told if e.data["notification"].get("notificationStatus") == "START"), None)
    done = [e for e in told if e.data["notification"].get("operationState") == "COMPLETED"]
    return start, (done[0] if done else None)


def _t(event: Event | None) -> int | None:
    return None if event is None else event.t


def _resources_in_order(
    order: _Order, history: History, declared: Declared, operation: str, found: list[Coordination]
) -> None:
    given = granted(order.case, history, declared, "upgrade")
    found_samples = samples(history, declared)
    lives = lifetimes(found_samples)
    new = {i: life for i, life in lives.items() if life.vnfc.generation == "new"}
    removed = {
        i: life
        for i, life in lives.items()
        if life.vnfc.generation == "old" and life.last < found_samples[-1].t and changed([life.vnfc], declared)
    }
    migrations = [c for c in found if c.stage == "migrate"]
    first_packet: dict[str, int] = {}
    for flow in flows(history, lives):
        for stay in flow.stays:
            first_packet[stay.vnfc] = min(stay.first, first_packet.get(stay.vnfc, stay.first))
    for identifier, life in new.items():
        if given:
            order.before(given[0].t, life.vnfc.start, f"new VNFC {identifier} was started before the grant")
        packet = first_packet.get(identifier)
        if migrations and packet is not None:
            order.before(migrations[0].begin, packet, f"a packet reached new VNFC {identifier} before the hand-over")
    ready = [i for i, life in new.items() if migrations and life.vnfc.start < migrations[0].begin]
    if ready and migrations[0].result == "CONTINUE":
        sentence = "packet on a new port out of order with the answer of the element manager"
        earliest = min((first_packet[i] for i in ready if i in first_packet), default=None)
        order.before(earliest, migrations[0].end, sentence)
    retirements = [c for c in found if c.stage == "retire" and c.result == "CONTINUE"]
    record = final_record(history, operation)
    listed = affected_vnfcs(record.get("resourceChanges") or {}, "REMOVED")
    for identifier, life in removed.items():
        if retirements:
            order.before(retirements[0].end, life.last, f"old VNFC {identifier} was removed before the EM agreed")
        order.case.expect(identifier in listed, f"the removal of {identifier} has no entry in resourceChanges")


def _same_ids(case: Case, order: _Order, found: list[Coordination], operation: str) -> None:
    seen: set[str] = set()
    for coordination in found:
        key = f"{coordination.stage}/{coordination.share}/{sorted(coordination.inputs.get('vnfcIds') or [])}"
        if key in seen:
            order.violations += 1
            case.expect(False, f"coordination '{coordination.stage}' was asked twice with the same content")
        seen.add(key)
        case.expect(coordination.operation == operation, "a coordination refers to another operation")
