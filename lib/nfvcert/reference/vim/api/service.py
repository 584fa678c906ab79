"""What all services of the VIM share: bodies, lists, error bodies in the words of the service that was asked."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from nfvcert.errors import NfvcertError
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vim.faults import (
    TITLES,
    BadRequestError,
    CloudFaultError,
    Wording,
    compute_body,
    identity_body,
    image_body,
    network_body,
)

log = logging.getLogger(__name__)

WORDINGS: Mapping[str, Wording] = {
    "identity": identity_body,
    "compute": compute_body,
    "network": network_body,
    "image": image_body,
}
BodyT = TypeVar("BodyT", bound=BaseModel)
ItemT = TypeVar("ItemT")


class Body(BaseModel):
    """Base of request bodies: an attribute that the service does not know is an error."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in the body.

    Raises:
        BadRequestError: not JSON or not an object.
    """
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise BadRequestError("Malformed request body", type="HTTPBadRequest") from error
    if not isinstance(body, dict):
        raise BadRequestError("Malformed request body", type="HTTPBadRequest")
    return body


async def read_member(request: Request, key: str) -> dict[str, Any]:
    """The object under `key` in the body, as most requests of OpenStack have it.

    Raises:
        BadRequestError: there is none.
    """
    value = (await read_object(request)).get(key)
    if not isinstance(value, dict):
        raise BadRequestError(f"Invalid input: '{key}' is a required property and must be an object")
    return value


def parse(model: type[BodyT], value: Mapping[str, Any]) -> BodyT:
    """`value` checked.

    Raises:
        BadRequestError: names every attribute that is wrong.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        unknown = [str(f["loc"][-1]) for f in error.errors() if f["type"] == "extra_forbidden"]
        wrong = [
            f"Invalid input for field/attribute {'.'.join(map(str, f['loc']))}. {f['msg']}."
            for f in error.errors()
            if f["type"] != "extra_forbidden"
        ]
        if unknown:
            wrong.append(f"Unrecognized attribute(s) '{', '.join(unknown)}'")
        raise BadRequestError(" ".join(wrong)) from error


def page(request: Request, items: Iterable[tuple[str, ItemT]]) -> tuple[list[ItemT], str | None]:
    """The part of (id, item) pairs that `limit` and `marker` ask for, and the id after which the next part begins.

    Raises:
        BadRequestError: the limit is not a number, or the marker is unknown.
    """
    pairs = list(items)
    marker = request.query_params.get("marker")
    if marker:
        position = next((i for i, (id, _) in enumerate(pairs) if id == marker), None)
        if position is None:
            raise BadRequestError(f"marker [{marker}] not found")
        pairs = pairs[position + 1 :]
    text = request.query_params.get("limit")
    if text is None:
        return [item for _, item in pairs], None
    if not text.isdigit():
        raise BadRequestError("limit must be a non-negative integer")
    limit = int(text)
    following = pairs[limit - 1][0] if 0 < limit < len(pairs) else None
    return [item for _, item in pairs[: limit or None]], following


def next_link(request: Request, url: str, marker: str) -> dict[str, str]:
    """A link of relation next with the request's own query."""
    query = "&".join(f"{k}={v}" for k, v in request.query_params.multi_items() if k != "marker")
    return {"rel": "next", "href": f"{url}?{query}{'&' if query else ''}marker={marker}"}


def install(app: FastAPI) -> None:
    """Answer every error below a service's prefix in the words of that service."""

    def answer(request: Request, status: int, message: str, type: str, headers: Mapping[str, str] | None) -> Any:
        wording = WORDINGS.get(request.url.path.split("/")[1])
        if wording is None:
            return Problem(status, message, headers=headers).response()
        return JSONResponse(wording(status, message, type), status, headers=dict(headers or {}))

    @app.exception_handler(CloudFaultError)
    async def _fault(request: Request, error: CloudFaultError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Keystone"} if error.status == 401 else None
        return answer(request, error.status, error.message, error.type, headers)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        return answer(request, error.status_code, str(error.detail), TITLES.get(error.status_code, ""), error.headers)

    @app.exception_handler(NfvcertError)
    async def _host(request: Request, error: NfvcertError) -> JSONResponse:
        log.warning("%s %s: %s", request.method, request.url.path, error)
        if getattr(error, "status", 0) == 409:  # a host refuses because of what there is on it
            return answer(request, 409, error.message, "Conflict", None)
        return answer(request, 503, error.message, "ServiceUnavailable", None)
