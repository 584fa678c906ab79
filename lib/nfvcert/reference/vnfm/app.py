"""The VNFM as an HTTP application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from nfvcert.reference.common.app import create_app
from nfvcert.reference.common.headers import Api
from nfvcert.reference.vnfm.behaviour import VnfmBehaviour
from nfvcert.reference.vnfm.config import VnfmConfig
from nfvcert.reference.vnfm.control import occurrence_routes
from nfvcert.reference.vnfm.routes import instance_routes
from nfvcert.reference.vnfm.service import Vnfm
from nfvcert.sol.vnflcm import API_MAJOR, API_NAME, API_VERSION, LccnSubscriptionRequest

VNFLCM = Api(API_NAME, API_MAJOR, (API_VERSION,))


def build(config: VnfmConfig, behaviour: VnfmBehaviour) -> FastAPI:
    """The application of a VNFM made from configuration and decisions."""
    return serve(Vnfm(config, behaviour))


def serve(vnfm: Vnfm) -> FastAPI:
    """The application of `vnfm`; it starts and stops with the application."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await vnfm.start()
        try:
            yield
        finally:
            await vnfm.stop()

    app = create_app(vnfm.config.name, [VNFLCM], lifespan=lifespan)
    app.include_router(instance_routes(vnfm))
    app.include_router(occurrence_routes(vnfm))
    app.include_router(vnfm.subscriptions.router(LccnSubscriptionRequest))
    return app
