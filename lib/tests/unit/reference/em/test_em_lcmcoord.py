"""The coordination interface as SOL002 and SOL013 have it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from em_bench import COORDINATIONS, VERSION, Bench, bench, scenario
from vnfc_doubles import Vnf


def test_a_short_action_is_answered_with_its_result(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        answer = await bench.post("complete", destinationVnfdId="v1")
        body = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == body["_links"]["self"]["href"]
        assert answer.headers["version"] == "1.0.0"
        assert body["vnfLcmOpOccId"] == "op-1" and body["lcmOperationType"] == "CHANGE_VNFPKG"
        again = await bench.http.get(answer.headers["location"], headers=VERSION)
        assert again.status_code == 200 and again.json() == body

    scenario(tmp_path, test)


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"lcmOperationType": "UPGRADE"}, 422, "lcmOperationType"),
        ({"vnfInstanceId": None}, 422, "vnfInstanceId"),
        ({"_links": {}}, 422, "vnfLcmOpOcc"),
        ({"surplus": 1}, 422, "surplus"),
        ({"inputParams": None}, 403, "not supported"),
        ({"inputParams": {"stage": "explode"}}, 422, "stage"),
        ({"inputParams": {"stage": "migrate", "share": 10}}, 422, "newVnfcs"),
        ({"inputParams": {"stage": "migrate", "share": 101}}, 422, "share"),
        ({"inputParams": {"stage": "retire", "vnfcIds": ["a"], "policy": {"drain": {"remaining": "x"}}}}, 422, "drain"),
    ],
)
def test_a_bad_request_gets_problem_details_and_changes_nothing(
    tmp_path: Path, change: dict[str, Any], status: int, text: str
) -> None:
    async def test(bench: Bench) -> None:
        bench.vnf.lb.history.clear()
        answer = await bench.http.post(COORDINATIONS, json=bench.body("complete") | change, headers=VERSION)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert text in answer.json()["detail"] and answer.json()["status"] == status
        assert bench.vnf.lb.history == []

    scenario(tmp_path, test)


def test_version_header_and_unknown_resources(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        body = bench.body("complete")
        assert (await bench.http.post(COORDINATIONS, json=body)).status_code == 400
        assert (await bench.http.post(COORDINATIONS, json=body, headers={"Version": "9.0.0"})).status_code == 406
        assert (await bench.http.get(f"{COORDINATIONS}/x", headers=VERSION)).status_code == 404
        assert (await bench.http.post(f"{COORDINATIONS}/x/cancel", headers=VERSION)).status_code == 404
        assert (await bench.http.post("/em/v1/migrations/x/decision", json={"decision": "ABORT"})).status_code == 404
        assert (await bench.http.post("/em/v1/migrations/x/decision", json={"decision": "?"})).status_code == 422
        assert (await bench.http.get("/em/v1/shares")).status_code == 400
        assert (await bench.http.get("/em/v1/shares", params={"vnfInstanceId": "unknown"})).json()["shares"] == {}

    scenario(tmp_path, test)


def test_what_was_open_at_a_restart_is_aborted(tmp_path: Path) -> None:
    async def play() -> None:
        vnf = await Vnf.create({"o1": "v1"})
        await vnf.add("n1", "v2")
        try:
            async with bench(tmp_path, vnf) as first:
                await first.run("activate", newVnfcs=["lb", "o1"])
                policy = {"observe_s": 60}
                posted = await first.post("migrate", share=10, newVnfcs=["n1"], policy=policy)
                await first.migration("observing")
                shares = await first.shares()
            async with bench(tmp_path, vnf) as second:
                result = await second.result(posted)
                assert result["coordinationResult"] == "ABORT" and "again" in result["error"]["detail"]
                assert (await second.migration("aborted"))["share"] == 10
                assert await second.shares() == shares == {"v1": 90, "v2": 10}
        finally:
            await vnf.close()

    asyncio.run(play())
