"""HTTP resources of operation occurrences and their tasks (SOL003 5.4.13 to 5.4.17)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from nfvcert.reference.common import resources
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.occurrences import Occurrence
from nfvcert.reference.vnfm.service import Vnfm
from nfvcert.reference.vnfm.states import Task
from nfvcert.reference.vnfm.view import OCCURRENCES
from nfvcert.sol.common import LcmOperation
from nfvcert.sol.vnflcm import CancelRequest, RequestWithoutAttributes

_NO_ROLLBACK = (LcmOperation.TERMINATE, LcmOperation.OPERATE, LcmOperation.MODIFY_INFO)


def occurrence_routes(vnfm: Vnfm) -> APIRouter:
    """Routes of ``vnf_lcm_op_occs`` and its tasks."""
    routes = APIRouter()
    member = OCCURRENCES + "/{vnfLcmOpOccId}"

    async def readable(occurrence: Occurrence) -> dict[str, Any]:
        await vnfm.behaviour.before_read(occurrence, lambda: vnfm.engine.running(occurrence["id"]))
        return vnfm.occurrences.get(occurrence["id"])

    @routes.get(OCCURRENCES)
    async def query(request: Request) -> Response:
        rows = [(document.seq, await readable(document.body)) for document in vnfm.occurrences.all()]
        return resources.collection(request, rows, base_url=vnfm.config.url, page_size=vnfm.config.page_size)

    @routes.get(member)
    async def read(request: Request, vnfLcmOpOccId: str) -> Response:  # noqa: N803
        await readable(vnfm.occurrences.get(vnfLcmOpOccId))
        document = vnfm.occurrences.find(vnfLcmOpOccId)
        return resources.resource(request, document.body, document.version)

    @routes.post(f"{member}/cancel", status_code=202)
    async def cancel(vnfLcmOpOccId: str, body: CancelRequest) -> Response:  # noqa: N803
        vnfm.engine.cancel(vnfm.occurrences.get(vnfLcmOpOccId), body.cancelMode)
        return Response(status_code=202)

    @routes.post(f"{member}/retry", status_code=202)
    async def retry(vnfLcmOpOccId: str, body: RequestWithoutAttributes | None = None) -> Response:  # noqa: N803
        vnfm.engine.retry(vnfm.occurrences.get(vnfLcmOpOccId))
        return Response(status_code=202)

    @routes.post(f"{member}/rollback", status_code=202)
    async def rollback(vnfLcmOpOccId: str, body: RequestWithoutAttributes | None = None) -> Response:  # noqa: N803
        occurrence = vnfm.occurrences.get(vnfLcmOpOccId)
        if occurrence["operation"] in _NO_ROLLBACK:
            raise Problem(404, f"rollback is not supported for {occurrence['operation']}")
        progress = vnfm.progress(occurrence)
        if progress and not vnfm.behaviour.may_roll_back(progress):
            raise Problem(409, f"{Task.ROLLBACK} is not possible any more")
        vnfm.engine.roll_back(occurrence)
        return Response(status_code=202)

    @routes.post(f"{member}/fail")
    async def fail(vnfLcmOpOccId: str, body: RequestWithoutAttributes | None = None) -> Response:  # noqa: N803
        return JSONResponse(vnfm.engine.fail(vnfm.occurrences.get(vnfLcmOpOccId)))

    return routes
