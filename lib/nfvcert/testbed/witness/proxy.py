"""The recording reverse proxy on one reference point, as a plain ASGI application."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

from nfvcert.history import EventKind
from nfvcert.testbed.witness.models import Listener, Rule
from nfvcert.testbed.witness.record import kept_headers, recorded_body
from nfvcert.testbed.witness.state import WitnessState

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"content-length",
        b"host",
        b"date",
        b"server",
    }
)


class Proxy:
    """Forwards every request of one listener and records it before the answer goes on."""

    def __init__(self, listener: Listener, state: WitnessState, timeout_s: float) -> None:
        self.listener = listener
        self.state = state
        self.client = httpx.AsyncClient(
            base_url=listener.upstream,
            timeout=timeout_s,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=50, keepalive_expiry=20),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry point; only HTTP requests arrive here."""
        if scope["type"] != "http":
            return
        arrived = time.monotonic_ns()
        content = await _body(receive)
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _HOP_BY_HOP]
        rule = self.state.rule_for(self.listener.name, method, path)
        if rule is not None and rule.action == "hold":
            await self.state.hold(rule)
        if rule is not None and rule.action == "answer":
            status, answer_headers, answer = _own_answer(rule)
        else:
            target = path + (f"?{query}" if query else "")
            status, answer_headers, answer = await self._forward(method, target, headers, content)
        self.state.record(
            EventKind.API_CALL,
            f"witness:{self.listener.name}",
            {
                "reference_point": self.listener.name,
                "method": method,
                "path": path,
                "query": query,
                "t_request": arrived,
                "request_headers": kept_headers(headers),
                "request": recorded_body(content, dict(headers).get(b"content-type", b"").decode("latin-1")),
                "status": status,
                "headers": kept_headers(answer_headers),
                "answer": recorded_body(answer, dict(answer_headers).get(b"content-type", b"").decode("latin-1")),
                "fault": rule.id if rule else None,
            },
        )
        passed = [(name, value) for name, value in answer_headers if name.lower() not in _HOP_BY_HOP]
        if status not in (204, 304):
            passed.append((b"content-length", str(len(answer)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": passed})
        await send({"type": "http.response.body", "body": answer})

    async def _forward(
        self, method: str, target: str, headers: list[tuple[bytes, bytes]], content: bytes
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        try:
            answer = await self._send(method, target, headers, content)
        except httpx.HTTPError as error:
            body = {"status": 504, "title": "no answer", "detail": f"{self.listener.upstream}: {error!r}"}
            return 504, [(b"content-type", b"application/problem+json")], json.dumps(body).encode()
        return answer.status_code, [(k.lower(), v) for k, v in answer.headers.raw], answer.content

    async def _send(
        self, method: str, target: str, headers: list[tuple[bytes, bytes]], content: bytes
    ) -> httpx.Response:
        try:
            return await self.client.request(method, target, headers=headers, content=content)
        except (httpx.RemoteProtocolError, httpx.ReadError):
            # A kept connection that the other side closed meanwhile; safe methods are sent once more on a new one.
            if method not in ("GET", "HEAD"):
                raise
            await asyncio.sleep(0)
            return await self.client.request(method, target, headers=headers, content=content)


def _own_answer(rule: Rule) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    body = rule.body or {"status": rule.status, "title": "refused", "detail": "refused by the test system"}
    return rule.status, [(b"content-type", b"application/problem+json")], json.dumps(body).encode()


async def _body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)
