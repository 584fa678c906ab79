"""Asynchronous client with which one component calls another: Version header, timeouts, problem documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import httpx

from nfvcert.reference.common.problem import Problem


class PeerError(Problem):
    """A peer did not answer, answered rubbish, or refused.

    As a Problem it can be raised in a request (answered 503) or kept as the ``error`` of an operation.

    Attributes:
        answered: HTTP status the peer gave; 0 if it gave none.
    """

    def __init__(self, detail: str, *, answered: int = 0) -> None:
        super().__init__(503, detail)
        self.answered = answered


class Peer:
    """Client of one API at one peer.

    Args:
        name: of the peer, for messages.
        base_url: root under which the API's paths begin.
        version: value of the Version header; "" sends none.
        timeout: seconds for connecting and for each read.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        version: str = "",
        *,
        timeout: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        headers = {"Accept": "application/json, application/problem+json"} | ({"Version": version} if version else {})
        self._http = httpx.AsyncClient(timeout=timeout, headers=headers, trust_env=False, transport=transport)

    async def close(self) -> None:
        """Close idle connections."""
        await self._http.aclose()

    def url(self, path: str) -> str:
        """The absolute URI of `path`; absolute URIs stay as they are."""
        return path if path.startswith(("http://", "https://")) else f"{self.base_url}/{path.lstrip('/')}"

    async def send(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """One exchange, whatever the status.

        Raises:
            PeerError: no answer.
        """
        try:
            return await self._http.request(
                method,
                self.url(path),
                json=json,
                params=dict(params) if params else None,
                headers=dict(headers or {}),
                timeout=timeout if timeout is not None else httpx.USE_CLIENT_DEFAULT,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PeerError(
                f"{self.name} does not answer {method} {self.url(path)}: {type(error).__name__} {error}".rstrip()
            ) from error

    async def call(self, method: str, path: str, *, expect: tuple[int, ...] = (200,), **options: Any) -> httpx.Response:
        """One exchange whose status must be one of `expect`.

        Raises:
            PeerError: no answer, or another status; the detail of the peer's problem document is quoted.
        """
        response = await self.send(method, path, **options)
        if response.status_code not in expect:
            status, url = response.status_code, response.request.url
            raise PeerError(f"{self.name} answered {status} to {method} {url}: {detail_of(response)}", answered=status)
        return response

    async def get_object(self, path: str, **options: Any) -> dict[str, Any]:
        """The JSON object at `path`.

        Raises:
            PeerError: no answer, not 200, or not a JSON object.
        """
        return object_of(await self.call("GET", path, **options), self.name)

    async def get_list(self, path: str, **options: Any) -> list[Any]:
        """All items of the collection at `path`, next links followed.

        Raises:
            PeerError: no answer, not 200, or not a JSON array.
        """
        items: list[Any] = []
        while True:
            response = await self.call("GET", path, **options)
            page = _json(response, self.name)
            if not isinstance(page, list):
                raise PeerError(f"{self.name} answered GET {response.request.url} with something not a JSON array")
            items.extend(page)
            following = response.links.get("next", {}).get("url", "")
            if not following:
                return items
            path = urljoin(str(response.request.url), following)
            options.pop("params", None)


def object_of(response: httpx.Response, name: str) -> dict[str, Any]:
    """The JSON object in `response`; PeerError if it has none."""
    body = _json(response, name)
    if not isinstance(body, dict):
        raise PeerError(f"{name} answered {response.request.url} with something not a JSON object")
    return body


def detail_of(response: httpx.Response) -> str:
    """The detail of a problem document, or the beginning of the body."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and isinstance(body.get("detail"), str):
        return str(body["detail"])
    return response.text[:200] or "no body"


def _json(response: httpx.Response, name: str) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise PeerError(f"{name} answered {response.request.url} with a body that is not JSON") from error
