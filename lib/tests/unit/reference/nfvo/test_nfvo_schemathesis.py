"""Whatever the OpenAPI document lets one ask: no internal error, and every refusal is a problem document."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import Phase, given, settings
from nfvo_bench import OPERATIONS, PACKAGES, SERVICES, Bench

VERSIONS = {"grant": "1.4.0"}
EXAMPLES = 6


def test_generated_requests_are_answered_by_the_rules(ready: Bench, sample: Any) -> None:
    descriptor = ready.get("/nsd/v2/ns_descriptors")[0]
    ready.vnfm.script |= {task: ["STARTING", "PROCESSING"] for task in ("change_vnfpkg", "terminate")}
    service = ready.service(descriptor["nsdId"])
    operation = ready.change(service, sample.new_id)
    package = ready.upload(b"rubbish")
    known = {PACKAGES: package["id"], SERVICES: service, OPERATIONS: operation}
    known |= {"/nsd/v2/ns_descriptors": descriptor["id"], "/vnfpkgm/v2/onboarded_vnf_packages": sample.new_id}
    assert ready.app is not None
    schema = schemathesis.openapi.from_dict(ready.app.openapi())
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 35
    for one in operations:
        probe(one, ready, known.get(one.path.partition("/{")[0], ""))
    assert ready.operation(operation)["operationState"]


def probe(operation: schemathesis.schemas.APIOperation, nfvo: Bench, known: str) -> None:
    @settings(max_examples=EXAMPLES, phases=[Phase.generate], database=None, derandomize=True)
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        if known and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = known
        if isinstance(case.body, dict) and "callbackUri" in case.body:
            case.body["callbackUri"] = nfvo.sink
        version = VERSIONS.get(case.path.split("/")[1], "2.0.0")
        answer = case.call(base_url=nfvo.url, headers={"Version": version})
        assert answer.status_code < 500, (case.method, case.path, case.body, answer.text)
        assert answer.headers["version"] == [version]
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == ["application/problem+json"]
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["detail"]

    check()
