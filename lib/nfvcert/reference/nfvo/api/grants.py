"""Grants for VNFMs (SOL003 9.4)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from nfvcert.reference.common import resources
from nfvcert.reference.nfvo.grants import PATH, Grants
from nfvcert.sol.grant import GrantRequest


def router(grants: Grants) -> APIRouter:
    """Routes of grants."""
    routes = APIRouter()

    @routes.post(PATH, status_code=201)
    async def request_grant(body: GrantRequest) -> Response:
        document = grants.decide(body)
        return resources.created(document.body["grant"], grants.uri(document.id))

    @routes.get(PATH + "/{id}")
    async def read_grant(id: str) -> dict[str, Any]:
        return dict(grants.find(id).body["grant"])

    return routes
