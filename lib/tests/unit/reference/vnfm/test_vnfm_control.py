"""Cancel, retry, rollback, fail and restart of a change of package, in each phase."""

from __future__ import annotations

import random
import threading
import time

import pytest
from vnfm_doubles import NEW, OLD, Stack, World, pause_at, paused

from nfvcert.reference.vnfm.cloud import VimError
from waiting import eventually

STAGES = ["migrate 10", "migrate 30", "migrate 100", "retire", "complete"]


def comparable(instance: dict) -> dict:
    """An instance record without the resources of VNFCs that may be made anew."""
    info = instance["instantiatedVnfInfo"]
    vnfcs = [(v["id"], v["vduId"], v["vnfdId"]) for v in info["vnfcResourceInfo"]]
    kept = {name: value for name, value in instance.items() if name != "instantiatedVnfInfo"}
    return kept | {"vnfcs": vnfcs, "scale": info["scaleStatus"], "flavour": info["flavourId"]}


@pytest.mark.parametrize("policy", ["staged", "frugal"])
@pytest.mark.parametrize("stop", ["GRACEFUL", "FORCEFUL", "ABORT"])
@pytest.mark.parametrize("stage", ["migrate 100", "retire", "complete"])
def test_rollback_from_each_phase_restores_the_start_state(
    stack: Stack, world: World, stage: str, stop: str, policy: str
) -> None:
    instance = stack.instantiate()
    start = comparable(stack.instance(instance))
    world.coordinations.clear()
    pause_at(world, stage)
    operation = stack.change(instance, policy).location.rpartition("/")[2]
    eventually(lambda: bool(world.results))
    assert stack.instance(instance)["vnfdId"] == OLD
    if stop == "ABORT":
        world.decide(coordinationResult="ABORT", error={"status": 500, "detail": "bad KPI"})
    else:
        stack.occurrence_task(operation, "cancel", cancelMode=stop).expect(202)
        if stop == "GRACEFUL":
            record = stack.occurrence(operation)
            assert record["isCancelPending"]
            assert record["cancelMode"] == "GRACEFUL"
            assert record["operationState"] == "PROCESSING"
            world.decide()
    record = stack.until(operation, "FAILED_TEMP")
    assert record["error"]["detail"]
    assert not record["isCancelPending"]
    assert stack.change(instance).status == 409
    world.script = lambda request: {}
    stack.occurrence_task(operation, "rollback").expect(202)
    record = stack.until(operation, "ROLLED_BACK")
    assert record["error"]["detail"]
    assert comparable(stack.instance(instance)) == start
    assert len(stack.cloud.running("worker-1")) == 2
    assert not stack.cloud.running("worker-2")
    assert not [name for name in stack.cloud.images.values() if name.startswith("worker-2")]
    assert len(stack.cloud.ports) == 9
    assert world.stages()[-2:] == ["revert 0", "reverted"]
    stack.until(stack.change(instance), "COMPLETED")


def test_abort_tells_the_reason_of_the_element_manager(stack: Stack, world: World) -> None:
    _, operation = paused(stack, world, "migrate 10")
    world.decide(coordinationResult="ABORT", error={"status": 500, "detail": "worker is silent"})
    record = stack.until(operation, "FAILED_TEMP")
    assert "worker is silent" in record["error"]["detail"]
    assert record["lcmCoordinations"][-1]["coordinationResult"] == "ABORT"


def test_retry_continues_at_the_stage_that_failed(stack: Stack, world: World) -> None:
    instance, operation = paused(stack, world, "migrate 30")
    world.decide(coordinationResult="ABORT")
    stack.until(operation, "FAILED_TEMP")
    world.script = lambda request: {}
    stack.occurrence_task(operation, "retry").expect(202)
    record = stack.until(operation, "COMPLETED")
    assert "error" not in record
    assert world.stages() == ["migrate 10", "migrate 30", *STAGES[1:]]
    assert stack.instance(instance)["vnfdId"] == NEW


def test_fail_keeps_records_of_what_runs(stack: Stack, world: World) -> None:
    instance, operation = paused(stack, world, "migrate 10")
    world.decide(coordinationResult="ABORT")
    stack.until(operation, "FAILED_TEMP")
    answer = stack.occurrence_task(operation, "fail").expect(200)
    assert answer.body["operationState"] == "FAILED"
    assert stack.instance(instance)["vnfdId"] == OLD
    assert [v["vnfdId"] for v in stack.vnfcs(instance)] == [OLD, OLD, NEW]
    for task in ("retry", "rollback", "fail"):
        assert stack.occurrence_task(operation, task).status == 409


def test_tasks_are_refused_in_final_states(stack: Stack) -> None:
    instance = stack.instantiate()
    record = stack.until(stack.change(instance), "COMPLETED")
    before = stack.instance(instance)
    for task in ("retry", "rollback", "fail"):
        answer = stack.occurrence_task(record["id"], task)
        assert answer.status == 409
        assert answer.problem
    assert stack.occurrence_task(record["id"], "cancel", cancelMode="FORCEFUL").status == 409
    assert stack.instance(instance) == before


def test_cancel_before_the_grant_rolls_back(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    world.grant_gate.clear()
    answer = stack.change(instance)
    operation = answer.location.rpartition("/")[2]
    eventually(lambda: len(world.grants) == 2)
    calls = list(stack.cloud.log)
    stack.occurrence_task(operation, "cancel", cancelMode="GRACEFUL").expect(202)
    stack.until(operation, "ROLLED_BACK")
    assert stack.cloud.log == calls


def test_forceful_cancel_tells_the_element_manager(stack: Stack, world: World) -> None:
    _, operation = paused(stack, world, "migrate 10")
    stack.occurrence_task(operation, "cancel", cancelMode="FORCEFUL").expect(202)
    record = stack.until(operation, "FAILED_TEMP")
    assert world.cancelled == [next(iter(world.results))]
    assert record["lcmCoordinations"][-1]["coordinationResult"] == "CANCELLED"


def test_forceful_cancel_before_the_element_manager_has_answered_tells_it_too(stack: Stack, world: World) -> None:
    world.coordination_gate.clear()
    _, operation = paused(stack, world, "migrate 10")
    stack.occurrence_task(operation, "cancel", cancelMode="FORCEFUL").expect(202)
    assert world.cancelled == []
    world.coordination_gate.set()
    record = stack.until(operation, "FAILED_TEMP")
    assert world.cancelled == [next(iter(world.results))]
    assert record["lcmCoordinations"][-1]["coordinationResult"] == "CANCELLED"


def test_cancel_while_a_server_is_created_leaves_nothing(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    gate = threading.Event()
    stack.cloud.hold = ("create_server", gate)
    operation = stack.change(instance).location.rpartition("/")[2]
    assert stack.cloud.entered.wait(10)
    stack.occurrence_task(operation, "cancel", cancelMode="FORCEFUL").expect(202)
    gate.set()
    stack.until(operation, "FAILED_TEMP")
    assert len(stack.cloud.servers) == 3
    assert len(stack.cloud.ports) == 9
    assert len(stack.vnfcs(instance)) == 2
    stack.cloud.hold = None
    stack.occurrence_task(operation, "retry").expect(202)
    stack.until(operation, "COMPLETED")
    assert len(stack.cloud.servers) == 3


def test_fault_of_the_vim_is_the_error_and_can_be_retried(stack: Stack, world: World) -> None:
    instance = stack.instantiate()

    def fault(call: str, name: str) -> None:
        if call == "create_server":
            raise VimError("no valid host was found")

    stack.cloud.fault = fault
    record = stack.until(stack.change(instance), "FAILED_TEMP")
    assert "no valid host" in record["error"]["detail"]
    assert len(stack.cloud.servers) == 3
    stack.cloud.fault = lambda call, name: None
    stack.occurrence_task(record["id"], "retry").expect(202)
    stack.until(record["id"], "COMPLETED")


def test_rollback_that_fails_can_be_called_again(stack: Stack, world: World) -> None:
    _, operation = paused(stack, world, "complete")
    world.decide(coordinationResult="ABORT")
    stack.until(operation, "FAILED_TEMP")
    world.script = lambda request: {}

    def fault(call: str, name: str) -> None:
        if call == "create_server":
            raise VimError("host refuses")

    stack.cloud.fault = fault
    stack.occurrence_task(operation, "rollback").expect(202)
    eventually(lambda: "host refuses" in stack.occurrence(operation).get("error", {}).get("detail", ""))
    assert stack.occurrence(operation)["operationState"] == "FAILED_TEMP"
    assert len(stack.cloud.running("worker-2")) == 2
    stack.cloud.fault = lambda call, name: None
    stack.occurrence_task(operation, "rollback").expect(202)
    stack.until(operation, "ROLLED_BACK")
    assert len(stack.cloud.running("worker-1")) == 2
    assert not stack.cloud.running("worker-2")


@pytest.mark.parametrize("task", ["retry", "rollback"])
def test_restart_while_processing(stack: Stack, world: World, task: str) -> None:
    _, operation = paused(stack, world, "migrate 10")
    stack.stop()
    world.script = lambda request: {}
    stack.start()
    record = stack.occurrence(operation)
    assert record["operationState"] == "FAILED_TEMP"
    assert "restarted" in record["error"]["detail"]
    eventually(lambda: stack.occurrence_task(operation, task).status == 202)
    stack.until(operation, "COMPLETED" if task == "retry" else "ROLLED_BACK")
    assert len(stack.cloud.running("worker-2" if task == "retry" else "worker-1")) == 2
    assert len(stack.cloud.servers) == 3


def test_restart_while_starting_and_while_rolling_back(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    world.grant_gate.clear()
    operation = stack.change(instance).location.rpartition("/")[2]
    eventually(lambda: len(world.grants) == 2)
    stack.stop()
    world.grant_gate.set()
    stack.start()
    assert stack.occurrence(operation)["operationState"] == "ROLLED_BACK"

    pause_at(world, "migrate 10")
    operation = stack.change(instance).location.rpartition("/")[2]
    eventually(lambda: bool(world.results))
    world.decide(coordinationResult="ABORT")
    stack.until(operation, "FAILED_TEMP")
    pause_at(world, "revert 0")
    stack.occurrence_task(operation, "rollback").expect(202)
    eventually(lambda: len(world.results) == 2)
    stack.stop()
    world.script = lambda request: {}
    stack.start()
    assert stack.occurrence(operation)["operationState"] == "FAILED_TEMP"
    eventually(lambda: stack.occurrence_task(operation, "rollback").status == 202)
    stack.until(operation, "ROLLED_BACK")


def test_server_that_a_crash_left_without_entry_is_removed(stack: Stack, world: World) -> None:
    instance, operation = paused(stack, world, "migrate 30")
    work = stack.vnfm.occurrences.work(operation)
    pending = next(step for step in work["steps"] if step["do"] == "create" and not step.get("done"))
    name = f"worker-{instance[:8]}-{pending['vnfc']}"
    stack.stop()
    stack.cloud.servers["server-orphan"] = {"name": name, "status": "ACTIVE", "image": "worker-2"}
    world.script = lambda request: {}
    stack.start()
    eventually(lambda: "server-orphan" not in stack.cloud.servers)


def test_busy_element_manager_is_asked_again(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    world.busy = 2
    record = stack.until(stack.change(instance), "COMPLETED")
    assert len(record["rejectedLcmCoordinations"]) == 2


def test_reads_are_answered_while_everything_is_pending(stack: Stack, world: World) -> None:
    instance, operation = paused(stack, world, "migrate 10")
    record = stack.occurrence(operation)
    assert record["operationState"] == "PROCESSING"
    found = stack.client.get(
        "/vnflcm/v2/vnf_lcm_op_occs",
        params={"filter": f"(eq,vnfInstanceId,{instance});(eq,operation,CHANGE_VNFPKG)"},
    )
    assert [item["id"] for item in found.body] == [operation]
    assert [v["vnfdId"] for v in stack.vnfcs(instance)] == [OLD, OLD, NEW]
    assert stack.task(instance, "scale", type="SCALE_OUT", aspectId="workers").status == 409
    world.decide()
    world.script = lambda request: {}
    stack.until(operation, "COMPLETED")


@pytest.mark.parametrize("seed", range(3))
def test_cancel_at_any_moment_ends_in_the_start_state_or_in_the_new_one(stack: Stack, world: World, seed: int) -> None:
    """Whatever the moment: rolled back with the records of before, or committed; never a VNFC without an entry."""
    moments = random.Random(seed)
    instance = stack.instantiate()
    stack.cloud.fault = lambda call, name: time.sleep(0.02)
    start = comparable(stack.instance(instance))
    for _ in range(5):
        operation = stack.change(instance, moments.choice(["staged", "frugal"])).location.rpartition("/")[2]
        time.sleep(moments.uniform(0, 0.5))
        cancelled = stack.occurrence_task(operation, "cancel", cancelMode="FORCEFUL")
        assert cancelled.status in (202, 409)
        eventually(lambda id=operation: stack.occurrence(id)["operationState"] not in ("STARTING", "PROCESSING"))
        if stack.occurrence(operation)["operationState"] == "FAILED_TEMP":
            stack.occurrence_task(operation, "rollback").expect(202)
            stack.until(operation, "ROLLED_BACK")
        recorded = {
            vnfc["computeResource"]["resourceId"] for vdu in ("lb", "worker") for vnfc in stack.vnfcs(instance, vdu)
        }
        assert recorded == set(stack.cloud.servers)
        assert len(stack.cloud.ports) == 9
        if stack.occurrence(operation)["operationState"] == "COMPLETED":
            assert stack.instance(instance)["vnfdId"] == NEW
            return
        assert comparable(stack.instance(instance)) == start
