"""Image service (Glance v2): images, their content and their properties."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import FileResponse, JSONResponse

from nfvcert.reference.vim.api.service import page, read_object
from nfvcert.reference.vim.api.tokens import Tokens
from nfvcert.reference.vim.computing import Computing
from nfvcert.reference.vim.faults import BadRequestError, CloudFaultError, ForbiddenError
from nfvcert.reference.vim.imaging import Imaging
from nfvcert.reference.vim.records import Image

SETTABLE = ("name", "container_format", "disk_format", "visibility", "protected", "min_disk", "min_ram", "tags")
TYPES: dict[str, type] = {"protected": bool, "min_disk": int, "min_ram": int, "tags": list}
READ_ONLY = ("status", "checksum", "os_hash_algo", "os_hash_value", "size", "created_at", "updated_at", "self", "file")
VISIBILITIES = ("public", "private", "shared", "community")
PATCH_TYPES = ("application/openstack-images-v2.1-json-patch", "application/openstack-images-v2.0-json-patch")


class TooLargeError(CloudFaultError):
    """More content than the service takes."""

    status = 413


class UnsupportedTypeError(CloudFaultError):
    """A body of a type that the call does not take."""

    status = 415


def view(image: Image) -> dict[str, Any]:
    """An image as the API shows it: properties beside the attributes."""
    body = image.model_dump(exclude={"properties", "project_id"})
    return (
        dict(image.properties)
        | body
        | {
            "owner": image.project_id,
            "os_hidden": False,
            "virtual_size": None,
            "self": f"/v2/images/{image.id}",
            "file": f"/v2/images/{image.id}/file",
            "schema": "/v2/schemas/image",
        }
    )


def check(name: str, value: Any) -> Any:
    """The value of an attribute or property of an image.

    Raises:
        ForbiddenError: the attribute is read-only.
        BadRequestError: wrong type or value.
    """
    if name in READ_ONLY:
        raise ForbiddenError(f"Attribute '{name}' is read-only.")
    wanted = TYPES.get(name, str)
    empty_format = name in ("container_format", "disk_format", "name") and value is None
    if not empty_format and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
        raise BadRequestError(f"Provided object does not match schema 'image': {name} is not of type {wanted.__name__}")
    if name == "visibility" and value not in VISIBILITIES:
        raise BadRequestError(f"Provided object does not match schema 'image': {value!r} is not one of {VISIBILITIES}")
    return value


def router(imaging: Imaging, computing: Computing, tokens: Tokens, url: str, limit: int) -> APIRouter:
    """The routes of the service; `limit` is the longest content in bytes."""
    public = APIRouter()
    routes = APIRouter(prefix="/image/v2", dependencies=[Depends(tokens.require)])

    async def versions() -> JSONResponse:
        links = [{"rel": "self", "href": f"{url}/image/v2/"}]
        found = [
            {"id": f"v2.{minor}", "status": "CURRENT" if minor == 9 else "SUPPORTED", "links": links}
            for minor in range(9, -1, -1)
        ]
        return JSONResponse({"versions": found}, 300)

    for path in ("/image", "/image/", "/image/versions"):
        public.add_api_route(path, versions, methods=["GET"])

    @routes.get("/images")
    async def list_images(request: Request) -> dict[str, Any]:
        found = [view(image) for image in imaging.images]
        for name, wanted in request.query_params.items():
            if name in ("limit", "marker", "sort", "sort_key", "sort_dir", "member_status", "os_hidden"):
                continue
            values = wanted.removeprefix("in:").split(",") if wanted.startswith("in:") else [wanted]
            if name == "tag":
                found = [image for image in found if wanted in image["tags"]]
            elif not (name == "visibility" and wanted == "all"):
                found = [image for image in found if str(image.get(name)) in values]
        shown, following = page(request, [(image["id"], image) for image in found])
        body = {"images": shown, "first": "/v2/images", "schema": "/v2/schemas/images"}
        return body | ({"next": f"/v2/images?marker={following}"} if following else {})

    @routes.post("/images", status_code=201)
    async def create(request: Request) -> JSONResponse:
        body = await read_object(request)
        id = body.pop("id", None)
        checked = {name: check(name, value) for name, value in body.items()}
        known = {name: checked.pop(name) for name in SETTABLE if name in checked}
        known["name"] = known.get("name") or ""
        image = imaging.create(tokens.project_id, id=id, properties=checked, **known)
        return JSONResponse(view(image), 201, headers={"Location": f"{url}/image/v2/images/{image.id}"})

    @routes.get("/images/{id}")
    async def show(id: str) -> dict[str, Any]:
        return view(imaging.images.get(id))

    @routes.patch("/images/{id}")
    async def update(id: str, request: Request) -> dict[str, Any]:
        if request.headers.get("content-type", "").split(";")[0] not in PATCH_TYPES:
            raise UnsupportedTypeError(f"Content-Type must be one of {', '.join(PATCH_TYPES)}")
        image = imaging.images.get(id).model_copy(deep=True)
        for change in await _changes(request):
            _apply(image, change)
        return view(imaging.images.save(image))

    @routes.put("/images/{id}/file", status_code=204)
    async def upload(id: str, request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0] != "application/octet-stream":
            raise UnsupportedTypeError("Content-Type must be application/octet-stream")

        async def chunks() -> AsyncIterator[bytes]:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                if size > limit:
                    raise TooLargeError(f"Image exceeds the storage quota: more than {limit} bytes.")
                yield chunk

        await imaging.upload(id, chunks())
        return Response(status_code=204)

    @routes.get("/images/{id}/file")
    async def download(id: str) -> Response:
        image = imaging.images.get(id)
        if image.status != "active":
            return Response(status_code=204)
        headers = {"Content-MD5": image.checksum or ""}
        return FileResponse(imaging.file(id), media_type="application/octet-stream", headers=headers)

    @routes.delete("/images/{id}", status_code=204)
    async def delete(id: str) -> Response:
        used = [s.id for s in computing.servers if s.image_id == id and s.vm_state == "building"]
        imaging.delete(id, used_by=used)
        return Response(status_code=204)

    public.include_router(routes)
    return public


async def _changes(request: Request) -> list[dict[str, Any]]:
    try:
        body = await request.json()
    except ValueError as error:
        raise BadRequestError("Malformed request body") from error
    if not isinstance(body, list) or not all(isinstance(change, dict) for change in body):
        raise BadRequestError("Request body must be a JSON array of operation objects.")
    return body


def _apply(image: Image, change: dict[str, Any]) -> None:
    """One operation of a JSON patch on a top-level attribute or property."""
    operation, name = change.get("op"), str(change.get("path", "")).removeprefix("/")
    if operation not in ("add", "replace", "remove") or not name or "/" in name:
        raise BadRequestError(f"Operation {operation!r} on {change.get('path')!r} is not supported.")
    if operation == "remove":
        if name in SETTABLE or name in READ_ONLY:
            raise ForbiddenError(f"Property {name} may not be removed.")
        image.properties.pop(name, None)
        return
    value = check(name, change.get("value"))
    if name in SETTABLE:
        setattr(image, name, value)
    else:
        image.properties[name] = value
