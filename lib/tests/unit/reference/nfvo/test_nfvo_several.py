"""Services of two VNFs, and a VNFM whose answers get lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from nfvo_bench import OPERATIONS, SERVICES, Bench, bench
from nfvo_sample import onboard

from waiting import eventually


def two_of(nsd: bytes) -> bytes:
    """The descriptor with a second VNF."""
    document = yaml.safe_load(nsd)
    nodes = document["topology_template"]["node_templates"]
    nodes["second"] = {"type": nodes["vnf"]["type"], "properties": nodes["vnf"]["properties"]}
    nodes["ns"]["properties"]["descriptor_id"] = "two"
    return yaml.safe_dump(document).encode()


@pytest.fixture
def pair(tmp_path: Path, sample: Any) -> Any:
    """An NFVO and a service of two VNFs."""
    with bench(tmp_path) as nfvo:
        onboard(nfvo, sample)
        assert nfvo.upload_nsd(two_of(sample.nsd))["nsdOnboardingState"] == "ONBOARDED"
        yield nfvo, nfvo.service("two")


def change(nfvo: Bench, service: str, vnfd_id: str) -> tuple[str, list[str]]:
    vnfs = [vnf["id"] for vnf in nfvo.get(f"{SERVICES}/{service}")["vnfInstance"]]
    data = [{"vnfInstanceId": vnf, "vnfdId": vnfd_id} for vnf in vnfs]
    body = {"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": data}
    return nfvo.begun(f"{SERVICES}/{service}/update", body), vnfs


def test_one_request_changes_both_one_after_the_other(pair: Any, sample: Any) -> None:
    nfvo, service = pair
    operation, vnfs = change(nfvo, service, sample.new_id)
    record = nfvo.ended(operation)
    assert [one["vnfInstanceId"] for one in record["resourceChanges"]["affectedVnfs"]] == vnfs
    shown = nfvo.get(f"{SERVICES}/{service}")["vnfInstance"]
    assert {vnf["vnfdId"] for vnf in shown} == {sample.new_id}


def test_the_second_is_not_begun_after_the_first_stopped(pair: Any, sample: Any) -> None:
    nfvo, service = pair
    nfvo.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING", "FAILED_TEMP"]
    operation, vnfs = change(nfvo, service, sample.new_id)
    assert vnfs[0] in nfvo.ended(operation, "FAILED_TEMP")["error"]["detail"]
    assert len(nfvo.vnfm.requests("/change_vnfpkg")) == 1
    nfvo.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING", "COMPLETED"]
    nfvo.post(f"{OPERATIONS}/{operation}/continue", {}, 202)
    record = nfvo.ended(operation, "PARTIALLY_COMPLETED")
    assert vnfs[0] in record["error"]["detail"]
    assert [one["changeResult"] for one in record["resourceChanges"]["affectedVnfs"]] == ["FAILED", "COMPLETED"]
    shown = {vnf["id"]: vnf["vnfdId"] for vnf in nfvo.get(f"{SERVICES}/{service}")["vnfInstance"]}
    assert shown == {vnfs[0]: sample.old_id, vnfs[1]: sample.new_id}


def test_what_is_committed_cannot_be_rolled_back(pair: Any, sample: Any) -> None:
    nfvo, service = pair
    nfvo.vnfm.script["change_vnfpkg"] = ["STARTING"]
    operation, vnfs = change(nfvo, service, sample.new_id)
    first = nfvo.vnfm.last("STARTING")
    nfvo.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING", "FAILED_TEMP"]
    nfvo.vnfm.enter(first, "COMPLETED")
    assert vnfs[1] in nfvo.ended(operation, "FAILED_TEMP")["error"]["detail"]
    refused = nfvo.http.post(f"{OPERATIONS}/{operation}/rollback")
    assert refused.status_code == 409
    assert vnfs[0] in refused.json()["detail"]
    answer = nfvo.post(f"{OPERATIONS}/{operation}/fail", {}, 200)
    assert answer.json()["operationState"] == "FAILED"


def test_a_cancelled_operation_begins_nothing_more(pair: Any, sample: Any) -> None:
    nfvo, service = pair
    nfvo.vnfm.script |= {"change_vnfpkg": ["STARTING", "PROCESSING"], "cancel": []}
    operation, _ = change(nfvo, service, sample.new_id)
    first = nfvo.vnfm.last("PROCESSING")
    eventually(
        lambda: nfvo.http.post(f"{OPERATIONS}/{operation}/cancel", json={"cancelMode": "GRACEFUL"}).status_code == 202
    )
    record = nfvo.operation(operation)
    assert (record["isCancelPending"], record["cancelMode"]) == (True, "GRACEFUL")
    nfvo.vnfm.enter(first, "COMPLETED")
    record = nfvo.ended(operation, "FAILED_TEMP")
    assert "cancelled" in record["error"]["detail"]
    assert record["isCancelPending"] is False
    assert len(nfvo.vnfm.requests("/change_vnfpkg")) == 1
    nfvo.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING", "COMPLETED"]
    nfvo.post(f"{OPERATIONS}/{operation}/retry", {}, 202)
    nfvo.ended(operation)
    assert len(nfvo.vnfm.requests("/change_vnfpkg")) == 2


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("task", ["retry", "rollback"])
def test_a_lost_answer_is_made_up_for_by_a_look(ready: Bench, sample: Any, taken: bool, task: str) -> None:
    """The VNFM answers nothing at all; it has begun the operation, or it has not."""
    service = ready.service(ready.get("/nsd/v2/ns_descriptors")[-1]["nsdId"])
    ready.vnfm.lose = {"change_vnfpkg": taken}
    ready.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING"]
    operation = ready.change(service, sample.new_id)
    record = ready.ended(operation, "FAILED_TEMP")
    assert "does not answer" in record["error"]["detail"]
    ready.vnfm.lose = {}
    if taken:
        ready.vnfm.enter(ready.vnfm.last("PROCESSING"), "FAILED_TEMP", "stopped")
    else:
        ready.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING", "COMPLETED"]
    ready.post(f"{OPERATIONS}/{operation}/{task}", {}, 202)
    ready.ended(operation, "COMPLETED" if task == "retry" else "ROLLED_BACK")
    assert len(ready.vnfm.requests(f"/{task}")) == taken
