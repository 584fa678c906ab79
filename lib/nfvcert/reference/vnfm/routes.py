"""HTTP resources of VNF instances (SOL003 5.4.2 to 5.4.12)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from nfvcert.reference.common import resources
from nfvcert.reference.vnfm import modify, notifications, procedures, view
from nfvcert.reference.vnfm.change import change_package
from nfvcert.reference.vnfm.instances import Instance
from nfvcert.reference.vnfm.procedures import Plan
from nfvcert.reference.vnfm.service import Vnfm
from nfvcert.reference.vnfm.view import INSTANCES
from nfvcert.sol.vnflcm import (
    ChangeCurrentVnfPkgRequest,
    CreateVnfRequest,
    HealVnfRequest,
    InstantiateVnfRequest,
    OperateVnfRequest,
    ScaleVnfRequest,
    TerminateVnfRequest,
    VnfInfoModificationRequest,
)


def instance_routes(vnfm: Vnfm) -> APIRouter:
    """Routes of ``vnf_instances`` and its tasks."""
    routes = APIRouter()
    member = INSTANCES + "/{vnfInstanceId}"

    def shown(instance: Instance) -> dict[str, Any]:
        running = vnfm.unfinished(instance["id"])
        descriptor = vnfm.packages.cached(instance["identity"]["vnfdId"])
        return view.instance_view(
            instance, vnfm.config.url, descriptor, lambda vnfc: vnfm.behaviour.shown_version(vnfc, running)
        )

    async def begin(identifier: str, plan: Callable[[Instance], Awaitable[Plan]]) -> Response:
        instance = vnfm.instances.get(identifier)
        vnfm.require_free(instance)
        occurrence = await vnfm.accept(instance, plan(instance))
        return resources.accepted(vnfm.occurrences.location(occurrence["id"]))

    @routes.post(INSTANCES, status_code=201)
    async def create(body: CreateVnfRequest) -> Response:
        descriptor = await vnfm.packages.usable(body.vnfdId)
        info = body.dump()
        del info["vnfdId"]
        with vnfm.store.transaction():
            document = vnfm.instances.create(descriptor, info)
            vnfm.occurrences.announce_identifier(notifications.CREATION, document.body)
        location = f"{vnfm.config.url}{INSTANCES}/{document.id}"
        return resources.created(shown(document.body), location, document.version)

    @routes.get(INSTANCES)
    async def query(request: Request) -> Response:
        rows = [(document.seq, shown(document.body)) for document in vnfm.instances.all()]
        return resources.collection(request, rows, base_url=vnfm.config.url, page_size=vnfm.config.page_size)

    @routes.get(member)
    async def read(request: Request, vnfInstanceId: str) -> Response:  # noqa: N803
        document = vnfm.instances.find(vnfInstanceId)
        return resources.resource(request, shown(document.body), document.version)

    @routes.patch(member, status_code=202)
    async def modify_info(request: Request, vnfInstanceId: str, body: VnfInfoModificationRequest) -> Response:  # noqa: N803
        document = vnfm.instances.find(vnfInstanceId)
        resources.check_if_match(request, document.version)
        vnfm.require_free(document.body)
        patch = body.model_dump(mode="json", exclude_unset=True)
        occurrence = await modify.modify(vnfm, document, patch)
        return resources.accepted(vnfm.occurrences.location(occurrence["id"]))

    @routes.delete(member, status_code=204)
    async def delete(request: Request, vnfInstanceId: str) -> Response:  # noqa: N803
        document = vnfm.instances.find(vnfInstanceId)
        resources.check_if_match(request, document.version)
        procedures.require_instantiated(document.body, wanted=False)
        vnfm.require_free(document.body)
        await vnfm.vnfcs.discard(document.body)
        with vnfm.store.transaction():
            vnfm.occurrences.announce_identifier(notifications.DELETION, document.body)
            vnfm.instances.delete(vnfInstanceId)
        return Response(status_code=204)

    @routes.post(f"{member}/instantiate", status_code=202)
    async def instantiate(vnfInstanceId: str, body: InstantiateVnfRequest) -> Response:  # noqa: N803
        return await begin(vnfInstanceId, lambda instance: procedures.instantiate(vnfm, instance, body))

    @routes.post(f"{member}/terminate", status_code=202)
    async def terminate(vnfInstanceId: str, body: TerminateVnfRequest) -> Response:  # noqa: N803
        return await begin(vnfInstanceId, lambda instance: procedures.terminate(vnfm, instance, body))

    @routes.post(f"{member}/scale", status_code=202)
    async def scale(vnfInstanceId: str, body: ScaleVnfRequest) -> Response:  # noqa: N803
        return await begin(vnfInstanceId, lambda instance: procedures.scale(vnfm, instance, body))

    @routes.post(f"{member}/heal", status_code=202)
    async def heal(vnfInstanceId: str, body: HealVnfRequest) -> Response:  # noqa: N803
        return await begin(vnfInstanceId, lambda instance: procedures.heal(vnfm, instance, body))

    @routes.post(f"{member}/operate", status_code=202)
    async def operate(vnfInstanceId: str, body: OperateVnfRequest) -> Response:  # noqa: N803
        return await begin(vnfInstanceId, lambda instance: procedures.operate(vnfm, instance, body))

    @routes.post(f"{member}/change_vnfpkg", status_code=202)
    async def change_vnfpkg(vnfInstanceId: str, body: ChangeCurrentVnfPkgRequest) -> Response:  # noqa: N803
        return await begin(vnfInstanceId, lambda instance: change_package(vnfm, instance, body))

    return routes
