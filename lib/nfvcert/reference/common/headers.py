"""ASGI middleware for what SOL013 asks of every request before a handler sees it: Version, media type, size."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nfvcert.reference.common.problem import Problem

log = logging.getLogger(__name__)

MERGE_PATCH = "application/merge-patch+json"
_BODY_METHODS = {"POST": ("application/json",), "PATCH": (MERGE_PATCH,)}


@dataclass(frozen=True)
class Api:
    """One API of a component: its name and major version in the path, and the versions the Version header may name.

    The last of `versions` is the one named in answers to requests that name none or an unknown one.
    """

    name: str
    major: str
    versions: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """The path under which its resources are, for example ``/vnflcm/v2``."""
        return f"/{self.name}/{self.major}"


class SolHeaders:
    """Checks and sets the headers of the declared APIs; paths outside them (health, callbacks) pass untouched.

    Version: missing 400, unsupported 406, present in every answer (SOL013 9.1). Bodies of POST must be JSON and of
    PATCH a merge patch, else 415; a body longer than `max_body` bytes is 413. PUT bodies (package content) are left to
    the handler.
    """

    def __init__(self, app: ASGIApp, apis: Sequence[Api], max_body: int) -> None:
        self.app = app
        self.apis = apis
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        api = self._api(scope) if scope["type"] == "http" else None
        if api is None:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("version", "").strip()
        named = asked if asked in api.versions else api.versions[-1]

        answered = False

        async def send_with_version(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                MutableHeaders(scope=message)["Version"] = named
            await send(message)

        try:
            if not scope["path"].endswith("/api_versions"):
                check_version(api, asked)
            if scope["method"] in _BODY_METHODS:
                receive = await self._body(headers, scope["method"], receive)
        except Problem as problem:
            await problem.response()(scope, receive, send_with_version)
            return
        try:
            await self.app(scope, receive, send_with_version)
        except Exception as error:
            if answered:
                raise
            log.exception("%s %s failed", scope["method"], scope["path"])
            failure = Problem(500, f"internal error: {type(error).__name__}")
            await failure.response()(scope, receive, send_with_version)

    def _api(self, scope: Scope) -> Api | None:
        path: str = scope["path"]
        return next((api for api in self.apis if path.startswith(f"/{api.name}/")), None)

    async def _body(self, headers: Headers, method: str, receive: Receive) -> Receive:
        """Read the whole body within the limit, check its media type, and return what replays it."""
        if int(headers.get("content-length", "0") or 0) > self.max_body:
            raise too_large(self.max_body)
        chunks: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            more = message.get("more_body", False)
            if size > self.max_body:
                raise too_large(self.max_body)
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if size and media_type not in _BODY_METHODS[method]:
            raise Problem(
                415,
                f"{method} takes {' or '.join(_BODY_METHODS[method])}, not {media_type or 'a body without a type'}",
                headers={"Accept-Patch": MERGE_PATCH} if method == "PATCH" else {},
            )
        queued: list[Message] = [{"type": "http.request", "body": b"".join(chunks), "more_body": False}]

        async def replay() -> Message:
            return queued.pop() if queued else await receive()

        return replay


def check_version(api: Api, asked: str) -> None:
    """Raise the problem for a missing or unsupported Version header (SOL013 9.1)."""
    if not asked:
        raise Problem(400, f"the Version header is missing; supported: {', '.join(api.versions)}")
    if asked not in api.versions:
        raise Problem(406, f"version {asked} is not supported; supported: {', '.join(api.versions)}")


def too_large(limit: int) -> Problem:
    """413 for a body beyond `limit` bytes."""
    return Problem(413, f"the body is longer than {limit} bytes")
