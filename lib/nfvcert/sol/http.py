"""Synchronous HTTP client with which the tester talks to a stack under test (SOL013 4 and 6).

Every exchange is told to an observer before the caller sees the answer, so the history is never behind the stimulus.
No answer, or an answer that is not what the interface may carry, is a :class:`~nfvcert.errors.StackError`; an error
answer is an :class:`Answer` like any other, because judging it is the checker's work.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self
from urllib.parse import urljoin

import httpx
from pydantic import ValidationError

from nfvcert.closing import Closing
from nfvcert.errors import StackError
from nfvcert.sol.common import ProblemDetails

Observer = Callable[[dict[str, Any]], None]
Expect = Literal["object", "list", "any", "bytes"]

_NEXT_LINK = re.compile(r"<([^>]*)>\s*;[^,]*\brel=\"?next\"?")
_SHOWN = 160
_HIDDEN = {"authorization": "(hidden)"}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer.

    Attributes:
        method, url: of the request.
        status: HTTP status code.
        headers: header fields with lower-case names.
        body: parsed JSON, ``bytes`` when bytes were asked for, text of a non-JSON error answer, None if there is none.
        problem: the problem details of an error answer that has valid ones.
        t_start, t_end: CLOCK_MONOTONIC in ns, before sending and after the last byte.
    """

    method: str
    url: str
    status: int
    headers: dict[str, str]
    body: Any
    problem: ProblemDetails | None
    t_start: int
    t_end: int

    @property
    def ok(self) -> bool:
        """The status is 2xx."""
        return 200 <= self.status < 300

    @property
    def location(self) -> str:
        """The absolute URI of the Location header; "" if there is none."""
        value = self.headers.get("location", "")
        return urljoin(self.url, value) if value else ""

    @property
    def etag(self) -> str:
        """The entity tag; "" if there is none."""
        return self.headers.get("etag", "")

    def expect(self, *statuses: int) -> Self:
        """This answer if its status is one of `statuses`; otherwise a StackError that quotes the problem."""
        if self.status in statuses:
            return self
        wanted = " or ".join(str(status) for status in statuses)
        detail = self.problem.detail if self.problem else _shown(self.body)
        raise StackError(
            f"{self.method} answered {self.status}, expected {wanted}", where=self.url, found=detail or "no body"
        )


@dataclass
class SolClient(Closing):
    """Client of one API of one component.

    Args:
        base_url: root under which the API's paths begin, for example ``http://127.0.0.1:9101``.
        version: value of the Version header (SOL013 9.1); "" sends none.
        timeout: seconds for connecting and for each read.
        observer: called once per exchange with ``method, url, request_headers, request_body, status, response_headers,
            response_body, t_start, t_end`` (ns; credentials hidden) and, when nothing answered, ``error`` in place of
            the answer's fields.
        headers: further header fields of every request.
    """

    base_url: str
    version: str = ""
    timeout: float = 10.0
    observer: Observer | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    transport: httpx.BaseTransport | None = None

    def __post_init__(self) -> None:
        self._http = httpx.Client(timeout=self.timeout, transport=self.transport, trust_env=False)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def url(self, path: str) -> str:
        """The absolute URI of `path`; absolute URIs (from Location or _links) stay as they are."""
        if path.startswith(("http://", "https://")):
            return path
        return self.base_url.rstrip("/") + "/" + path.lstrip("/")

    def get(self, path: str, *, params: Mapping[str, str] | None = None, expect: Expect = "any") -> Answer:
        """Read a resource."""
        return self.request("GET", path, params=params, expect=expect)

    def post(self, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Create a resource or start a task; `body` is sent as JSON, None sends no body."""
        return self.request("POST", path, body=body, headers=headers)

    def patch(self, path: str, body: Any, *, if_match: str = "") -> Answer:
        """Change a resource by a JSON merge patch (RFC 7396)."""
        headers = {"Content-Type": "application/merge-patch+json"} | ({"If-Match": if_match} if if_match else {})
        return self.request("PATCH", path, body=body, headers=headers)

    def put(self, path: str, content: bytes, content_type: str) -> Answer:
        """Upload bytes, as package content."""
        return self.request("PUT", path, content=content, headers={"Content-Type": content_type})

    def delete(self, path: str) -> Answer:
        """Delete a resource."""
        return self.request("DELETE", path)

    def get_all(self, path: str, *, params: Mapping[str, str] | None = None, max_pages: int = 1000) -> list[Any]:
        """All items of a collection; the next links of SOL013 5.4 are followed.

        Raises:
            StackError: a page is not 200 with a list, a page links to one already read, or there are too many.
        """
        items: list[Any] = []
        seen: set[str] = set()
        link, query = self.url(path), params
        for _ in range(max_pages):
            answer = self.get(link, params=query, expect="list").expect(200)
            items.extend(answer.body)
            found = _NEXT_LINK.search(answer.headers.get("link", ""))
            if not found:
                return items
            link, query = urljoin(answer.url, found.group(1)), None
            if link in seen:
                raise StackError("the collection links to a page already read", where=answer.url, found=link)
            seen.add(link)
        raise StackError(f"the collection has more than {max_pages} pages", where=self.url(path))

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Expect = "any",
    ) -> Answer:
        """Send one request and read its answer.

        Raises:
            StackError: nothing answered in time, or a 2xx answer is not of the kind `expect` names.
        """
        sent = {"Accept": "*/*" if expect == "bytes" else "application/json, application/problem+json"}
        if self.version:
            sent["Version"] = self.version
        sent |= dict(self.headers)
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = json.dumps(body, separators=(",", ":")).encode()
        sent |= dict(headers or {})
        try:
            request = self._http.build_request(
                method, self.url(path), params=dict(params) if params else None, headers=sent, content=content
            )
        except httpx.InvalidURL as error:
            raise StackError(f"{method}: this is no URL", where=self.url(path), found=str(error)) from error
        event: dict[str, Any] = {
            "method": method,
            "url": str(request.url),
            "request_headers": {name: _HIDDEN.get(name.lower(), value) for name, value in sent.items()},
            "request_body": body if body is not None or content is None else {"bytes": len(content)},
            "t_start": time.monotonic_ns(),
        }
        try:
            response = self._http.send(request)
        except httpx.HTTPError as error:
            event |= {"t_end": time.monotonic_ns(), "error": f"{type(error).__name__}: {error}"}
            self._tell(event)
            what = "no answer in time" if isinstance(error, httpx.TimeoutException) else "no answer"
            raise StackError(f"{method}: {what}", where=str(request.url), found=event["error"]) from error
        event["t_end"] = time.monotonic_ns()
        parsed, fault = _parse(response, expect)
        event |= {
            "status": response.status_code,
            "response_headers": {name.lower(): value for name, value in response.headers.items()},
            "response_body": {"bytes": len(parsed)} if isinstance(parsed, bytes) else parsed,
        }
        self._tell(event)
        if fault:
            raise StackError(f"{method}: {fault}", where=str(request.url), found=_shown(parsed))
        return Answer(
            method=method,
            url=str(request.url),
            status=response.status_code,
            headers=event["response_headers"],
            body=parsed,
            problem=_problem(response, parsed),
            t_start=event["t_start"],
            t_end=event["t_end"],
        )

    def _tell(self, event: dict[str, Any]) -> None:
        if self.observer:
            self.observer(event)


def _parse(response: httpx.Response, expect: Expect) -> tuple[Any, str]:
    """The body and, if a 2xx body is not of the kind asked for, what is wrong with it."""
    ok = response.is_success
    if ok and expect == "bytes":
        return response.content, ""
    if not response.content:
        return None, f"an empty answer where a JSON {expect} was expected" if ok and expect != "any" else ""
    try:
        body = response.json()
    except ValueError:
        return response.text, "the body is not JSON" if ok else ""
    if ok and expect == "object" and not isinstance(body, dict):
        return body, "the body is not a JSON object"
    if ok and expect == "list" and not isinstance(body, list):
        return body, "the body is not a JSON array"
    return body, ""


def _problem(response: httpx.Response, body: Any) -> ProblemDetails | None:
    if response.status_code < 400 or not isinstance(body, dict):
        return None
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        return ProblemDetails.model_validate(body)
    except ValidationError:
        return None


def _shown(body: Any) -> str:
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body, default=repr)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
