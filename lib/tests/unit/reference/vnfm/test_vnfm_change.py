"""Change of the VNF package: the healthy way, under each policy, and what is refused."""

from __future__ import annotations

import pytest
from vnfm_doubles import NEW, OLD, Stack, World


def test_staged_policy_replaces_all_workers_and_commits(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    before = stack.vnfcs(instance)
    world.coordinations.clear()
    record = stack.until(stack.change(instance, "staged", token="t-1"), "COMPLETED")
    assert world.stages() == ["migrate 10", "migrate 30", "migrate 100", "retire", "complete"]
    shown = stack.instance(instance)
    assert shown["vnfdId"] == NEW
    assert (shown["vnfSoftwareVersion"], shown["vnfdVersion"]) == ("2.0.0", "2.0.0")
    after = stack.vnfcs(instance)
    assert len(after) == 2
    assert not {v["id"] for v in before} & {v["id"] for v in after}
    assert {v["vnfdId"] for v in after} | {v["vnfdId"] for v in stack.vnfcs(instance, "lb")} == {NEW}
    assert len(stack.cloud.running("worker-2")) == 2
    assert not stack.cloud.running("worker-1")
    changes = {(c["changeType"], c["vnfdId"]) for c in record["resourceChanges"]["affectedVnfcs"]}
    assert changes == {("ADDED", NEW), ("REMOVED", OLD)}
    assert record["modificationsTriggeredByVnfPkgChange"]["vnfdId"] == NEW
    assert [c["coordinationResult"] for c in record["lcmCoordinations"]] == ["CONTINUE"] * 5
    assert record["grantId"]


def test_coordinations_carry_policy_ids_and_free_parameters(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    old = [vnfc["id"] for vnfc in stack.vnfcs(instance)]
    world.coordinations.clear()
    record = stack.until(stack.change(instance, "frugal", token="t-2"), "COMPLETED")
    first = world.coordinations[0]
    given = first["inputParams"]
    assert first["coordinationActionName"] == "traffic-migration"
    assert first["vnfLcmOpOccId"] == record["id"]
    assert first["lcmOperationType"] == "CHANGE_VNFPKG"
    assert given["policy"]["name"] == "frugal"
    assert given["policy"]["steps"] == [50, 100]
    assert given["additionalParams"] == {"policy": "frugal", "token": "t-2"}
    assert (given["sourceVnfdId"], given["destinationVnfdId"]) == (OLD, NEW)
    assert given["oldVnfcs"] == old
    assert len(given["newVnfcs"]) == 1
    assert world.stages() == ["migrate 50", "retire", "migrate 100", "retire", "complete"]
    assert stack.cloud.peak == 4  # one load balancer, two workers and the one that the policy pays for


def test_without_a_policy_the_default_of_the_metadata_is_used(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    stack.until(stack.change(instance, None), "COMPLETED")
    assert world.coordinations[-1]["inputParams"]["policy"]["name"] == "staged"


def test_grant_names_every_resource_and_precedes_all(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    world.grant_gate.clear()
    calls = len(stack.cloud.log)
    answer = stack.change(instance)
    record = stack.until(answer, "STARTING")
    while len(world.grants) < 2:
        pass
    assert len(stack.cloud.log) == calls
    grant = world.grants[1]
    assert (grant["operation"], grant["vnfdId"], grant["dstVnfdId"]) == ("CHANGE_VNFPKG", OLD, NEW)
    assert grant["vnfLcmOpOccId"] == record["id"]
    for part in ("addResources", "removeResources"):
        assert [r["type"] for r in grant[part]].count("COMPUTE") == 2
        assert [r["type"] for r in grant[part]].count("LINKPORT") == 6
    assert {r["resource"]["resourceId"] for r in grant["removeResources"] if r["type"] == "COMPUTE"} == {
        v["computeResource"]["resourceId"] for v in stack.vnfcs(instance)
    }
    assert grant["placementConstraints"][0]["affinityOrAntiAffinity"] == "ANTI_AFFINITY"
    world.grant_gate.set()
    stack.until(answer, "COMPLETED")


def test_refused_grant_rolls_back_and_touches_nothing(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    servers = dict(stack.cloud.servers)
    world.refusal = "no capacity"
    record = stack.until(stack.change(instance), "ROLLED_BACK")
    assert "no capacity" in record["error"]["detail"]
    assert stack.cloud.servers == servers
    world.refusal = ""
    stack.until(stack.change(instance), "COMPLETED")


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        ({"vnfdId": "nobody"}, 400, "no onboarded VNF package"),
        ({"vnfdId": NEW, "additionalParams": {"policy": "reckless"}}, 400, "no policy 'reckless'"),
        ({"vnfdId": OLD}, 400, "no software modification metadata"),
        ({}, 422, "vnfdId"),
        ({"vnfdId": NEW, "nonsense": 1}, 422, "nonsense"),
    ],
)
def test_wrong_requests_change_nothing(stack: Stack, world: World, body: dict, status: int, text: str) -> None:
    instance = stack.instantiate()
    before, calls = stack.instance(instance), list(stack.cloud.log)
    answer = stack.task(instance, "change_vnfpkg", **body)
    assert answer.status == status
    assert answer.problem and text in answer.problem.detail
    assert stack.instance(instance) == before
    assert stack.cloud.log == calls
    assert len(world.grants) == 1


def test_disabled_package_is_refused_and_the_twin_completes(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    world.disabled.add(NEW)
    assert stack.change(instance).status == 409
    world.disabled.clear()
    stack.until(stack.change(instance), "COMPLETED")


def test_source_selector_must_name_the_version_in_service(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    stack.until(stack.change(instance), "COMPLETED")
    answer = stack.change(instance)
    assert answer.status == 400
    assert answer.problem and NEW in answer.problem.detail


def test_after_commit_scaling_uses_the_new_image(stack: Stack) -> None:
    instance = stack.instantiate()
    stack.until(stack.change(instance), "COMPLETED")
    stack.until(stack.task(instance, "scale", type="SCALE_OUT", aspectId="workers"), "COMPLETED")
    assert len(stack.cloud.running("worker-2")) == 3


def test_addresses_of_removed_workers_are_not_given_to_new_ones(stack: Stack) -> None:
    instance = stack.instantiate()
    old = addresses(stack, instance)
    stack.until(stack.change(instance, "frugal"), "COMPLETED")
    assert not old & addresses(stack, instance)


def addresses(stack: Stack, instance: str) -> set[str]:
    return {
        address
        for vnfc in stack.vnfcs(instance)
        for cp in vnfc["vnfcCpInfo"]
        for given in cp["cpProtocolInfo"][0]["ipOverEthernet"]["ipAddresses"]
        for address in given["addresses"]
    }
