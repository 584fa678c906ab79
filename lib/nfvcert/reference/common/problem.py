"""Errors as SOL013 wants them: every error answer has a ProblemDetails body (SOL013 6.3, 6.4)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from nfvcert.sol.common import ProblemDetails

log = logging.getLogger(__name__)


class Problem(Exception):
    """Raised anywhere in a request to answer with an error; also what a failed operation keeps as its ``error``.

    Args:
        status: HTTP status code.
        detail: what is wrong, for a reader.
        title: short summary of the kind of problem; the status phrase by default.
        headers: header fields of the answer, for example Retry-After.
        extra: further members of the problem document.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        title: str = "",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.title = title or HTTPStatus(status).phrase
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def document(self) -> dict[str, Any]:
        """The problem document."""
        return self.extra | ProblemDetails(title=self.title, status=self.status, detail=self.detail).dump()

    def response(self) -> JSONResponse:
        """The HTTP answer."""
        return JSONResponse(self.document(), self.status, headers=self.headers, media_type="application/problem+json")


def not_found(what: str, identifier: str) -> Problem:
    """404 for a resource that does not exist."""
    return Problem(404, f"there is no {what} {identifier}")


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document."""

    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return Problem(error.status_code, str(error.detail), headers=error.headers).response()

    @app.exception_handler(RequestValidationError)
    async def _validation(_: Request, error: RequestValidationError) -> JSONResponse:
        return from_validation(error).response()

    @app.exception_handler(Exception)
    async def _internal(request: Request, error: Exception) -> JSONResponse:
        log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
        return Problem(500, f"internal error: {type(error).__name__}").response()


def from_validation(error: RequestValidationError) -> Problem:
    """400 for a request that cannot be read (bad JSON, bad query), 422 for well-formed JSON against the data model.

    SOL013 6.4 makes this distinction; the detail names each attribute at fault.
    """
    faults = error.errors()
    readable = all(fault["loc"][:1] == ("body",) and fault["type"] != "json_invalid" for fault in faults)
    parts = [f"{'/'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults]
    return Problem(422 if readable else 400, "; ".join(parts))
