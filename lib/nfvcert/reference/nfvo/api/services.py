"""Services and what can be asked of them (SOL005 6.4.2 to 6.4.8)."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from nfvcert.reference.common import resources
from nfvcert.reference.common.store import Document
from nfvcert.reference.nfvo.operations import Operations
from nfvcert.reference.nfvo.planning import Planning
from nfvcert.reference.nfvo.services import PATH, Services
from nfvcert.sol.nslcm import CreateNsRequest, InstantiateNsRequest, TerminateNsRequest, UpdateNsRequest


def router(services: Services, operations: Operations, planning: Planning, url: str, page_size: int) -> APIRouter:
    """Routes of services."""
    routes = APIRouter()

    def begun(operation: Document) -> Response:
        """202; the work begins when the answer is on its way."""
        answer = resources.accepted(operations.uri(operation.id))
        answer.background = BackgroundTask(planning.begin, operation.id)
        return answer

    @routes.post(PATH, status_code=201)
    async def create_service(body: CreateNsRequest) -> Response:
        document = services.create(body)
        return resources.created(services.shown(document), services.uri(document.id), document.version)

    @routes.get(PATH)
    async def list_services(request: Request) -> Response:
        rows = [(document.seq, services.shown(document)) for document in services.all()]
        return resources.collection(request, rows, base_url=url, page_size=page_size)

    @routes.get(PATH + "/{id}")
    async def read_service(id: str, request: Request) -> Response:
        document = services.find(id)
        return resources.resource(request, services.shown(document), document.version)

    @routes.delete(PATH + "/{id}", status_code=204)
    async def delete_service(id: str) -> Response:
        services.find(id)
        operations.require_idle(id)
        services.delete(id)
        return Response(status_code=204)

    @routes.post(PATH + "/{id}/instantiate", status_code=202)
    async def instantiate_service(id: str, body: InstantiateNsRequest) -> Response:
        return begun(planning.instantiate(services.find(id), body))

    @routes.post(PATH + "/{id}/update", status_code=202)
    async def update_service(id: str, body: UpdateNsRequest) -> Response:
        return begun(planning.update(services.find(id), body))

    @routes.post(PATH + "/{id}/terminate", status_code=202)
    async def terminate_service(id: str, body: TerminateNsRequest) -> Response:
        return begun(await planning.terminate(services.find(id), body))

    return routes
