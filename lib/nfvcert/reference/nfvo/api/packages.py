"""VNF packages for OSS and VNFM (SOL005 9.4, SOL003 10.4); routes alone, nothing is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, Body, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from nfvcert.reference.common import resources
from nfvcert.reference.common.headers import MERGE_PATCH
from nfvcert.reference.common.store import Document
from nfvcert.reference.nfvo import package_files
from nfvcert.reference.nfvo.api.requests import check_content_type, modified
from nfvcert.reference.nfvo.onboarding import Onboarding
from nfvcert.reference.nfvo.packages import PATH, Packages
from nfvcert.sol.vnfpkgm import API_PATH, CreateVnfPkgInfoRequest, VnfPkgInfoModifications

BY_VNFD = f"{API_PATH}/onboarded_vnf_packages"
CONTENT_TYPES = ("application/zip", "application/x-zip-compressed", "application/octet-stream")


def router(packages: Packages, onboarding: Onboarding, page_size: int) -> APIRouter:
    """Routes of package management."""
    routes = APIRouter()

    @routes.post(PATH, status_code=201)
    async def create_package(body: CreateVnfPkgInfoRequest) -> Response:
        document = packages.create(body.userDefinedData)
        return resources.created(packages.shown(document), packages.uri(document.id), document.version)

    @routes.get(PATH)
    async def list_packages(request: Request) -> Response:
        rows = [(document.seq, packages.shown(document)) for document in packages.all()]
        return resources.collection(request, rows, base_url=packages.url, page_size=page_size)

    @routes.patch(PATH + "/{id}")
    async def modify_package(
        id: str, request: Request, body: VnfPkgInfoModifications = Body(media_type=MERGE_PATCH)
    ) -> Response:
        return modified(request, body, "operationalState", lambda: packages.find(id), partial(packages.modify, id))

    @routes.delete(PATH + "/{id}", status_code=204)
    async def delete_package(id: str) -> Response:
        packages.delete(id)
        return Response(status_code=204)

    @routes.put(PATH + "/{id}/package_content", status_code=202)
    async def upload_package(id: str, request: Request) -> Response:
        packages.find(id)
        check_content_type(request, CONTENT_TYPES)
        received = await onboarding.receive(id, request.stream())
        return Response(status_code=202, background=BackgroundTask(onboarding.process, id, received))

    _add_reading(routes, packages, PATH, packages.find)
    _add_reading(routes, packages, BY_VNFD, packages.onboarded)
    return routes


def _add_reading(routes: APIRouter, packages: Packages, path: str, find: Callable[[str], Document]) -> None:
    """What can be read of a package, found by its id or by its vnfdId."""

    @routes.get(path + "/{id}")
    async def read_package(id: str, request: Request) -> Response:
        document = find(id)
        return resources.resource(request, packages.shown(document), document.version)

    @routes.get(path + "/{id}/package_content")
    async def read_content(id: str, request: Request) -> Response:
        archive = packages.content(find(id))
        return package_files.content(archive, request.headers.get("range"))

    @routes.get(path + "/{id}/vnfd")
    async def read_vnfd(id: str, request: Request) -> Response:
        archive = packages.content(find(id))
        return await asyncio.to_thread(package_files.descriptor, archive, request.headers.get("accept", ""))

    @routes.get(path + "/{id}/manifest")
    async def read_manifest(id: str) -> Response:
        archive = packages.content(find(id))
        return await asyncio.to_thread(package_files.manifest, archive)

    @routes.get(path + "/{id}/artifacts/{artifactPath:path}")
    async def read_artifact(id: str, artifactPath: str) -> Response:  # noqa: N803
        archive = packages.content(find(id))
        return await asyncio.to_thread(package_files.artifact, archive, artifactPath)
