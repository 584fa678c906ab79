"""Answers about single resources and collections: ETag and If-Match, attribute filters, field selection, paging."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from fastapi import Request
from starlette.responses import JSONResponse, Response

from nfvcert.reference.common.problem import Problem
from nfvcert.sol import filters

MARKER = "nextpage_opaque_marker"
PAGE_SIZE = 50


def etag(version: int) -> str:
    """The entity tag of a document version."""
    return f'"{version}"'


def check_if_match(request: Request, version: int) -> None:
    """Raise 412 if the request has an If-Match header that does not name `version` (SOL013 5.8, RFC 9110)."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return
    if etag(version) not in [tag.strip() for tag in given.split(",")]:
        raise Problem(412, f"the resource has changed: its entity tag is {etag(version)}, not {given}")


def check_version(current: int, seen: int) -> None:
    """Raise 412 if a resource changed since the requester's precondition was checked."""
    if current != seen:
        raise Problem(412, f"the resource has changed: its entity tag is {etag(current)}, not {etag(seen)}")


def resource(request: Request, body: dict[str, Any], version: int) -> Response:
    """200 with ETag; 304 when If-None-Match names this version."""
    headers = {"ETag": etag(version)}
    given = request.headers.get("if-none-match", "")
    if etag(version) in [tag.strip() for tag in given.split(",")]:
        return Response(status_code=304, headers=headers)
    return JSONResponse(body, headers=headers)


def created(body: dict[str, Any], location: str, version: int | None = None) -> JSONResponse:
    """201 with Location and, if a version is given, ETag."""
    headers = {"Location": location} | ({"ETag": etag(version)} if version is not None else {})
    return JSONResponse(body, 201, headers=headers)


def accepted(location: str) -> Response:
    """202 with Location of the operation's record."""
    return Response(status_code=202, headers={"Location": location})


def collection(
    request: Request, rows: Iterable[tuple[int, dict[str, Any]]], *, base_url: str = "", page_size: int = PAGE_SIZE
) -> JSONResponse:
    """200 with the documents which the ``filter`` parameter selects, paged (SOL013 5.2, 5.3, 5.4).

    Args:
        request: gives filter, fields, exclude_fields, marker.
        rows: (ordering number, document), numbers rising; a number never changes, so a marker stays good.
        base_url: the component's public URL for the next link; "" makes the link relative.
        page_size: most documents of one answer.

    Raises:
        Problem: 400 for a filter or marker that cannot be read.
    """
    query = request.query_params
    try:
        chosen = filters.parse(query["filter"]) if "filter" in query else filters.Filter()
    except filters.FilterError as error:
        raise Problem(400, f"filter: {error}") from error
    after = _marker(query[MARKER]) if MARKER in query else -1
    left = [(number, document) for number, document in rows if number > after and chosen.matches(document)]
    page = left[:page_size]
    headers = {}
    if len(left) > page_size:
        marker = base64.urlsafe_b64encode(str(page[-1][0]).encode()).decode()
        url = request.url.include_query_params(**{MARKER: marker})
        headers["Link"] = f'<{base_url}{url.path}?{url.query}>; rel="next"'
    fields, exclude = query.get("fields", ""), query.get("exclude_fields", "")
    return JSONResponse([filters.select_fields(document, fields, exclude) for _, document in page], headers=headers)


def merge_patch(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """`document` after a JSON merge patch (RFC 7396); the argument is not changed."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            base = result.get(key)
            result[key] = merge_patch(base if isinstance(base, dict) else {}, value)
        else:
            result[key] = value
    return result


def _marker(text: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(text.encode()).decode())
    except (binascii.Error, ValueError) as error:
        raise Problem(400, f"{MARKER} is not one that this server gave out") from error
