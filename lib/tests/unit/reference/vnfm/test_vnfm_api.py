"""SOL013 rules at the VNFM, and its OpenAPI document under generated requests."""

from __future__ import annotations

import httpx
import schemathesis
from hypothesis import Phase, given, settings
from vnfm_doubles import NEW, OLD, Stack, World

from nfvcert.sol.http import SolClient

INSTANCES = "/vnflcm/v2/vnf_instances"
OPERATIONS = "/vnflcm/v2/vnf_lcm_op_occs"


def test_version_header(stack: Stack) -> None:
    for version, status in (("", 400), ("9.9.9", 406), ("2.0.0", 200)):
        answer = SolClient(stack.config.url, version).get(INSTANCES)
        assert answer.status == status
        assert answer.headers["version"] == "2.0.0"
        assert status == 200 or answer.problem
    versions = SolClient(stack.config.url).get("/vnflcm/api_versions").expect(200)
    assert versions.body["apiVersions"][0]["version"] == "2.0.0"


def test_unknown_resources_and_methods(stack: Stack) -> None:
    for method, path, status in (
        ("GET", f"{INSTANCES}/nobody", 404),
        ("GET", f"{OPERATIONS}/nobody", 404),
        ("POST", f"{OPERATIONS}/nobody/retry", 404),
        ("GET", "/vnflcm/v2/nothing", 404),
        ("PUT", INSTANCES, 405),
        ("DELETE", "/vnflcm/v2/subscriptions/nobody", 404),
    ):
        answer = stack.client.request(method, path)
        assert (path, answer.status) == (path, status)
        assert answer.problem
        assert answer.problem.status == status


def test_media_types(stack: Stack) -> None:
    identifier = stack.create()
    wrong = stack.client.request("PATCH", f"{INSTANCES}/{identifier}", body={"vnfInstanceName": "x"})
    assert wrong.status == 415
    broken = stack.client.request("POST", INSTANCES, content=b"{", headers={"Content-Type": "application/json"})
    assert broken.status == 400
    text = stack.client.request("POST", INSTANCES, content=b"{}", headers={"Content-Type": "text/plain"})
    assert text.status == 415


def test_paging_and_filters(stack: Stack) -> None:
    identifiers = [stack.create() for _ in range(23)]
    assert [found["id"] for found in stack.client.get_all(INSTANCES)] == identifiers
    page = stack.client.get(INSTANCES)
    assert len(page.body) == 20
    assert 'rel="next"' in page.headers["link"]
    chosen = stack.client.get(INSTANCES, params={"filter": f"(in,id,{identifiers[3]},{identifiers[22]})"})
    assert [found["id"] for found in chosen.body] == [identifiers[3], identifiers[22]]
    fewer = stack.client.get(INSTANCES, params={"filter": f"(eq,id,{identifiers[0]})", "fields": "vnfdId"})
    assert set(fewer.body[0]) == {"id", "_links", "vnfdId"}
    assert stack.client.get(INSTANCES, params={"filter": "(about,id,1)"}).status == 400
    assert stack.client.get(INSTANCES, params={"nextpage_opaque_marker": "%%%"}).status == 400


def test_created_resources_have_location_and_etag(stack: Stack) -> None:
    answer = stack.client.post(INSTANCES, {"vnfdId": OLD}).expect(201)
    assert answer.location == f"{stack.config.url}{INSTANCES}/{answer.body['id']}"
    read = stack.client.get(answer.location)
    assert read.etag == answer.etag
    again = stack.client.request("GET", answer.location, headers={"If-None-Match": read.etag})
    assert again.status == 304
    assert stack.client.request("DELETE", answer.location, headers={"If-Match": '"99"'}).status == 412


def test_subscriptions(stack: Stack, world: World) -> None:
    refused = stack.client.post("/vnflcm/v2/subscriptions", {"callbackUri": f"{stack.world_url}/sink/nobody"})
    assert refused.status == 422
    silent = stack.client.post("/vnflcm/v2/subscriptions", {"callbackUri": "http://127.0.0.1:1/x"})
    assert silent.status == 422
    identifier = stack.subscribe("one", filter={"vnfInstanceSubscriptionFilter": {"vnfdIds": [NEW]}})
    path = f"/vnflcm/v2/subscriptions/{identifier}"
    shown = stack.client.get(path).expect(200).body
    assert shown["verbosity"] == "FULL"
    assert [found["id"] for found in stack.client.get("/vnflcm/v2/subscriptions").body] == [identifier]
    stack.create()
    assert stack.client.delete(path).status == 204
    assert stack.client.get(path).status == 404
    assert not world.received


def test_second_operation_of_an_instance_is_refused(stack: Stack, world: World) -> None:
    instance = stack.instantiate()
    world.grant_gate.clear()
    first = stack.change(instance).expect(202)
    second = stack.change(instance)
    assert second.status == 409
    assert second.problem
    assert first.location.rpartition("/")[2] in second.problem.detail
    assert stack.client.patch(f"{INSTANCES}/{instance}", {"vnfInstanceName": "x"}).status == 409
    world.grant_gate.set()
    stack.until(first, "COMPLETED")


def test_generated_requests_are_answered_by_the_rules(stack: Stack) -> None:
    """No request that the OpenAPI document allows is answered 5xx; every refusal is a problem document."""
    schema = schemathesis.openapi.from_dict(httpx.get(f"{stack.config.url}/openapi.json").json())
    known = stack.create()
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 21
    for operation in operations:
        probe(operation, stack, known)


def probe(operation: schemathesis.schemas.APIOperation, stack: Stack, known: str) -> None:
    @settings(max_examples=12, phases=[Phase.generate], database=None, derandomize=True)
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        if "vnfInstanceId" in (case.path_parameters or {}):
            case.path_parameters["vnfInstanceId"] = known
        if isinstance(case.body, dict) and "callbackUri" in case.body:
            case.body["callbackUri"] = f"{stack.world_url}/sink/generated"
        response = case.call(base_url=stack.config.url, headers={"Version": "2.0.0"})
        assert response.status_code < 500, (case.method, case.path, response.text)
        if response.status_code >= 400:
            assert response.headers["content-type"][0].startswith("application/problem+json")
            assert response.json()["detail"]

    check()
