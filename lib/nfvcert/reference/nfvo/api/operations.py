"""Operations of services and tasks on them (SOL005 6.4.9 to 6.4.15)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from nfvcert.reference.common import resources
from nfvcert.reference.nfvo.operations import PATH, Operations
from nfvcert.reference.nfvo.tasks import Tasks
from nfvcert.sol.nslcm import NsCancelRequest


def router(operations: Operations, tasks: Tasks, url: str, page_size: int) -> APIRouter:
    """Routes of operations."""
    routes = APIRouter()

    @routes.get(PATH)
    async def list_operations(request: Request) -> Response:
        rows = [(document.seq, operations.shown(document)) for document in operations.all()]
        return resources.collection(request, rows, base_url=url, page_size=page_size)

    @routes.get(PATH + "/{id}")
    async def read_operation(id: str, request: Request) -> Response:
        document = operations.find(id)
        return resources.resource(request, operations.shown(document), document.version)

    @routes.post(PATH + "/{id}/fail", status_code=200)
    async def fail_operation(id: str) -> Response:
        return JSONResponse(operations.shown(await tasks.fail(id)))

    @routes.post(PATH + "/{id}/cancel", status_code=202)
    async def cancel_operation(id: str, body: NsCancelRequest) -> Response:
        await tasks.cancel(id, body.cancelMode)
        return Response(status_code=202)

    for name, task in (("retry", tasks.retry), ("rollback", tasks.roll_back), ("continue", tasks.carry_on)):
        routes.add_api_route(f"{PATH}/{{id}}/{name}", _task(task), methods=["POST"], status_code=202, name=name)
    return routes


def _task(task: Callable[[str], Awaitable[None]]) -> Callable[[str], Awaitable[Response]]:
    async def perform(id: str) -> Response:
        await task(id)
        return Response(status_code=202)

    return perform
