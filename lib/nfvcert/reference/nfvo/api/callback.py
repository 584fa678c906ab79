"""Where the VNFM delivers its notifications (SOL003 5.4.20)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from nfvcert.reference.nfvo.following import CALLBACK, Following
from nfvcert.sol.vnflcm import VnfIdentifierNotification, VnfLcmOperationOccurrenceNotification


def router(following: Following) -> APIRouter:
    """Routes of the notification endpoint."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(CALLBACK, status_code=204)
    async def test_callback() -> Response:
        return Response(status_code=204)

    @routes.post(CALLBACK, status_code=204)
    async def notify(body: VnfLcmOperationOccurrenceNotification | VnfIdentifierNotification) -> Response:
        following.hear(body.dump())
        return Response(status_code=204)

    return routes
