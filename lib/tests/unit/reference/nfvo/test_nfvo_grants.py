"""Grants over HTTP, and the pure decision behind them."""

from __future__ import annotations

from typing import Any

import pytest
from nfvo_bench import PACKAGES, Bench, bench
from nfvo_sample import onboard

from nfvcert.reference.nfvo.granting import Amount, Situation, refusal, total, wanted
from nfvcert.sol.grant import Grant, GrantRequest
from waiting import eventually

GRANTS = "/grant/v1/grants"
VERSION = {"Version": "1.4.0"}
LINKS = {"vnfLcmOpOcc": {"href": "http://vnfm/op"}, "vnfInstance": {"href": "http://vnfm/vnf"}}


def body(operation: str = "CHANGE_VNFPKG", **changes: Any) -> dict[str, Any]:
    return {
        "vnfInstanceId": "vnf-1",
        "vnfLcmOpOccId": "op-1",
        "vnfdId": "old",
        "dstVnfdId": "new" if operation == "CHANGE_VNFPKG" else None,
        "flavourId": "default",
        "operation": operation,
        "isAutomaticInvocation": False,
        "addResources": [
            {"id": "c1", "type": "COMPUTE", "vduId": "worker", "vnfdId": "new", "resourceTemplateId": ["worker"]},
            {"id": "c1/cp", "type": "LINKPORT", "vduId": "worker", "vnfdId": "new", "resourceTemplateId": ["cp"]},
        ],
        "removeResources": [
            {"id": "c0", "type": "COMPUTE", "vduId": "worker", "vnfdId": "old", "resource": {"resourceId": "s0"}}
        ],
        "_links": LINKS,
    } | changes


def ask(nfvo: Bench, sample: Any, **changes: Any) -> Any:
    given = body(**changes)
    for name in ("vnfdId", "dstVnfdId"):
        given[name] = {"old": sample.old_id, "new": sample.new_id}.get(given[name], given[name])
    for resource in (*given["addResources"], *given["removeResources"]):
        resource["vnfdId"] = {"old": sample.old_id, "new": sample.new_id}[resource["vnfdId"]]
    return nfvo.http.post(GRANTS, json={k: v for k, v in given.items() if v is not None}, headers=VERSION)


def test_a_grant_permits_each_resource_and_is_kept(ready: Bench, sample: Any) -> None:
    answer = ask(ready, sample)
    assert answer.status_code == 201, answer.text
    grant = Grant.model_validate(answer.json())
    assert [info.resourceDefinitionId for info in grant.addResources or []] == ["c1", "c1/cp"]
    assert [info.resourceDefinitionId for info in grant.removeResources or []] == ["c0"]
    assert grant.zones is not None
    assert (grant.addResources or [])[0].zoneId == grant.zones[0].id
    assert grant.links["vnfInstance"].href == LINKS["vnfInstance"]["href"]
    again = ready.http.get(answer.headers["location"], headers=VERSION)
    assert again.json() == answer.json()
    assert ready.http.get(f"{GRANTS}/none", headers=VERSION).status_code == 404
    assert ready.usage(sample.new_id) == "IN_USE"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dstVnfdId": "nobody-knows"}, "no onboarded VNF package"),
        ({"vnfdId": "nobody-knows"}, "no onboarded VNF package"),
        ({"dstVnfdId": None}, "dstVnfdId"),
    ],
)
def test_grants_for_packages_that_are_not_there_are_refused(
    ready: Bench, sample: Any, changes: dict[str, Any], reason: str
) -> None:
    answer = ask(ready, sample, **changes)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert reason in answer.json()["detail"]


def test_a_grant_for_a_disabled_package_is_refused(ready: Bench, sample: Any) -> None:
    (package,) = ready.get(PACKAGES, params={"filter": f"(eq,vnfdId,{sample.new_id})"})
    ready.patch(f"{PACKAGES}/{package['id']}", {"operationalState": "DISABLED"})
    assert "not enabled" in ask(ready, sample).json()["detail"]


def test_capacity_counts_what_was_granted_until_the_operation_ends(tmp_path: Any, sample: Any) -> None:
    with bench(tmp_path, capacity={"vnfcs": 1}) as nfvo:
        onboard(nfvo, sample)
        instance = nfvo.vnfm.add_instance(sample.old_id)
        nfvo.vnfm.script["change_vnfpkg"] = ["STARTING"]
        operation = nfvo.vnfm.begin(instance, "change_vnfpkg", {"vnfdId": sample.new_id})
        assert ask(nfvo, sample, vnfLcmOpOccId=operation).status_code == 201
        refused = ask(nfvo, sample, vnfLcmOpOccId="op-2")
        assert refused.status_code == 403
        assert "vnfcs" in refused.json()["detail"]
        nfvo.vnfm.last("STARTING")
        nfvo.vnfm.enter(operation, "ROLLED_BACK")
        eventually(lambda: ask(nfvo, sample, vnfLcmOpOccId="op-2").status_code == 201)


@pytest.mark.parametrize("wrong", [{"operation": "SING"}, {"addResources": [{"id": "x"}]}, {"surprise": 1}])
def test_bodies_are_validated(ready: Bench, wrong: dict[str, Any]) -> None:
    given = {k: v for k, v in (body() | wrong).items() if v is not None}
    assert ready.http.post(GRANTS, json=given, headers=VERSION).status_code == 422


def test_the_version_of_grants_is_their_own(ready: Bench) -> None:
    assert ready.http.post(GRANTS, json=body(), headers={"Version": "2.0.0"}).status_code == 406


SIZES = {("new", "worker"): Amount(1, 2, 64), ("old", "worker"): Amount(1, 1, 32)}
PACKAGE_STATES = {"old": "DISABLED", "new": "ENABLED"}


@pytest.mark.parametrize(
    ("limits", "used", "refused"),
    [
        ({}, Amount(99, 99, 99), False),
        ({"vcpus": 4}, Amount(1, 2, 0), False),
        ({"vcpus": 4}, Amount(1, 3, 0), True),
        ({"memory_mib": 64}, Amount(), False),
        ({"memory_mib": 63}, Amount(), True),
        ({"vnfcs": 0}, Amount(), True),
    ],
)
def test_capacity(limits: dict[str, float], used: Amount, refused: bool) -> None:
    request = GrantRequest.model_validate(body())
    assert bool(refusal(request, Situation(limits, used, SIZES, PACKAGE_STATES))) is refused


def test_removing_needs_no_capacity() -> None:
    request = GrantRequest.model_validate(body("TERMINATE", addResources=None))
    assert not refusal(request, Situation({"vcpus": 0}, Amount(3, 3, 3), SIZES, PACKAGE_STATES))


def test_amounts() -> None:
    assert wanted(GrantRequest.model_validate(body()), SIZES) == Amount(1, 2, 64)
    assert total([("new", "worker"), ("old", "worker"), ("x", "y")], SIZES) == Amount(3, 3, 96)
