"""NS descriptors: content, states, errors; subscriptions to services."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from nfvo_bench import SERVICES, Bench

from waiting import eventually

DESCRIPTORS = "/nsd/v2/ns_descriptors"
TEXT = {"Content-Type": "text/plain"}


def archive(nsd: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as found:
        found.writestr("nsd.yaml", nsd)
    return buffer.getvalue()


@pytest.mark.parametrize("packed", [False, True])
def test_a_descriptor_lives(nfvo: Bench, sample: Any, packed: bool) -> None:
    shown = nfvo.upload_nsd(archive(sample.nsd) if packed else sample.nsd)
    path = shown["_links"]["self"]["href"]
    assert (shown["nsdOnboardingState"], shown["nsdOperationalState"]) == ("ONBOARDED", "ENABLED")
    assert nfvo.http.get(f"{path}/nsd_content").content == sample.nsd
    assert nfvo.get(DESCRIPTORS, params={"filter": f"(eq,nsdId,{shown['nsdId']})"}) == [shown]
    service = nfvo.post(SERVICES, {"nsdId": shown["nsdId"], "nsName": "s", "nsDescription": ""}).headers["location"]
    assert nfvo.get(path)["nsdUsageState"] == "IN_USE"
    assert nfvo.http.delete(path).status_code == 409
    assert nfvo.patch(path, {"nsdOperationalState": "DISABLED"}).json() == {"nsdOperationalState": "DISABLED"}
    assert nfvo.patch(path, {"nsdOperationalState": "DISABLED"}).status_code == 409
    assert nfvo.http.delete(path).status_code == 409
    another = {"nsdId": shown["nsdId"], "nsName": "s", "nsDescription": ""}
    assert nfvo.http.post(SERVICES, json=another).status_code == 409
    assert nfvo.http.delete(service).status_code == 204
    assert nfvo.http.delete(path).status_code == 204
    assert nfvo.http.post(SERVICES, json=another).status_code == 400


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"a: [", "YAML"),
        (b"a: 1", "tosca.nodes.nfv.NS"),
        (b"topology_template: {node_templates: {ns: {type: tosca.nodes.nfv.NS}}}", "no node of type"),
        (
            b"topology_template: {node_templates: {ns: {type: tosca.nodes.nfv.NS}, vnf: {type: tosca.nodes.nfv.VNF}}}",
            "descriptor_id",
        ),
        (b"PK\x03\x04rubbish", "archive"),
    ],
)
def test_descriptors_that_cannot_be_used_say_why(nfvo: Bench, content: bytes, reason: str) -> None:
    shown = nfvo.upload_nsd(content)
    assert shown["nsdOnboardingState"] == "ERROR"
    assert reason in shown["onboardingFailureDetails"]["detail"]
    path = shown["_links"]["self"]["href"]
    assert nfvo.http.put(f"{path}/nsd_content", content=b"", headers=TEXT).status_code == 409
    assert nfvo.http.get(f"{path}/nsd_content").status_code == 409
    assert nfvo.patch(path, {"nsdOperationalState": "ENABLED"}).status_code == 409
    assert nfvo.http.delete(path).status_code == 204


def test_descriptors_are_bounded(nfvo: Bench) -> None:
    path = nfvo.post(DESCRIPTORS).headers["location"]
    assert nfvo.http.put(f"{path}/nsd_content", content=b"x" * (3 << 20), headers=TEXT).status_code == 413
    wrong = nfvo.http.put(f"{path}/nsd_content", content=b"x", headers={"Content-Type": "image/png"})
    assert wrong.status_code == 415
    assert nfvo.get(path)["nsdOnboardingState"] == "CREATED"


@pytest.mark.parametrize(
    ("request_body", "status"),
    [
        ({"nsFlavourId": "golden"}, 422),
        ({"nsFlavourId": "default", "additionalParamsForVnf": [{"vnfProfileId": "none"}]}, 422),
        ({}, 422),
    ],
)
def test_wrong_instantiations_create_nothing(ready: Bench, request_body: Any, status: int) -> None:
    nsd_id = ready.get(DESCRIPTORS)[0]["nsdId"]
    path = ready.post(SERVICES, {"nsdId": nsd_id, "nsName": "s", "nsDescription": ""}).headers["location"]
    assert ready.http.post(f"{path}/instantiate", json=request_body).status_code == status
    assert ready.http.post(f"{path}/terminate", json={}).status_code == 409
    assert ready.vnfm.requests("/vnf_instances") == []


def test_a_service_whose_package_is_not_there_is_not_begun(nfvo: Bench, sample: Any) -> None:
    nsd_id = nfvo.upload_nsd(sample.nsd)["nsdId"]
    path = nfvo.post(SERVICES, {"nsdId": nsd_id, "nsName": "s", "nsDescription": ""}).headers["location"]
    answer = nfvo.http.post(f"{path}/instantiate", json={"nsFlavourId": "default"})
    assert answer.status_code == 400
    assert sample.old_id in answer.json()["detail"]


def test_subscribers_get_what_they_asked_for(ready: Bench, sample: Any) -> None:
    nsd_id = ready.get(DESCRIPTORS)[0]["nsdId"]
    filters: dict[str, Any] = {
        "identifiers": {"notificationTypes": ["NsIdentifierCreationNotification", "NsIdentifierDeletionNotification"]},
        "ends": {"operationTypes": ["TERMINATE"], "operationStates": ["COMPLETED"],
                 "notificationTypes": ["NsLcmOperationOccurrenceNotification"]},
        "others": {"nsInstanceSubscriptionFilter": {"nsdIds": ["another"]}},
        "named": {"nsInstanceSubscriptionFilter": {"nsInstanceNames": ["s"], "vnfdIds": [sample.old_id]}},
    }  # fmt: skip
    ids = {}
    for name, given in filters.items():
        body = {"callbackUri": ready.sink, "filter": given, "verbosity": "SHORT"}
        ids[ready.post("/nslcm/v2/subscriptions", body).json()["id"]] = name
    service = ready.service(nsd_id)
    ready.ended(ready.begun(f"{SERVICES}/{service}/terminate", {}))
    assert ready.http.delete(f"{SERVICES}/{service}").status_code == 204
    last = "NsIdentifierDeletionNotification"
    eventually(lambda: any(one["notificationType"] == last for one in ready.subscriber.told))
    told: dict[str, list[Any]] = {}
    for one in ready.subscriber.told:
        assert "affectedVnf" not in one
        told.setdefault(ids[one["subscriptionId"]], []).append(one.get("operationState") or one["notificationType"])
    assert told["identifiers"] == ["NsIdentifierCreationNotification", last]
    assert told["ends"] == ["COMPLETED"]
    assert "others" not in told
    assert told["named"] == ["COMPLETED", "PROCESSING"]


def test_callbacks_that_do_not_answer_are_refused(nfvo: Bench) -> None:
    body = {"callbackUri": "http://127.0.0.1:9/none"}
    assert nfvo.http.post("/nslcm/v2/subscriptions", json=body).status_code == 422
    assert nfvo.get("/nslcm/v2/subscriptions") == []


def test_the_callback_for_the_vnfm_takes_only_its_notifications(nfvo: Bench) -> None:
    assert nfvo.http.get("/callbacks/vnflcm").status_code == 204
    for wrong in ({}, [], {"notificationType": "x"}):
        assert nfvo.http.post("/callbacks/vnflcm", json=wrong).status_code == 422
