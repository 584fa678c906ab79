"""The EM as an application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from nfvcert.reference.common.app import create_app
from nfvcert.reference.common.peer import Peer
from nfvcert.reference.common.store import Store
from nfvcert.reference.em.behaviour import EmBehaviour
from nfvcert.reference.em.coordination import Coordinator
from nfvcert.reference.em.fleet import Fleets
from nfvcert.reference.em.routes import LCMCOORD, administration_routes, coordination_routes
from nfvcert.reference.em.settings import EmConfig


def build_app(config: EmConfig, behaviour: EmBehaviour, fleets: Fleets | None = None) -> FastAPI:
    """The application; `fleets` are read from the VNFM of the configuration unless given."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    store = Store(config.database)
    vnfm = Peer("vnfm", config.peers.vnfm, config.vnflcm_version)

    async def read_instance(id: str) -> dict[str, Any]:
        return await vnfm.get_object(f"/vnflcm/v2/vnf_instances/{id}")

    connected = fleets if fleets is not None else Fleets(config, read_instance)
    coordinator = Coordinator(config, behaviour, store, connected)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        coordinator.recover()
        yield
        await coordinator.close()
        await vnfm.close()
        store.close()

    app = create_app("em", [LCMCOORD], lifespan=lifespan)
    app.include_router(coordination_routes(coordinator, config.url))
    app.include_router(administration_routes(coordinator, connected))
    return app
