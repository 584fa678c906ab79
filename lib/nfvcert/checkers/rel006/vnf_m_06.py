"""REQ.VNF.M.06: policies with additional resources, type, identifiers, versions, images, files in the metadata."""

from __future__ import annotations

from collections import Counter
from typing import Any

from nfvcert.checkers.case import Case, Judgement
from nfvcert.checkers.declared import Declared
from nfvcert.checkers.registry import Histories, checker, history_of
from nfvcert.checkers.rel006.common import (
    changed,
    expect_stopped,
    granted,
    granted_addition,
    labelled,
    shares_follow,
    the_request,
)
from nfvcert.checkers.views.coordination import coordinations
from nfvcert.checkers.views.inventory import Sample, lifetimes, sample_before, samples
from nfvcert.checkers.views.operations import operation_id
from nfvcert.checkers.views.records import records, resource_ids, snapshot
from nfvcert.checkers.views.traffic import guard_trial
from nfvcert.history import History, marks
from nfvcert.measure import Measure


@checker("TP.VNF.06.1")
def fields_complete(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """All fields that the declared type needs are present, typed and resolvable."""
    history = history_of(histories, "packages")
    case = Case(purpose)
    checked = labelled(history, marks.PACKAGE, "metadata")
    case.rests_on(history, checked)
    if not case.guard(bool(checked), "the metadata were not checked"):
        return case.judge("")
    findings = checked[0].data.get("findings") or []
    for finding in findings:
        case.expect(False, f"{finding.get('message')} ({finding.get('where')})")
    case.guard(int(checked[0].data.get("fields_checked") or 0) > 0, "no field was checked")
    case.measure(
        Measure("missing_or_dangling_fields", len(findings), "fields", "=", 0, "REL 006 6.3.1.2 REQ.VNF.M.06"),
        "fields missing or dangling",
    )
    return case.judge("every field that the declared type needs is there and resolves")


@checker("TP.VNF.06.2")
def additional_resources(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """No policy takes more additional resources than it declares."""
    case = Case(purpose)
    for scenario, label in (("upgrade", "upgrade"), ("rollback", "by_decision"), ("rollback", "by_cancel")):
        history = history_of(histories, scenario)
        asked = the_request(history, label)
        policy = str(asked.data.get("policy"))
        allowed: dict[str, Any] = declared.policy(policy).get("additional_resources") or {}
        if not case.guard(bool(allowed), f"policy {policy} declares no additional resources"):
            continue
        reached = labelled(history, marks.REACHED, label)
        until = reached[0].t if reached else history.events[-1].t  # the way back may take what it needs
        found = samples(history, declared)
        start = _used(sample_before(found, asked.t))
        peaks: Counter[str] = Counter()
        for sample in found:
            if asked.t <= sample.t <= until:
                for kind, amount in _used(sample).items():
                    peaks[kind] = max(peaks[kind], amount - start[kind])
        case.rests_on(history, [asked, *reached])
        given = granted(case, history, declared, label)
        for kind, resource in (("vnfcs", "COMPUTE"), ("ports", "LINKPORT")):
            more = granted_addition(given, resource)
            case.expect(
                kind not in allowed or more <= int(allowed[kind]),
                f"granted beyond the declared addition of policy {policy}: {more} {kind} in '{label}'",
            )
        for kind in ("vnfcs", "vcpus", "memory_mib", "ports"):
            if kind not in allowed or (kind in ("vcpus", "memory_mib") and not start[kind]):
                case.observe(f"The hosts do not report {kind}; it was not judged.")
                continue
            case.measure(
                Measure(f"peak_additional_{kind}_{label}", peaks[kind], kind, "<=", float(allowed[kind]), "declared"),
                f"peak above declared addition of policy {policy}",
            )
    return case.judge("no policy took more than it declares")


@checker("TP.VNF.06.3")
def type_and_mapping(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """The declared type and the mapping of images are what happens."""
    history = history_of(histories, "upgrade")
    case = Case(purpose)
    asked = the_request(history, "upgrade")
    before, after = snapshot(history, "before"), snapshot(history, "after")
    case.rests_on(history, [asked, before, after])
    found = samples(history, declared)
    first, last = sample_before(found, asked.t), sample_before(found, after.t + 1)
    case.rests_on(history, [first.event, last.event])
    kind = declared.modification.get("type")
    created = {
        i
        for i, life in lifetimes([s for s in found if s.t <= after.t]).items()
        if life.vnfc.start > asked.t and life.vnfc.generation != "unknown"
    }
    if kind == "update":
        case.expect(
            not created, f"declared type differs from what happened: type update, but {len(created)} VNFCs came"
        )
    else:
        case.expect(bool(created), f"declared type differs from what happened: type {kind}, but no VNFC came")
    if kind == "component_upgrade":
        same = records(before)["vnf_instance"].get("id") == records(after)["vnf_instance"].get("id")
        case.expect(same, "the VNF instance was replaced although the type is component upgrade")
        others = {v.identity for v in first.vnfcs if v.vdu and v.vdu not in declared.changed_vdus}
        still = {v.identity for v in last.vnfcs}
        errors = len(others - still)
        case.expect(not errors, "a VNFC outside the mapping was touched")
        wrong = [v.id for v in changed(last.vnfcs, declared) if v.generation != "new"]
        case.expect(not wrong, f"VNFCs not of the paired image: {', '.join(wrong)}")
        errors += len(wrong)
        networks = _networks(records(before)) == _networks(records(after))
        case.expect(networks, "the ports of the new VNFCs are not on the networks of those replaced")
        case.measure(
            Measure("mapping_errors", errors + (not networks), "errors", "=", 0, "declared mapping"), "mapping errors"
        )
    return case.judge("what happened is the declared type with the declared mapping")


@checker("TP.VNF.06.4")
def policy_by_name(purpose: str, histories: Histories, declared: Declared) -> Judgement:
    """Policies are selected by name, an unknown name and an inapplicable package are refused."""
    history = history_of(histories, "refusals")
    case = Case(purpose)
    guard_trial(case, history)
    unknown = the_request(history, "unknown_policy")
    expect_stopped(case, history, unknown, "the request with an unknown policy", "unknown policy accepted")
    other = the_request(history, "other_base")
    expect_stopped(case, history, other, "the request with an inapplicable package", "inapplicable package accepted")
    fallbacks = sum(event.data.get("status") == 202 and _completed(history, event) for event in (unknown, other))
    for label in ("twin",):
        asked = the_request(history, label)
        expected = asked.data.get("expected_policy") or {}
        found = [c for c in coordinations(history, operation_id(history, label, "vnf")) if c.stage == "migrate"]
        case.rests_on(history, [asked, *(c.event for c in found)])
        shown = [c.share for c in found]
        steps = [float(step) for step in expected.get("steps", [])]
        case.expect(shown == steps, f"without a policy name the steps were {shown}, the default's are {steps}")
        shares_follow(case, history, declared, label, steps)
    history = history_of(histories, "upgrade")
    guard_trial(case, history)
    asked = the_request(history, "upgrade")
    steps = [float(step) for step in declared.policy(str(asked.data.get("policy"))).get("steps", [])]
    found = [c for c in coordinations(history, operation_id(history, "upgrade", "vnf")) if c.stage == "migrate"]
    case.rests_on(history, [asked])
    case.expect([c.share for c in found] == steps, f"policy {asked.data.get('policy')} did not show its own steps")
    shares_follow(case, history, declared, "upgrade", steps)
    case.measure(
        Measure("silent_fallbacks", fallbacks, "requests", "=", 0, "REL 006 6.3.1.2 REQ.VNF.M.06"), "silent fallbacks"
    )
    return case.judge("policies took effect by name, what does not apply was refused")


def _used(sample: Sample) -> Counter[str]:
    used: Counter[str] = Counter()
    for vnfc in sample.vnfcs:
        if vnfc.generation == "unknown":
            continue
        used["vnfcs"] += 1
        used["vcpus"] += int(vnfc.vcpus)
        used["memory_mib"] += int(vnfc.memory_mib)
        used["ports"] += len(vnfc.ports)
    return used


def _networks(records_: dict[str, Any]) -> Counter[tuple[str, ...]]:
    mine = resource_ids(records_.get("vnf_instance") or {})
    by_server: dict[str, list[str]] = {}
    for port in records_.get("ports") or []:
        if port.get("device_id") in mine:
            by_server.setdefault(port["device_id"], []).append(str(port.get("network_id")))
    return Counter(tuple(sorted(networks)) for networks in by_server.values())


def _completed(history: History, event: Any) -> bool:
    label = event.data.get("label")
    return any(mark.data.get("state") == "COMPLETED" for mark in labelled(history, marks.REACHED, str(label)))
