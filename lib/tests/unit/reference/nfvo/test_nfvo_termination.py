"""Services can always be terminated: what stands still, at the NFVO or at the VNFM, is given up first."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import yaml
from nfvo_bench import OPERATIONS, SERVICES, Bench

from waiting import eventually

STOPPED = ["STARTING", "PROCESSING", "FAILED_TEMP"]


def nsd_id(nfvo: Bench) -> str:
    return str(nfvo.get("/nsd/v2/ns_descriptors")[-1]["nsdId"])


def terminate(nfvo: Bench, service: str) -> None:
    nfvo.ended(nfvo.begun(f"{SERVICES}/{service}/terminate", {}))
    assert nfvo.vnfm.instances == {}
    assert nfvo.http.delete(f"{SERVICES}/{service}").status_code == 204


def test_after_an_operation_of_the_service_stopped(ready: Bench, sample: Any) -> None:
    service = ready.service(nsd_id(ready))
    ready.vnfm.script["change_vnfpkg"] = STOPPED
    operation = ready.change(service, sample.new_id)
    detail = ready.ended(operation, "FAILED_TEMP")["error"]["detail"]
    assert ready.vnf(service)["id"] in detail
    assert ready.vnfm.last("FAILED_TEMP") in detail
    terminate(ready, service)
    assert ready.operation(operation)["operationState"] == "FAILED"
    assert (ready.usage(sample.old_id), ready.usage(sample.new_id)) == ("NOT_IN_USE", "NOT_IN_USE")


def test_after_an_operation_was_rolled_back(ready: Bench, sample: Any) -> None:
    service = ready.service(nsd_id(ready))
    ready.vnfm.script["change_vnfpkg"] = STOPPED
    operation = ready.change(service, sample.new_id)
    ready.ended(operation, "FAILED_TEMP")
    ready.post(f"{OPERATIONS}/{operation}/rollback", {}, 202)
    ready.ended(operation, "ROLLED_BACK")
    terminate(ready, service)


def test_after_an_operation_of_somebody_else_stopped(ready: Bench, sample: Any) -> None:
    service = ready.service(nsd_id(ready))
    ready.vnfm.script["change_vnfpkg"] = STOPPED
    ready.vnfm.begin(ready.vnf(service)["id"], "change_vnfpkg", {"vnfdId": sample.new_id})
    ready.vnfm.last("FAILED_TEMP")
    terminate(ready, service)
    assert len(ready.vnfm.requests("/fail")) == 1


def test_after_an_instantiation_stopped(ready: Bench) -> None:
    ready.vnfm.script["instantiate"] = STOPPED
    body = {"nsdId": nsd_id(ready), "nsName": "s", "nsDescription": ""}
    service = ready.post(SERVICES, body).json()["id"]
    operation = ready.begun(f"{SERVICES}/{service}/instantiate", {"nsFlavourId": "default"})
    ready.ended(operation, "FAILED_TEMP")
    terminate(ready, service)
    assert ready.operation(operation)["operationState"] == "FAILED"


def two_vnfs(nsd: bytes) -> bytes:
    """The descriptor of a service with a second VNF of the same kind."""
    document = yaml.safe_load(nsd)
    nodes = document["topology_template"]["node_templates"]
    nodes["ns"]["properties"]["descriptor_id"] = str(uuid.uuid4())
    nodes["vnf2"] = nodes["vnf"]
    return yaml.safe_dump(document).encode()


@pytest.mark.parametrize("outcome", ["COMPLETED", "FAILED_TEMP"])
def test_one_request_changes_two_vnfs(ready: Bench, sample: Any, outcome: str) -> None:
    ready.upload_nsd(two_vnfs(sample.nsd))
    service = ready.service(nsd_id(ready))
    vnfs = [vnf["id"] for vnf in ready.get(f"{SERVICES}/{service}")["vnfInstance"]]
    ready.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING"]
    data = [{"vnfInstanceId": vnf, "vnfdId": sample.new_id} for vnf in vnfs]
    body = {"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": data}
    operation = ready.begun(f"{SERVICES}/{service}/update", body)
    for number, state in enumerate(("COMPLETED", outcome)):
        eventually(lambda number=number: len(ready.vnfm.requests("/change_vnfpkg")) == number + 1)  # type: ignore[misc]
        running = ready.vnfm.last("PROCESSING")
        assert ready.operation(operation)["operationState"] == "PROCESSING"
        ready.vnfm.enter(running, state, "scripted" if state == "FAILED_TEMP" else "")
    record = ready.ended(operation, outcome)
    if outcome == "FAILED_TEMP":
        assert vnfs[1] in record["error"]["detail"]
        assert vnfs[0] not in record["error"]["detail"]
        assert ready.http.post(f"{OPERATIONS}/{operation}/rollback", json={}).status_code == 409
    else:
        shown = ready.get(f"{SERVICES}/{service}")["vnfInstance"]
        assert {vnf["vnfdId"] for vnf in shown} == {sample.new_id}
    terminate(ready, service)
