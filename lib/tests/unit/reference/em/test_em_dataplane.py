"""The EM with the real traffic decider and workers: whole upgrade and rollback, no packet and no session lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from em_bench import Bench
from gateway_bench import Gateway, Users, gateway

from nfvcert.errors import TestbedError
from nfvcert.nfvi import requirements, rundir, sweep
from nfvcert.nfvi.names import RunId
from nfvcert.reference.em.app import build_app
from nfvcert.reference.em.behaviour import EmBehaviour
from nfvcert.reference.em.fleet import Fleets
from nfvcert.reference.em.settings import EmConfig
from nfvcert.traffic.native import binary

pytestmark = [pytest.mark.privileged, pytest.mark.native]

POLICY = {
    "name": "staged",
    "observe_s": 0.3,
    "decision": "automatic",
    "drain": {"idle_s": 0.5, "timeout_s": 0.5, "remaining": "move_with_state"},
}


@pytest.fixture
def rid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunId]:
    missing = [finding.what for finding in requirements.check() if finding.severity == "missing"]
    if missing:
        pytest.skip("; ".join(missing))
    try:
        binary("edge-gateway-lb-1.0.0")
    except TestbedError as error:
        pytest.skip(error.message)
    monkeypatch.setenv(rundir.ROOT_VARIABLE, str(tmp_path / "runs"))
    made = RunId.new()
    yield made
    sweep.destroy(made)


def play(
    rid: RunId, path: Path, test: Callable[[Bench, Gateway, Users], Coroutine[Any, Any, None]], users: int = 20
) -> None:
    async def run(vnf: Gateway, netns: str, traffic: Users) -> None:
        settings = EmConfig.model_validate(
            {
                "name": "em",
                "port": 1,
                "state_dir": path,
                "public_url": "http://em",
                "peers": {"vnfm": "http://vnfm"},
                "southbound_netns": netns,
            }
        )
        app = build_app(settings, EmBehaviour(), Fleets(settings, vnf.record))
        transport = httpx.ASGITransport(app)
        async with (
            asyncio.timeout(90),
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://em") as http,
        ):
            bench = Bench(http, vnf)  # type: ignore[arg-type]
            activated = await bench.run("activate")
            assert activated["coordinationResult"] == "CONTINUE", activated
            traffic.start()
            await asyncio.sleep(0.3)
            try:
                await test(bench, vnf, traffic)
            finally:
                await asyncio.to_thread(traffic.stop)

    with gateway(rid, path, users) as (vnf, netns, traffic):
        asyncio.run(run(vnf, netns, traffic))
        assert min(traffic.sent.values()) > 30
        assert (traffic.lost(), traffic.doubles) == (0, 0)
        assert {user: len(seen) for user, seen in traffic.seen_as.items()} == dict.fromkeys(range(users), 1)


async def step(bench: Bench, stage: str, **inputs: Any) -> dict[str, Any]:
    result = await bench.run(stage, policy=POLICY, **inputs)
    assert result["coordinationResult"] == "CONTINUE", result
    assert not result.get("warnings"), result
    return result.get("outputParams", {})


async def upgrade(bench: Bench, vnf: Gateway) -> None:
    for share, id in ((10, "n1"), (100, "n2")):
        await asyncio.to_thread(vnf.add, id, "worker", "v2", "edge-gateway-worker-2.0.0")
        new = [name for name in ("n1", "n2") if name in vnf.vnfcs]
        await step(bench, "migrate", share=share, newVnfcs=new, oldVnfcs=["o1", "o2"])


def test_an_upgrade_loses_no_packet_and_no_session(rid: RunId, tmp_path: Path) -> None:
    async def test(bench: Bench, vnf: Gateway, traffic: Users) -> None:
        await upgrade(bench, vnf)
        before = {user: set(seen) for user, seen in traffic.seen_as.items()}
        output = await step(bench, "retire", vnfcIds=["o1", "o2"])
        assert {moved["to"] for moved in output["moved"].values()} == {"n1", "n2"}
        assert sum(moved["users"] for moved in output["moved"].values()) == 20
        for id in ("o1", "o2"):
            await asyncio.to_thread(vnf.remove, id)
        await step(bench, "complete")
        assert await bench.shares() == {"v2": 100}
        await asyncio.sleep(0.3)
        assert traffic.seen_as == before

    play(rid, tmp_path, test)


def test_a_rollback_with_old_workers_made_again_brings_every_session_home(rid: RunId, tmp_path: Path) -> None:
    async def test(bench: Bench, vnf: Gateway, traffic: Users) -> None:
        await upgrade(bench, vnf)
        await step(bench, "retire", vnfcIds=["o1", "o2"])
        await asyncio.to_thread(vnf.remove, "o1")
        await asyncio.to_thread(vnf.add, "o3", "worker", "v1", "edge-gateway-worker-1.0.0")
        output = await step(bench, "revert", newVnfcs=["n1", "n2"], oldVnfcs=["o2", "o3"])
        assert sum(moved["users"] for moved in output["moved"].values()) == 20
        for id in ("n1", "n2"):
            await asyncio.to_thread(vnf.remove, id)
        await step(bench, "reverted")
        assert await bench.shares() == {"v1": 100}
        await asyncio.sleep(0.3)

    play(rid, tmp_path, test)


def test_a_dead_new_worker_harms_nobody_else(rid: RunId, tmp_path: Path) -> None:
    async def test(bench: Bench, vnf: Gateway, traffic: Users) -> None:
        await asyncio.to_thread(vnf.add, "n1", "worker", "v2", "edge-gateway-worker-2.0.0")
        patient = POLICY | {"observe_s": 30}
        posted = await bench.post("migrate", share=10, newVnfcs=["n1"], oldVnfcs=["o1", "o2"], policy=patient)
        await bench.migration("observing")
        await asyncio.to_thread(vnf.cloud.compute.stop_server, vnf.vnfcs["n1"]["server"])
        result = await bench.result(posted)
        assert result["coordinationResult"] == "ABORT" and "n1" in result["error"]["detail"]
        assert await bench.shares() == {"v1": 100}

    play(rid, tmp_path, test)
