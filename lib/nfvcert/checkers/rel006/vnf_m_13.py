"""REQ.VNF.M.13: once the new version has replaced the old one, its information is brought up to date everywhere."""

from __future__ import annotations

from typing import Any

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared, Version
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import changed, completed_at, final_notification, labelled, the_request
from nfvcert.checkers.views.calls import notification
from nfvcert.checkers.views.inventory import lifetimes, sample_at, sample_before, samples
from nfvcert.checkers.views.operations import operation_id
from nfvcert.checkers.views.records import (
    IDENTITY_FIELDS,
    affected_vnfcs,
    records,
    resource_id,
    resource_ids,
    snapshot,
    vnfcs,
)
from nfvcert.history import Event, History, marks
from nfvcert.measure import Measure


@checker("TP.VNF.13.1")
def records_agree(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """All records agree with each other and with what runs."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    after = snapshot(history, "after")
    read = records(after)
    sample = sample_at(samples(history, declared), after.t - 400_000_000)
    case.rests_on(history, [after, sample.event])
    count = 0
    for reader in ("vnf_instance", "vnf_instance_as_em"):
        for field, value in _expected(declared.candidate).items():
            got = (read.get(reader) or {}).get(field)
            running = (
                "vnfdId differs from running digest" if field == "vnfdId" else f"{field} is not that of the new package"
            )
            count += not case.expect(got == value, f"{running}: {reader} says {got!r}")
    instance = read.get("vnf_instance") or {}
    listed = _vnf_in_service(read.get("ns_instance") or {}, str(after.data.get("vnf_instance_id")))
    case.guard(bool(listed), "the service record does not name the VNF")
    for field, value in _expected(declared.candidate).items():
        if field in listed:
            count += not case.expect(
                listed[field] == value, f"service record differs from VNF record: {field} is {listed[field]!r}"
            )
    recorded = resource_ids(instance)
    running_ids = {vnfc.id for vnfc in sample.vnfcs if vnfc.generation != "unknown"}
    count += not case.expect(
        recorded == running_ids, f"resource set differs: recorded {sorted(recorded)}, running {sorted(running_ids)}"
    )
    if read.get("servers") is not None:
        servers = {str(server["id"]) for server in read["servers"]}
        count += not case.expect(
            servers == running_ids,
            f"resource set differs: the VIM lists {sorted(servers)}, running {sorted(running_ids)}",
        )
        used = {str(port["device_id"]) for port in read.get("ports") or [] if port.get("device_id")}
        count += not case.expect(
            used <= running_ids, "resource set differs: the VIM lists ports of servers that are gone"
        )
    wrong = [vnfc.id for vnfc in changed(sample.vnfcs, declared) if vnfc.generation != "new"]
    count += not case.expect(not wrong, f"VNFCs without the new digest: {', '.join(wrong)}")
    case.measure(
        Measure("differing_fields", count, "fields", "=", 0, "REL 006 6.3.1.2 REQ.VNF.M.13, time declared"),
        "records differ",
    )
    return case.judge("all records agree with each other and with what runs")


@checker("TP.VNF.13.2")
def not_before_not_after_failure(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Records change at completion only; after a rollback they are what they were."""
    case = Case(purpose)
    count = 0
    history = history_of(histories, "upgrade")
    looks = labelled(history, marks.FOUND, "upgrade")
    case.guard(bool(looks), "the instance was not read before completion")
    case.rests_on(history, looks)
    for event in looks:
        got = (event.data.get("vnf_instance") or {}).get("vnfdId")
        count += not case.expect(
            got == declared.in_service.vnfd_id,
            f"vnfdId of the target before completion: read as {event.data.get('by')}",
        )
    history = history_of(histories, "rollback")
    before = snapshot(history, "before")
    for label in ("after_by_decision", "after_by_cancel"):
        after = snapshot(history, label)
        case.rests_on(history, [before, after])
        fields = {field: (records(before).get("vnf_instance") or {}).get(field) for field in IDENTITY_FIELDS}
        for field, value in fields.items():
            got = (records(after).get("vnf_instance") or {}).get(field)
            count += not case.expect(got == value, f"{field} differs after ROLLED_BACK ({label}): {got!r}")
        listed = _vnf_in_service(records(after).get("ns_instance") or {}, str(after.data.get("vnf_instance_id")))
        count += not case.expect(
            listed.get("vnfdId") == declared.in_service.vnfd_id, f"service record differs after ROLLED_BACK ({label})"
        )
        count += _not_as_it_runs(case, history, declared, after, label)
    case.measure(
        Measure("differing_fields", count, "fields", "=", 0, "REL 006 6.3.1.2 REQ.VNF.M.13 (update when completed)"),
        "differ",
    )
    return case.judge("records kept to the version in service until completion and after each rollback")


@checker("TP.VNF.13.3")
def usage_follows(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Usage states of packages follow the instances."""
    history = history_of(histories, "refusals")
    case = Case(purpose)
    old = declared.in_service.vnfd_id
    wrong = 0
    for label, expected in (("first_modified", {old: "IN_USE"}), ("second_gone", {old: "NOT_IN_USE"})):
        taken = snapshot(history, label)
        case.rests_on(history, [taken])
        packages = records(taken).get("packages") or {}
        twin = str(taken.data.get("twin_vnfd_id") or "")
        wanted = {**expected, **({twin: "IN_USE"} if twin else {})}
        for vnfd_id, usage in wanted.items():
            got = (packages.get(vnfd_id) or {}).get("usageState")
            which = "old" if vnfd_id == old else "new"
            wrong += not case.expect(got == usage, f"usage state wrong: the {which} package is {got} at '{label}'")
    early = labelled(history, marks.ATTEMPT, "delete_old_in_use")
    late = labelled(history, marks.PACKAGE, "delete_old_unused")
    case.rests_on(history, [*early, *late])
    if case.guard(bool(early) and bool(late), "the deletion of the old package was not tried"):
        case.expect(
            early[0].data.get("status") == 409, f"deleting a package in use was answered {early[0].data.get('status')}"
        )
        case.expect(
            late[0].data.get("status") == 204, f"deleting an unused package was answered {late[0].data.get('status')}"
        )
    case.measure(Measure("wrong_usage_states", wrong, "states", "=", 0, "REL 006 B.3.2 step 15"), "usage states wrong")
    return case.judge("usage states followed the instances")


@checker("TP.VNF.13.4")
def told_at_the_end(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The final notification says what changed, and later operations use it."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    operation = operation_id(history, "upgrade", "vnf")
    completed = completed_at(history, operation)
    final = final_notification(case, history, operation)
    if final is not None:
        body = notification(final)
        changes = body.get("modificationsTriggeredByVnfPkgChange") or {}
        for field in ("vnfdId", "vnfSoftwareVersion"):
            wanted = _expected(declared.candidate)[field]
            case.expect(changes.get(field) == wanted, f"the final notification gives {field} {changes.get(field)!r}")
        found = samples(history, declared)
        asked = the_request(history, "upgrade").t
        first, last = sample_at(found, asked), sample_at(found, completed)
        mine = (
            {v.id for v in first.vnfcs if v.generation != "unknown"},
            {v.id for v in last.vnfcs if v.generation != "unknown"},
        )
        added, removed = affected_vnfcs(body, "ADDED"), affected_vnfcs(body, "REMOVED")
        case.expect(added == mine[1] - mine[0], "ADDED in the final notification differs from the inventories")
        case.expect(removed == mine[0] - mine[1], "REMOVED in the final notification differs from the inventories")
    scaled = [event for event in history.marks(marks.SCALED) if event.data.get("type") == "SCALE_OUT"]
    case.rests_on(history, scaled)
    case.guard(
        bool(scaled) and scaled[0].data.get("state") == "COMPLETED", "the VNF was not scaled out after completion"
    )
    later = [
        life.vnfc
        for life in lifetimes(samples(history, declared)).values()
        if life.vnfc.start > completed and changed([life.vnfc], declared)
    ]
    case.guard(bool(later), "no VNFC was created after completion")
    old = [vnfc for vnfc in later if vnfc.generation != "new"]
    case.measure(
        Measure("old_digest_created_after_completed", len(old), "VNFCs", "=", 0, "REL 006 6.3.1.2 REQ.VNF.M.13"),
        "old digest created after COMPLETED",
    )
    return case.judge("the final notification tells the change and a later scale-out used the new version")


def _not_as_it_runs(case: Case, history: History, declared: Declared, after: Event, label: str) -> int:
    """How many VNFCs the instance record lists that do not run the version in service."""
    sample = sample_before(samples(history, declared), after.t + 1)
    case.rests_on(history, [sample.event])
    instance = records(after).get("vnf_instance") or {}
    listed = {resource_id(vnfc) for vnfc in vnfcs(instance) if vnfc.get("vduId") in declared.changed_vdus}
    running = {vnfc.id for vnfc in changed(sample.vnfcs, declared) if vnfc.generation == "old"}
    for identifier in sorted(listed - running):
        case.expect(False, f"VNFC {identifier} is recorded and does not run the version in service ({label})")
    return len(listed - running)


def _expected(version: Version) -> dict[str, Any]:
    fields = {
        "vnfdId": version.vnfd_id,
        "vnfSoftwareVersion": version.software_version,
        "vnfdVersion": version.descriptor_version,
        "vnfProvider": version.provider,
        "vnfProductName": version.product,
    }
    return {name: value for name, value in fields.items() if value}


def _vnf_in_service(service: dict[str, Any], instance: str) -> dict[str, Any]:
    for vnf in service.get("vnfInstance") or []:
        if str(vnf.get("id")) == instance:
            return dict(vnf)
    return {}
