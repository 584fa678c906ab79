"""The EM's interfaces: LCM coordination (SOL002 10) for the VNFM, migrations and shares for the administrator."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from starlette.responses import JSONResponse

from nfvcert.errors import NfvcertError
from nfvcert.reference.common.headers import Api
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.resources import accepted, created
from nfvcert.reference.em.coordination import Coordinator, State
from nfvcert.reference.em.fleet import Fleets
from nfvcert.reference.em.inputs import StageInput
from nfvcert.reference.em.migrations import Decision
from nfvcert.sol.lcmcoord import API_PATH, API_VERSION, LcmCoordRequest

LCMCOORD = Api("lcmcoord", "v1", (API_VERSION,))
ADMIN_PATH = "/em/v1"


def read_inputs(request: LcmCoordRequest) -> StageInput:
    """The checked inputParams.

    Raises:
        Problem: 422 for what is wrong or missing; 403 when the EM does not have the action.
    """
    if not request.inputParams or "stage" not in request.inputParams:
        raise Problem(
            403, f"coordination action {request.coordinationActionName} is not supported: inputParams name no stage"
        )
    try:
        inputs = StageInput.model_validate(request.inputParams)
    except ValidationError as error:
        faults = [f"inputParams/{'/'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors()]
        raise Problem(422, "; ".join(faults)) from error
    if missing := inputs.missing():
        raise Problem(422, f"inputParams: {', '.join(missing)} missing for stage {inputs.stage.value}")
    return inputs


def coordination_routes(coordinator: Coordinator, url: str) -> APIRouter:
    """The LCM coordination interface; `url` is the EM's public root."""
    routes = APIRouter(prefix=API_PATH)

    @routes.post("/coordinations")
    async def create(body: LcmCoordRequest) -> Response:
        running = await coordinator.start(body, read_inputs(body))
        location = running.coordination.url(url)
        if await coordinator.finished_soon(running):
            return created(running.coordination.view(url), location)
        return accepted(location)

    @routes.get("/coordinations/{id}")
    async def show(id: str) -> Response:
        coordination = coordinator.get(id)
        if coordination.state is State.RUNNING:
            return Response(status_code=202)
        return JSONResponse(coordination.view(url))

    @routes.post("/coordinations/{id}/cancel")
    async def cancel(id: str) -> Response:
        coordinator.cancel(id)
        return Response(status_code=202)

    return routes


def administration_routes(coordinator: Coordinator, fleets: Fleets) -> APIRouter:
    """The administrator's interface."""
    routes = APIRouter(prefix=ADMIN_PATH)

    @routes.get("/migrations")
    async def migrations(request: Request) -> list[dict[str, Any]]:
        return coordinator.migrations.list(request.query_params.get("vnfInstanceId"))

    @routes.get("/migrations/{id}")
    async def migration(id: str) -> dict[str, Any]:
        return coordinator.migrations.get(id).view()

    @routes.post("/migrations/{id}/decision", status_code=204)
    async def decide(id: str, decision: Decision) -> Response:
        coordinator.migrations.decide(id, decision)
        return Response(status_code=204)

    @routes.get("/shares")
    async def shares(request: Request) -> dict[str, Any]:
        """What the EM has set, and in `inForce` what the traffic decider says (None if it does not answer)."""
        instance_id = request.query_params.get("vnfInstanceId")
        if not instance_id:
            raise Problem(400, "the query parameter vnfInstanceId is missing")
        decider = coordinator.deciders.get(instance_id)
        in_force = None
        try:
            in_force = (await fleets.known(instance_id).balancer.stats()).shares
        except NfvcertError:
            pass
        return {
            "vnfInstanceId": instance_id,
            "shares": decider.shares,
            "workers": [member.model_dump() for member in decider.pool],
            "inForce": in_force,
        }

    return routes
