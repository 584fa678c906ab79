"""Each seeded defect of the VNFM does what it says, and a healthy VNFM does not."""

from __future__ import annotations

import ast
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from vnfm_doubles import NEW, OLD, Stack, World, descriptor, paused

from nfvcert.extension import load_behaviour
from nfvcert.reference.vnfm.behaviour import VnfmBehaviour
from nfvcert.reference.vnfm.cloud import VimError
from nfvcert.reference.vnfm.descriptor import Modification, Policy, Source
from waiting import eventually

FOLDER = Path(__file__).parents[5] / "fixtures" / "nonconformities"
FILES = sorted(file for file in FOLDER.glob("DEF.*.py") if 'COMPONENT = "vnfm"' in file.read_text())

Make = Callable[[type[VnfmBehaviour]], Stack]


def seeded(make_stack: Make, identifier: str) -> Stack:
    return make_stack(load_behaviour(FOLDER / f"DEF.{identifier}.py", VnfmBehaviour))


def abort(stack: Stack, world: World, operation: str) -> None:
    world.decide(coordinationResult="ABORT")
    stack.until(operation, "FAILED_TEMP")
    world.script = lambda request: {}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_says_what_it_is(file: Path) -> None:
    tree = ast.parse(file.read_text())
    sentence = ast.get_docstring(tree)
    assert sentence and sentence.endswith(".")
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    purposes = constants["PURPOSE"]
    for purpose in (purposes,) if isinstance(purposes, str) else purposes:
        assert purpose.startswith("TP.")
    assert constants["REASON"]
    behaviour = load_behaviour(file, VnfmBehaviour)
    replaced = [name for name in vars(behaviour) if not name.startswith("__") and callable(getattr(behaviour, name))]
    assert 1 <= len(replaced) <= 2


def test_completed_before_the_old_one_has_gone(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.01.a")
    instance = stack.instantiate()
    stack.cloud.stuck.set()
    stack.until(stack.change(instance), "COMPLETED")
    assert len(stack.cloud.running("worker-1")) == 2
    stack.cloud.stuck.clear()


def test_healthy_waits_until_the_old_one_has_gone(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    stack.cloud.stuck.set()
    operation = stack.change(instance).location.rpartition("/")[2]
    eventually(lambda: "retire" in world.stages())
    assert stack.occurrence(operation)["operationState"] == "PROCESSING"
    stack.cloud.stuck.clear()
    stack.until(operation, "COMPLETED")


def test_all_old_removed_first(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.01.b")
    instance = stack.instantiate()
    start = len(stack.cloud.log)
    stack.until(stack.change(instance), "COMPLETED")
    calls = [call for call, _ in stack.cloud.log[start:] if call.endswith("_server")]
    assert calls == ["delete_server", "delete_server", "create_server", "create_server"]
    assert len(stack.vnfcs(instance)) == 2


def test_vnfc_stopped_by_a_refused_request(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.01.c")
    instance = stack.instantiate()
    assert stack.change(instance, vnfd_id="nobody").status == 400
    assert [s["status"] for s in stack.cloud.servers.values()].count("SHUTOFF") == 1


def test_resources_before_the_grant(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.01.d")
    instance = stack.instantiate()
    world.grant_gate.clear()
    operation = stack.change(instance).location.rpartition("/")[2]
    eventually(lambda: len(world.grants) == 2)
    assert len(stack.cloud.running("worker-2")) == 2
    world.grant_gate.set()
    stack.until(operation, "COMPLETED")
    assert len(stack.cloud.servers) == 3


def test_metadata_not_read(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.05.d")
    instance = stack.instantiate()
    stack.until(stack.change(instance, "staged"), "COMPLETED")
    assert [stage for stage in world.stages() if stage.startswith("migrate")] == ["migrate 50", "migrate 100"]


def test_more_than_the_policy_pays_for(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.06.b")
    stack.until(stack.change(stack.instantiate(), "frugal"), "COMPLETED")
    assert stack.cloud.peak == 5


def test_unknown_policy_accepted(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.06.c")
    stack.until(stack.change(stack.instantiate(), "reckless"), "COMPLETED")
    assert world.coordinations[-1]["inputParams"]["policy"]["name"] == "staged"


@pytest.mark.parametrize("healthy", [True, False])
def test_inapplicable_package(make_stack: Make, world: World, healthy: bool) -> None:
    policy = Policy("staged", (100,), 2, {})
    metadata = Modification("component_upgrade", (Source("else", "0.9"),), ("worker",), "staged", {"staged": policy})
    world.descriptors[NEW] = descriptor(NEW, "2.0.0", modification=metadata)
    stack = make_stack(VnfmBehaviour) if healthy else seeded(make_stack, "VNF.06.e")
    answer = stack.change(stack.instantiate())
    assert answer.status == (400 if healthy else 202)


def test_scale_in_without_coordination(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.09.a")
    instance = stack.instantiate()
    stack.until(stack.task(instance, "scale", type="SCALE_IN", aspectId="workers"), "COMPLETED")
    assert "drain" not in world.stages()


def test_newest_removed(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.09.b")
    instance = stack.instantiate()
    record = stack.until(stack.change(instance, "frugal"), "COMPLETED")
    assert len(stack.cloud.running("worker-1")) == 2
    assert "resourceChanges" not in record


def test_reads_wait(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.12.a")
    instance = stack.create()
    world.grant_gate.clear()
    from vnfm_doubles import ext_links

    answer = stack.task(instance, "instantiate", flavourId="default", extVirtualLinks=ext_links())
    before = time.monotonic()
    stack.occurrence(answer.location.rpartition("/")[2])
    assert time.monotonic() - before > 2


def test_result_overtakes_start(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.12.b")
    instance = stack.instantiate()
    stack.subscribe("sink")
    stack.until(stack.change(instance), "COMPLETED")
    eventually(lambda: len(world.received.get("sink", [])) == 3)
    assert world.received["sink"][0]["notificationStatus"] == "RESULT"


def test_operation_forgotten(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.12.c")
    _, operation = paused(stack, world, "migrate 10")
    stack.stop()
    stack.start(type(stack.vnfm.behaviour))
    assert stack.client.get(f"/vnflcm/v2/vnf_lcm_op_occs/{operation}").status == 404


def test_second_modification_accepted(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.12.d")
    instance, operation = paused(stack, world, "migrate 10")
    abort(stack, world, operation)
    assert stack.change(instance).status == 202


def test_target_version_shown_from_the_start(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.12.e")
    instance, _ = paused(stack, world, "migrate 10")
    assert {vnfc["vnfdId"] for vnfc in stack.vnfcs(instance)} == {NEW}


def test_vnfd_id_left_at_the_old_value(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.13.a")
    instance = stack.instantiate()
    stack.until(stack.change(instance), "COMPLETED")
    assert stack.instance(instance)["vnfdId"] == OLD


def test_vnfd_id_changed_at_acceptance(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.13.b")
    instance, _ = paused(stack, world, "migrate 10")
    assert stack.instance(instance)["vnfdId"] == NEW


def test_scaling_with_the_old_descriptor(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "VNF.13.e")
    instance = stack.instantiate()
    stack.until(stack.change(instance), "COMPLETED")
    stack.until(stack.task(instance, "scale", type="SCALE_OUT", aspectId="workers"), "COMPLETED")
    assert len(stack.cloud.running("worker-1")) == 1


@pytest.mark.parametrize(("stage", "status"), [("migrate 30", 202), ("complete", 409)])
def test_late_rollback_refused(make_stack: Make, world: World, stage: str, status: int) -> None:
    stack = seeded(make_stack, "GEN.02.a")
    _, operation = paused(stack, world, stage)
    abort(stack, world, operation)
    assert stack.occurrence_task(operation, "rollback").status == status


def test_new_vnfc_left_running(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "GEN.02.b")
    _, operation = paused(stack, world, "migrate 30")
    abort(stack, world, operation)
    stack.occurrence_task(operation, "rollback").expect(202)
    stack.until(operation, "ROLLED_BACK")
    assert len(stack.cloud.running("worker-2")) == 1


def test_rollback_after_completed(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "GEN.02.c")
    instance = stack.instantiate()
    record = stack.until(stack.change(instance), "COMPLETED")
    stack.occurrence_task(record["id"], "rollback").expect(202)
    eventually(lambda: stack.occurrence(record["id"])["operationState"] == "ROLLED_BACK")
    assert not stack.cloud.running("worker-2")


def test_rolled_back_with_fewer_vnfcs(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "GEN.02.d")
    _, operation = paused(stack, world, "complete")
    abort(stack, world, operation)

    def fault(call: str, name: str) -> None:
        if call == "create_server":
            raise VimError("host refuses")

    stack.cloud.fault = fault
    stack.occurrence_task(operation, "rollback").expect(202)
    stack.until(operation, "ROLLED_BACK")
    assert not stack.cloud.running("worker-1")


def test_resource_without_entry(make_stack: Make, world: World) -> None:
    stack = seeded(make_stack, "GEN.02.e")
    instance = stack.instantiate()
    gate = threading.Event()
    stack.cloud.hold = ("create_server", gate)
    operation = stack.change(instance).location.rpartition("/")[2]
    assert stack.cloud.entered.wait(10)
    stack.occurrence_task(operation, "cancel", cancelMode="FORCEFUL").expect(202)
    gate.set()
    stack.until(operation, "FAILED_TEMP")
    stack.occurrence_task(operation, "rollback").expect(202)
    stack.until(operation, "ROLLED_BACK")
    assert len(stack.cloud.running("worker-2")) == 1
    assert len(stack.vnfcs(instance)) == 2
