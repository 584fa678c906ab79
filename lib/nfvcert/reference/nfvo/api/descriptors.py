"""NS descriptors (SOL005 5.4)."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from nfvcert.drop.limits import DEFAULT
from nfvcert.reference.common import resources
from nfvcert.reference.common.headers import MERGE_PATCH, too_large
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.nfvo.api.requests import check_content_type, modified
from nfvcert.reference.nfvo.descriptors import PATH, Descriptors
from nfvcert.sol.nsd import CreateNsdInfoRequest, NsdInfoModifications

CONTENT_TYPES = ("text/plain", "application/zip", "application/yaml", "application/x-yaml", "application/octet-stream")


def router(descriptors: Descriptors, url: str, page_size: int) -> APIRouter:
    """Routes of descriptor management."""
    routes = APIRouter()

    @routes.post(PATH, status_code=201)
    async def create_descriptor(body: CreateNsdInfoRequest) -> Response:
        document = descriptors.create(body.userDefinedData)
        return resources.created(descriptors.shown(document), descriptors.uri(document.id), document.version)

    @routes.get(PATH)
    async def list_descriptors(request: Request) -> Response:
        rows = [(document.seq, descriptors.shown(document)) for document in descriptors.all()]
        return resources.collection(request, rows, base_url=url, page_size=page_size)

    @routes.get(PATH + "/{id}")
    async def read_descriptor(id: str, request: Request) -> Response:
        document = descriptors.find(id)
        return resources.resource(request, descriptors.shown(document), document.version)

    @routes.patch(PATH + "/{id}")
    async def modify_descriptor(
        id: str, request: Request, body: NsdInfoModifications = Body(media_type=MERGE_PATCH)
    ) -> Response:
        return modified(
            request, body, "nsdOperationalState", lambda: descriptors.find(id), partial(descriptors.modify, id)
        )

    @routes.delete(PATH + "/{id}", status_code=204)
    async def delete_descriptor(id: str) -> Response:
        descriptors.delete(id)
        return Response(status_code=204)

    @routes.put(PATH + "/{id}/nsd_content", status_code=202)
    async def upload_descriptor(id: str, request: Request) -> Response:
        descriptors.find(id)
        check_content_type(request, CONTENT_TYPES)
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > DEFAULT.document:
                raise too_large(DEFAULT.document)
        descriptors.upload(id, bytes(data))
        return Response(status_code=202)

    @routes.get(PATH + "/{id}/nsd_content")
    async def read_content(id: str) -> Response:
        content = descriptors.find(id).body["content"]
        if content is None:
            raise Problem(409, "the descriptor has no content")
        return Response(content, media_type="text/plain")

    return routes
