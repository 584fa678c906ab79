"""Services and their operations, followed at a scripted VNFM."""

from __future__ import annotations

from typing import Any

import pytest
from nfvo_bench import OPERATIONS, PACKAGES, SERVICES, Bench

from waiting import eventually


def nsd_id(nfvo: Bench) -> str:
    return str(nfvo.get("/nsd/v2/ns_descriptors")[-1]["nsdId"])


def test_a_service_lives(ready: Bench, sample: Any) -> None:
    links = [{"id": "l", "resourceId": "net", "extCps": []}]
    service = ready.service(nsd_id(ready), extVirtualLinks=links, free="token")
    shown = ready.get(f"{SERVICES}/{service}")
    assert shown["nsState"] == "INSTANTIATED"
    assert ready.vnf(service)["vnfdId"] == sample.old_id
    assert ready.vnf(service)["instantiationState"] == "INSTANTIATED"
    (request,) = ready.vnfm.requests("/instantiate")
    assert request == {"flavourId": "default", "extVirtualLinks": links, "additionalParams": {"free": "token"}}
    assert ready.usage(sample.old_id) == "IN_USE"
    assert ready.http.delete(f"{SERVICES}/{service}").status_code == 409
    record = ready.ended(ready.begun(f"{SERVICES}/{service}/terminate", {}))
    assert record["resourceChanges"]["affectedVnfs"][0]["changeResult"] == "COMPLETED"
    assert ready.get(f"{SERVICES}/{service}")["vnfInstance"] == []
    assert ready.vnfm.instances == {}
    assert ready.usage(sample.old_id) == "NOT_IN_USE"
    assert ready.http.delete(f"{SERVICES}/{service}").status_code == 204
    assert ready.http.get(f"{SERVICES}/{service}").status_code == 404


def test_a_change_of_package_keeps_the_order_of_the_flow(ready: Bench, sample: Any) -> None:
    ready.subscribe()
    service = ready.service(nsd_id(ready))
    ready.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING"]
    operation = ready.change(service, sample.new_id, policy="frugal", token="t1")
    vnf_operation = ready.vnfm.last("PROCESSING")
    assert ready.vnfm.requests("/change_vnfpkg") == [
        {"vnfdId": sample.new_id, "additionalParams": {"policy": "frugal", "token": "t1"}}
    ]
    start = ready.subscriber.told.index(next(t for t in ready.subscriber.told if t.get("nsLcmOpOccId") == operation))
    asked = next(t for m, p, _, t in ready.vnfm.asked if p.endswith("/change_vnfpkg"))
    assert ready.subscriber.times[start] < asked
    assert ready.operation(operation)["operationState"] == "PROCESSING"
    assert ready.vnf(service)["vnfdId"] == sample.old_id
    assert ready.usage(sample.new_id) == "IN_USE"
    assert ready.http.post(f"{SERVICES}/{service}/terminate", json={}).status_code == 409
    ready.vnfm.enter(vnf_operation, "COMPLETED")
    record = ready.ended(operation)
    assert "error" not in record
    (affected,) = record["resourceChanges"]["affectedVnfs"]
    assert (affected["changeType"], affected["changeResult"]) == ("CHANGE_VNFPKG", "COMPLETED")
    assert ready.vnf(service)["vnfdId"] == sample.new_id
    assert (ready.usage(sample.old_id), ready.usage(sample.new_id)) == ("NOT_IN_USE", "IN_USE")
    eventually(lambda: len(ready.subscriber.states(operation)) == 2)
    assert ready.subscriber.states(operation) == [("START", "PROCESSING"), ("RESULT", "COMPLETED")]


@pytest.mark.parametrize("case", ["unknown", "disabled", "unreadable"])
def test_a_request_for_a_package_that_cannot_be_used_never_reaches_the_vnfm(
    ready: Bench, sample: Any, case: str, tmp_path: Any
) -> None:
    service = ready.service(nsd_id(ready))
    (package,) = ready.get(PACKAGES, params={"filter": f"(eq,vnfdId,{sample.new_id})"})
    if case == "disabled":
        assert ready.patch(f"{PACKAGES}/{package['id']}", {"operationalState": "DISABLED"}).status_code == 200
    if case == "unreadable":
        (tmp_path / "nfvo-packages" / f"{package['id']}.csar").unlink()
    vnfd_id = "nobody-knows" if case == "unknown" else sample.new_id
    data = {"vnfInstanceId": ready.vnf(service)["id"], "vnfdId": vnfd_id}
    body = {"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": [data]}
    answer = ready.http.post(f"{SERVICES}/{service}/update", json=body)
    assert answer.status_code in (400, 409)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "package" in answer.json()["detail"]
    assert ready.vnfm.requests("/change_vnfpkg") == []
    assert len(ready.get(OPERATIONS)) == 1


def test_a_failed_vnf_operation_stops_the_service_operation_until_it_is_rolled_back(ready: Bench, sample: Any) -> None:
    ready.subscribe()
    service = ready.service(nsd_id(ready))
    ready.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING", "FAILED_TEMP"]
    operation = ready.change(service, sample.new_id)
    record = ready.ended(operation, "FAILED_TEMP")
    assert ready.vnf(service)["id"] in record["error"]["detail"]
    assert "the script says so" in record["error"]["detail"]
    assert ready.http.post(f"{OPERATIONS}/{operation}/cancel", json={"cancelMode": "GRACEFUL"}).status_code == 409
    ready.post(f"{OPERATIONS}/{operation}/rollback", {}, 202)
    record = ready.ended(operation, "ROLLED_BACK")
    assert record["error"]["detail"]
    assert ready.vnf(service)["vnfdId"] == sample.old_id
    assert (ready.usage(sample.old_id), ready.usage(sample.new_id)) == ("IN_USE", "NOT_IN_USE")
    eventually(lambda: len(ready.subscriber.states(operation)) == 4)
    assert [state for _, state in ready.subscriber.states(operation)] == [
        "PROCESSING",
        "FAILED_TEMP",
        "ROLLING_BACK",
        "ROLLED_BACK",
    ]
    assert ready.http.post(f"{OPERATIONS}/{operation}/rollback", json={}).status_code == 409


def test_the_service_operation_follows_tasks_given_at_the_vnfm(ready: Bench, sample: Any) -> None:
    service = ready.service(nsd_id(ready))
    ready.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING", "FAILED_TEMP"]
    operation = ready.change(service, sample.new_id)
    ready.ended(operation, "FAILED_TEMP")
    vnf_operation = ready.vnfm.last("FAILED_TEMP")
    ready.vnfm.enter(vnf_operation, "PROCESSING")
    ready.ended(operation, "PROCESSING")
    ready.vnfm.enter(vnf_operation, "FAILED_TEMP", "again")
    assert "again" in ready.ended(operation, "FAILED_TEMP")["error"]["detail"]
    ready.vnfm.enter(vnf_operation, "ROLLING_BACK")
    ready.ended(operation, "ROLLING_BACK")
    ready.vnfm.enter(vnf_operation, "ROLLED_BACK")
    ready.ended(operation, "ROLLED_BACK")


def test_retry_fail_and_cancel_drive_the_vnf_operation(ready: Bench, sample: Any) -> None:
    service = ready.service(nsd_id(ready))
    ready.vnfm.script["change_vnfpkg"] = ["STARTING", "PROCESSING"]
    operation = ready.change(service, sample.new_id)
    ready.vnfm.last("PROCESSING")
    eventually(lambda: ready.vnfm.requests("/change_vnfpkg"))
    ready.post(f"{OPERATIONS}/{operation}/cancel", {"cancelMode": "FORCEFUL"}, 202)
    ready.ended(operation, "FAILED_TEMP")
    assert ready.vnfm.requests("/cancel") == [{"cancelMode": "FORCEFUL"}]
    ready.vnfm.script["retry"] = ["PROCESSING", "FAILED_TEMP"]
    ready.post(f"{OPERATIONS}/{operation}/retry", {}, 202)
    eventually(lambda: ready.vnfm.requests("/retry") and ready.vnfm.last("FAILED_TEMP"))
    ready.ended(operation, "FAILED_TEMP")
    answer = ready.post(f"{OPERATIONS}/{operation}/fail", {}, 200)
    assert answer.json()["operationState"] == "FAILED"
    assert ready.operation(operation)["operationState"] == "FAILED"
    assert ready.vnf(service)["vnfdId"] == sample.old_id


def test_a_refused_request_ends_rolled_back(ready: Bench, sample: Any) -> None:
    ready.subscribe()
    service = ready.service(nsd_id(ready))
    ready.vnfm.refuse["change_vnfpkg"] = (409, "another operation is going on")
    operation = ready.change(service, sample.new_id)
    record = ready.ended(operation, "ROLLED_BACK")
    assert "another operation is going on" in record["error"]["detail"]
    eventually(lambda: len(ready.subscriber.states(operation)) == 4)
    ready.vnfm.refuse.clear()
    ready.ended(ready.change(service, sample.new_id))


def test_lost_notifications_are_made_up_by_looking(ready: Bench, sample: Any) -> None:
    service = ready.service(nsd_id(ready))
    ready.vnfm.silent = True
    ready.ended(ready.change(service, sample.new_id))
    assert ready.vnf(service)["vnfdId"] == sample.new_id


def test_changes_started_by_others_reach_the_service_record(ready: Bench, sample: Any) -> None:
    service = ready.service(nsd_id(ready))
    instance = ready.vnf(service)["id"]
    ready.vnfm.begin(instance, "change_vnfpkg", {"vnfdId": sample.new_id})
    eventually(lambda: ready.vnf(service)["vnfdId"] == sample.new_id)
    assert (ready.usage(sample.old_id), ready.usage(sample.new_id)) == ("NOT_IN_USE", "IN_USE")


def test_usage_follows_two_services(ready: Bench, sample: Any) -> None:
    first, second = ready.service(nsd_id(ready)), ready.service(nsd_id(ready))
    ready.ended(ready.change(first, sample.new_id))
    assert (ready.usage(sample.old_id), ready.usage(sample.new_id)) == ("IN_USE", "IN_USE")
    (old,) = ready.get(PACKAGES, params={"filter": f"(eq,vnfdId,{sample.old_id})"})
    ready.patch(f"{PACKAGES}/{old['id']}", {"operationalState": "DISABLED"})
    assert ready.http.delete(f"{PACKAGES}/{old['id']}").status_code == 409
    ready.ended(ready.change(second, sample.new_id))
    assert (ready.usage(sample.old_id), ready.usage(sample.new_id)) == ("NOT_IN_USE", "IN_USE")
    assert ready.http.delete(f"{PACKAGES}/{old['id']}").status_code == 204


def test_a_failed_instantiation_leaves_nothing_after_rollback(ready: Bench) -> None:
    body = {"nsdId": nsd_id(ready), "nsName": "s", "nsDescription": ""}
    service = ready.post(SERVICES, body).json()["id"]
    ready.vnfm.script["instantiate"] = ["STARTING", "ROLLED_BACK"]
    operation = ready.begun(f"{SERVICES}/{service}/instantiate", {"nsFlavourId": "default"})
    ready.ended(operation, "ROLLED_BACK")
    assert ready.vnfm.instances == {}
    assert ready.get(f"{SERVICES}/{service}")["nsState"] == "NOT_INSTANTIATED"
    assert ready.http.delete(f"{SERVICES}/{service}").status_code == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"updateType": "CHANGE_VNFPKG"}, 422),
        ({"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": []}, 422),
        ({"updateType": "ADD_SAP"}, 422),
        ({"updateType": "CHANGE_VNFPKG", "changeVnfPackageData": [{"vnfInstanceId": "x", "vnfdId": "y"}]}, 422),
        ({"updateType": "CHANGE_VNFPKG", "changeVnfPackageDatum": []}, 422),
    ],
)
def test_wrong_updates_change_nothing(ready: Bench, body: Any, status: int) -> None:
    service = ready.service(nsd_id(ready))
    answer = ready.http.post(f"{SERVICES}/{service}/update", json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert len(ready.get(OPERATIONS)) == 1
