"""The EM's application over HTTP with a VNF of doubles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from vnfc_doubles import Vnf

from nfvcert.reference.em.app import build_app
from nfvcert.reference.em.behaviour import EmBehaviour
from nfvcert.reference.em.fleet import Fleets
from nfvcert.reference.em.settings import EmConfig

COORDINATIONS = "/lcmcoord/v1/coordinations"
VERSION = {"Version": "1.0.0"}
POLICY = {
    "name": "quick",
    "observe_s": 0.01,
    "decision": "automatic",
    "drain": {"idle_s": 0.01, "timeout_s": 0.1, "remaining": "move_with_state"},
}


class Bench:
    """A client of the EM that plays VNFM and administrator."""

    def __init__(self, http: httpx.AsyncClient, vnf: Vnf) -> None:
        self.http = http
        self.vnf = vnf

    def body(self, stage: str, *, op: str = "op-1", **inputs: Any) -> dict[str, Any]:
        return {
            "vnfInstanceId": self.vnf.id,
            "vnfLcmOpOccId": op,
            "lcmOperationType": "CHANGE_VNFPKG",
            "coordinationActionName": "traffic-migration",
            "inputParams": {"stage": stage, "policy": POLICY, "sourceVnfdId": "v1", "destinationVnfdId": "v2"} | inputs,
            "_links": {"vnfLcmOpOcc": {"href": "http://vnfm/op"}, "vnfInstance": {"href": "http://vnfm/vnf"}},
        }

    async def post(self, stage: str, **inputs: Any) -> httpx.Response:
        return await self.http.post(COORDINATIONS, json=self.body(stage, **inputs), headers=VERSION)

    async def result(self, response: httpx.Response) -> dict[str, Any]:
        """The LcmCoord at the end of a coordination."""
        if response.status_code == 201:
            return response.json()
        assert response.status_code == 202, response.text
        while (answer := await self.http.get(response.headers["location"], headers=VERSION)).status_code == 202:
            await asyncio.sleep(0.005)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def run(self, stage: str, **inputs: Any) -> dict[str, Any]:
        return await self.result(await self.post(stage, **inputs))

    async def migration(self, *states: str) -> dict[str, Any]:
        """The last migration, once it is in one of `states`."""
        while True:
            found = (await self.http.get("/em/v1/migrations", params={"vnfInstanceId": self.vnf.id})).json()
            if found and found[-1]["state"] in states:
                return found[-1]
            await asyncio.sleep(0.005)

    async def decide(self, migration: str, decision: str) -> httpx.Response:
        body = {"decision": decision, "reason": "test"}
        return await self.http.post(f"/em/v1/migrations/{migration}/decision", json=body)

    async def shares(self) -> dict[str, int]:
        return (await self.http.get("/em/v1/shares", params={"vnfInstanceId": self.vnf.id})).json()["shares"]


def config(path: Path, **changes: Any) -> EmConfig:
    """Settings with short times."""
    values = {
        "name": "em",
        "port": 1,
        "state_dir": path,
        "public_url": "http://em",
        "peers": {"vnfm": "http://vnfm"},
        "request_timeout_s": 0.5,
        "ready_timeout_s": 0.3,
        "health_interval_s": 0.02,
        "health_limit_s": 0.2,
        "settle_s": 0,
    }
    return EmConfig.model_validate(values | changes)


@asynccontextmanager
async def bench(path: Path, vnf: Vnf, behaviour: EmBehaviour | None = None, **changes: Any) -> AsyncIterator[Bench]:
    settings = config(path, management_port=vnf.port, **changes)
    app = build_app(settings, behaviour or EmBehaviour(), Fleets(settings, vnf.record))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://em") as http,
    ):
        yield Bench(http, vnf)


def scenario(
    path: Path,
    test: Callable[[Bench], Coroutine[Any, Any, None]],
    *,
    workers: dict[str, str] | None = None,
    behaviour: EmBehaviour | None = None,
    **changes: Any,
) -> None:
    """Run `test` with a VNF whose workers are in the pool of the running version."""

    async def play() -> None:
        vnf = await Vnf.create(workers or {"o1": "v1", "o2": "v1"})
        try:
            async with asyncio.timeout(20), bench(path, vnf, behaviour, **changes) as found:
                activated = await found.run("activate", newVnfcs=list(vnf.members))
                assert activated["coordinationResult"] == "CONTINUE", activated
                await test(found)
        finally:
            await vnf.close()

    asyncio.run(play())
