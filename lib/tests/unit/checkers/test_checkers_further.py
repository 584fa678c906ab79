"""Further ways to be wrong, one expectation each, that no seeded defect shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from altering import (
    accepted,
    doing,
    flows,
    is_call,
    is_coordination,
    is_mark,
    is_told,
    leaving_out,
    moving,
    setting,
    vnfc,
)
from good_histories import told
from history_builder import Change, Story
from procedure_steps import CHANGE, GRANTS, NS_KIND, coordinate
from synthetic_traffic import Flow
from synthetic_world import FRUGAL, OLD_VNFD, STAGED, Vnfc, declared, ns

from nfvcert.checkers import judge
from nfvcert.history import Event, History, marks
from nfvcert.measure import Verdict

VNF_KIND = "VnfLcmOperationOccurrenceNotification"
AFTER = is_mark(marks.SNAPSHOT, "after")
OTHER = is_mark(marks.REQUEST, "other_base")


def _sessions(**fields: Any) -> Change:
    def alter(data: dict[str, Any]) -> None:
        data["sessions"][0].update(fields)

    return doing(is_mark(marks.SESSIONS), alter)


def _records(wanted: Callable[[Event], bool], name: str, **fields: Any) -> Change:
    def alter(data: dict[str, Any]) -> None:
        data["records"][name].update(fields)

    return doing(wanted, alter)


def _told(wanted: Callable[[Event], bool], **fields: Any) -> Change:
    def alter(data: dict[str, Any]) -> None:
        data["notification"].update(fields)

    return doing(wanted, alter)


def _answers(wanted: Callable[[Event], bool], **fields: Any) -> Change:
    def alter(data: dict[str, Any]) -> None:
        data["answer"].update(fields)

    return doing(wanted, alter)


def _inputs(wanted: Callable[[Event], bool], **fields: Any) -> Change:
    def alter(data: dict[str, Any]) -> None:
        data["request"]["inputParams"].update(fields)

    return doing(wanted, alter)


def _return_lost(found: list[Flow]) -> None:
    found[40].return_lost = 1


def _late_packet(story: Story) -> None:
    """A tap sees a packet that an old VNFC sends after COMPLETED."""

    def linger(found: list[Flow]) -> None:
        flow = next(f for f in found if f.stays[0][2].name == "old-1" and len(f.stays) > 1)
        first, _, place = flow.stays[0]
        flow.stays[0] = (first, 16.0, place)

    flows(linger)(story)


def _twice(story: Story) -> None:
    coordinate(story, 7.0, 7.1, story.operations["upgrade"], "migrate", STAGED, share=30, named="staged")


def _never_shown(events: list[Event]) -> None:
    for event in events:
        answer = event.data.get("answer")
        if isinstance(answer, dict) and answer.get("isCancelPending"):
            answer["isCancelPending"] = False


def _falls_back(story: Story) -> None:
    operation = story.operations["upgrade"]
    operation.states.insert(2, (9.0, "STARTING"))
    operation.states.insert(3, (9.9, "PROCESSING"))


def _keeps_sharing(story: Story) -> None:
    """The share of the new version stays in force although its only VNFC is dead."""
    story.shares.pop()
    story.vnfc("new-1").retired = float("inf")


def _forgets_one(data: dict[str, Any]) -> None:
    data["records"]["vnf_instance"]["instantiatedVnfInfo"]["vnfcResourceInfo"].pop()


def _too_many(story: Story) -> None:
    story.vnfcs.append(Vnfc("new-9", "worker", "new", 9.0, 18.0, serves=99.0))


def _hidden(kind: str, sink: str, operation: str, **data: Any) -> Change:
    """START of an operation of which nobody was given the id."""
    body = {"id": "told-hidden", "notificationStatus": "START", "operationState": "STARTING", "operation": operation}
    return lambda story: story.notify(3.2, sink, kind, {**body, **data})


def _oss_told_backwards(story: Story) -> None:
    """The NFVO accepts what it cannot verify, says so, and tells the OSS RESULT before START."""
    operation = "ns-op-oss_unknown"
    record = {"id": operation, "operationState": "FAILED", "error": {"title": "no such package", "status": 400}}
    setting(is_mark(marks.REQUEST, "oss_unknown"), status=202, operation=operation, problem=None)(story)
    story.call(3.4, "os-ma-nfvo", "GET", f"/nslcm/v2/ns_lcm_op_occs/{operation}", 200, role="oss", answer=record)
    for t, status in ((3.36, "RESULT"), (3.37, "START")):
        body = {"id": f"ns-{status}", "nsLcmOpOccId": operation, "operation": "UPDATE", "operationState": "FAILED"}
        story.notify(t, "oss", NS_KIND, {**body, "notificationStatus": status})


def _grant_more(data: dict[str, Any]) -> None:
    more = [{"id": f"more-{number}", "type": "COMPUTE", "vduId": "worker"} for number in range(3)]
    data["request"]["addResources"] += more


def _goes_on_after_abort(story: Story) -> None:
    operation = story.operations["by_decision"]
    coordinate(story, 5.2, 5.22, operation, "migrate", FRUGAL, share=100, named="frugal")


def _lists_old_only(data: dict[str, Any]) -> None:
    info = data["vnf_instance"]["instantiatedVnfInfo"]
    info["vnfcResourceInfo"] = [vnfc for vnfc in info["vnfcResourceInfo"] if vnfc["vnfdId"] == OLD_VNFD]


def _lists_another(data: dict[str, Any]) -> None:
    worker = data["records"]["vnf_instance"]["instantiatedVnfInfo"]["vnfcResourceInfo"][-1]
    worker["computeResource"] = {"resourceId": "server-nowhere"}


def _struggles(story: Story) -> None:
    operation = story.operations["upgrade"]
    operation.states.insert(2, (9.0, "FAILED_TEMP"))
    operation.states.insert(3, (9.9, "PROCESSING"))


def _retired_one(event: Event) -> bool:
    return is_call("GET", "-retire-")(event) and event.data["status"] == 200


UPGRADE_GRANT = is_call("POST", GRANTS)
NOTHING_CHANGED = _told(is_told("full", "COMPLETED"), affectedVnfcs=[])

CASES: list[tuple[str, str, str, Change]] = [
    (
        "TP.VNF.01.3",
        "refusals",
        "operation vnf-op-hidden was notified",
        _hidden(VNF_KIND, "full", "CHANGE_VNFPKG", vnfLcmOpOccId="vnf-op-hidden"),
    ),
    ("TP.VNF.01.6", "upgrade", "the operation went through FAILED_TEMP", _struggles),
    (
        "TP.VNF.01.6",
        "upgrade",
        "the last notification tells PROCESSING",
        leaving_out(is_told("full", "COMPLETED")),
    ),
    (
        "TP.VNF.03.3",
        "refusals",
        "operation ns-op-hidden was notified",
        _hidden(NS_KIND, "oss", "UPDATE", nsLcmOpOccId="ns-op-hidden"),
    ),
    ("TP.VNF.03.3", "refusals", "RESULT was notified before START", _oss_told_backwards),
    ("TP.VNF.05.3", "upgrade", "3 VNFCs more were granted, 2 declared", doing(UPGRADE_GRANT, _grant_more)),
    ("TP.VNF.06.2", "upgrade", "granted beyond the declared addition", doing(UPGRADE_GRANT, _grant_more)),
    (
        "TP.VNF.06.4",
        "upgrade",
        "share off the step of 30 percent",
        lambda story: story.shares.__setitem__(2, (6.19, 0.0)),
    ),
    (
        "TP.VNF.08.3",
        "exposure",
        "completed in spite of the fault",
        _told(is_told("full", "ROLLED_BACK"), operationState="COMPLETED"),
    ),
    ("TP.VNF.09.1", "upgrade", "ADDED in the final notification misses", NOTHING_CHANGED),
    ("TP.VNF.09.2", "upgrade", "was not notified", NOTHING_CHANGED),
    (
        "TP.VNF.12.1",
        "upgrade",
        "phase disagrees with the wire: new VNFCs forward",
        doing(is_mark(marks.FOUND, "upgrade", by="nfvo"), _lists_old_only),
    ),
    (
        "TP.VNF.13.2",
        "rollback",
        "does not run the version in service (after_by_cancel)",
        doing(is_mark(marks.SNAPSHOT, "after_by_cancel"), _lists_another),
    ),
    ("TP.GEN.02.1", "rollback", "went on to the next step after the EM had answered ABORT", _goes_on_after_abort),
    ("TP.VNF.01.2", "upgrade", "a packet left an old VNFC after COMPLETED", _late_packet),
    (
        "TP.VNF.01.2",
        "upgrade",
        "is reported as REMOVED and still runs",
        _answers(
            lambda e: is_call("GET", "vnf-op-upgrade")(e) and e.data["answer"]["operationState"] == "COMPLETED",
            resourceChanges={
                "affectedVnfcs": [{"changeType": "REMOVED", "computeResource": {"resourceId": "server-new-1"}}]
            },
        ),
    ),
    (
        "TP.VNF.01.3",
        "refusals",
        "without a problem document",
        setting(OTHER, problem={}),
    ),
    ("TP.VNF.01.3", "refusals", "unverifiable request accepted", accepted("disabled_package", 3.1)),
    (
        "TP.VNF.01.3",
        "refusals",
        "the positive twin did not complete",
        setting(is_mark(marks.REACHED, "twin"), state="FAILED_TEMP"),
    ),
    ("TP.VNF.01.3", "refusals", "was answered 500", setting(OTHER, status=500)),
    (
        "TP.VNF.01.4",
        "refusals",
        "VNFCs created, fewer granted",
        _too_many,
    ),
    ("TP.VNF.01.4", "refusals", "inventory changed although the grant was denied", vnfc("old-1", end=3.95)),
    ("TP.VNF.01.6", "upgrade", "broken TCP sessions", _sessions(broken=True, reason="reset")),
    ("TP.VNF.01.6", "upgrade", "source address of a TCP session change", _sessions(addresses=["a:1", "b:2"])),
    ("TP.VNF.01.6", "upgrade", "lost packets of the way back", flows(_return_lost)),
    ("TP.VNF.01.6", "upgrade", "state went from PROCESSING to STARTING", _falls_back),
    ("TP.VNF.01.6", "upgrade", "the request was answered 400", setting(is_mark(marks.REQUEST, "upgrade"), status=400)),
    ("TP.VNF.01.6", "upgrade", "VNFCs run at the end, the descriptor asks for 2", vnfc("new-3", start=15.0)),
    ("TP.VNF.01.6", "upgrade", "not only new software runs at the end", vnfc("old-1", end=17.0)),
    ("TP.VNF.03.1", "upgrade", "a step is missing", leaving_out(is_told("oss", "PROCESSING"))),
    ("TP.VNF.03.1", "upgrade", "asked twice with the same content", _twice),
    ("TP.VNF.03.1", "upgrade", "was started before the grant", vnfc("new-1", start=3.1)),
    ("TP.VNF.03.1", "upgrade", "was removed before the EM agreed", vnfc("old-1", end=12.0)),
    (
        "TP.VNF.03.4",
        "upgrade",
        "free parameter missing in a coordination",
        _inputs(is_coordination("vnf-op-upgrade", "retire"), additionalParams={}),
    ),
    (
        "TP.VNF.03.4",
        "upgrade",
        "carries policy 'other'",
        _inputs(is_coordination("vnf-op-upgrade", "migrate", 30), policy={"name": "other"}),
    ),
    (
        "TP.VNF.05.1",
        "packages",
        "no modification metadata",
        setting(is_mark(marks.PACKAGE, "delivered"), metadata_forms=[]),
    ),
    (
        "TP.VNF.05.1",
        "packages",
        "not covered by a valid signature",
        setting(is_mark(marks.PACKAGE, "delivered"), signature_valid=False),
    ),
    ("TP.VNF.05.2", "refusals", "altered package became usable", accepted("no_metadata", 3.81)),
    (
        "TP.VNF.05.2",
        "refusals",
        "does not show the failure",
        setting(is_mark(marks.PACKAGE, "unknown_key"), problem=None),
    ),
    ("TP.VNF.06.3", "upgrade", "the VNF instance was replaced", _records(AFTER, "vnf_instance", id="vnf-2")),
    ("TP.VNF.06.3", "upgrade", "a VNFC outside the mapping was touched", vnfc("lb", end=10.0)),
    ("TP.VNF.08.1", "upgrade", "share below the step", lambda story: story.shares.__setitem__(2, (6.19, 0.0))),
    ("TP.VNF.08.3", "exposure", "after the fault was to be detected", _keeps_sharing),
    ("TP.VNF.09.1", "upgrade", "the number of new VNFCs fell", vnfc("new-1", end=9.5)),
    (
        "TP.VNF.09.1",
        "upgrade",
        "VNFCs at once, the policy allows 4",
        lambda story: story.vnfcs.append(type(story.vnfcs[0])("new-9", "worker", "new", 9.0, 19.0, serves=99.0)),
    ),
    (
        "TP.VNF.09.2",
        "upgrade",
        "without the EM's agreement",
        _answers(
            lambda e: is_call("GET", "-retire-")(e) and e.data["status"] == 200,
            outputParams={"retire": ["vnfc-old-1"], "moved": {}},
        ),
    ),
    (
        "TP.VNF.12.1",
        "upgrade",
        "operations that are not final were found",
        doing(is_mark(marks.FOUND, "upgrade", by="em"), lambda data: data["operations"].clear()),
    ),
    ("TP.VNF.12.2", "rollback", "isCancelPending is not shown", lambda story: story.edit(_never_shown)),
    (
        "TP.VNF.12.2",
        "upgrade",
        "reads that failed",
        setting(lambda e: e.data.get("role") == "reader2" and ns(5.0) < e.t < ns(5.4), status=500, answer=None),
    ),
    ("TP.VNF.12.3", "upgrade", "notification too late", moving(is_told("short", "COMPLETED"), 22.0)),
    (
        "TP.VNF.12.3",
        "upgrade",
        "503 was lost",
        leaving_out(lambda e: is_told("short", "STARTING")(e) and e.data["status"] == 204),
    ),
    (
        "TP.VNF.12.3",
        "rollback",
        "notified without an error",
        _told(is_told("full", "FAILED_TEMP", operation="vnf-op-by_cancel"), error=None),
    ),
    (
        "TP.VNF.12.4",
        "rollback",
        "proper end after the restart",
        setting(is_mark(marks.REACHED, "by_crash"), state="FAILED_TEMP"),
    ),
    (
        "TP.VNF.12.4",
        "rollback",
        "the operation is COMPLETED after the restart",
        _answers(lambda e: is_call("GET", "vnf-op-by_crash")(e) and e.t > ns(19.2), operationState="COMPLETED"),
    ),
    ("TP.VNF.13.1", "upgrade", "resource set differs: recorded", doing(AFTER, _forgets_one)),
    (
        "TP.VNF.13.2",
        "rollback",
        "differs after ROLLED_BACK",
        _records(is_mark(marks.SNAPSHOT, "after_by_cancel"), "vnf_instance", vnfSoftwareVersion="2.0.0"),
    ),
    (
        "TP.VNF.13.3",
        "refusals",
        "deleting a package in use was answered 204",
        setting(is_mark(marks.ATTEMPT, "delete_old_in_use"), status=204),
    ),
    (
        "TP.VNF.13.4",
        "upgrade",
        "the final notification gives vnfdId",
        _told(is_told("full", "COMPLETED"), modificationsTriggeredByVnfPkgChange={}),
    ),
    (
        "TP.VNF.13.4",
        "upgrade",
        "ADDED in the final notification differs",
        _told(is_told("full", "COMPLETED"), affectedVnfcs=[]),
    ),
    (
        "TP.GEN.02.1",
        "rollback",
        "rollback took too long",
        moving(is_mark(marks.TASK, "by_decision", task="rollback"), -100.0),
    ),
    ("TP.GEN.02.1", "rollback", "is not part of the modification and was touched", vnfc("lb", end=6.0)),
    (
        "TP.GEN.02.3",
        "rollback",
        "the VIM still lists servers",
        doing(
            is_mark(marks.SNAPSHOT, "after_by_cancel"),
            lambda data: data["records"]["servers"].append({"id": "server-x"}),
        ),
    ),
    (
        "TP.GEN.02.3",
        "rollback",
        "ports left",
        doing(
            is_mark(marks.SNAPSHOT, "after_by_cancel"),
            lambda data: data["records"]["ports"].append({"id": "port-x", "device_id": "server-x"}),
        ),
    ),
    (
        "TP.GEN.02.3",
        "rollback",
        "was not granted after the rollback",
        setting(
            lambda e: is_call("POST", "/grant/")(e) and e.data["request"]["vnfLcmOpOccId"] == "vnf-op-by_cancel",
            status=403,
        ),
    ),
    ("TP.GEN.02.4", "upgrade", "instead of 409", setting(is_mark(marks.ATTEMPT, "late_cancel"), status=404)),
    (
        "TP.GEN.02.4",
        "rollback",
        "could not be rolled back on order",
        leaving_out(is_mark(marks.REACHED, "by_decision", state="ROLLED_BACK")),
    ),
]


@pytest.mark.parametrize(
    ("purpose", "scenario", "reason", "change"), CASES, ids=[f"{case[0]}: {case[2]}" for case in CASES]
)
def test_expectation_fails_with_its_reason(
    purpose: str, scenario: str, reason: str, change: Change, good: dict[str, History]
) -> None:
    judgement = judge(purpose, {**good, scenario: told(scenario, change)}, declared())
    assert judgement.verdict is Verdict.FAIL, judgement.reason
    named = (judgement.reason, *judgement.observations)
    assert any(reason in text for text in named), named


def test_a_request_that_is_forwarded_to_nobody_is_not_judged(good: dict[str, History]) -> None:
    silent = told("upgrade", leaving_out(is_call("POST", CHANGE, "or-vnfm", "witness")))
    judgement = judge("TP.VNF.03.4", {**good, "upgrade": silent}, declared())
    assert judgement.verdict is Verdict.INCONC


def test_a_testbed_without_restart_leaves_that_phase_out(good: dict[str, History]) -> None:
    """What the testbed cannot do is said, and does not count against the stack."""
    known = declared()
    less = known.model_copy(update={"features": [name for name in known.features if name != "restart_vnfm"]})
    judgement = judge("TP.GEN.02.1", good, less)
    assert judgement.verdict is Verdict.PASS
    assert any("was left out" in text for text in judgement.observations)


def test_a_testbed_that_cannot_hold_a_stop_says_so() -> None:
    plain = told("upgrade", leaving_out(lambda e: e.data.get("kind") == "hold_stop"))
    judgement = judge("TP.VNF.01.2", {"upgrade": plain}, declared())
    assert judgement.verdict is Verdict.PASS
    assert any("cannot hold back a stop" in text for text in judgement.observations)
