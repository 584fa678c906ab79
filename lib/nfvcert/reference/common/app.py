"""Application factory of the reference components: SOL013 rules, problem documents, api_versions and health."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI

from nfvcert.reference.common import problem
from nfvcert.reference.common.headers import Api, SolHeaders
from nfvcert.sol.common import ApiVersionInformation, VersionInformation

MAX_BODY = 1024 * 1024
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _no_lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


def create_app(
    title: str, apis: Sequence[Api], *, lifespan: Lifespan | None = None, max_body: int = MAX_BODY
) -> FastAPI:
    """An application which keeps the rules of SOL013 for `apis` and answers ``GET /health`` with 200.

    Args:
        title: name of the component in its OpenAPI document (``/openapi.json``).
        apis: the APIs whose paths need a Version header; their routers are included by the caller.
        lifespan: async context manager run around serving: start and stop background tasks there.
        max_body: longest JSON body in bytes.
    """
    app = FastAPI(
        title=title,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan or _no_lifespan,
    )
    app.add_middleware(SolHeaders, apis=tuple(apis), max_body=max_body)
    problem.install(app)

    @app.get("/health", include_in_schema=False)
    async def health() -> dict[str, str]:
        return {"status": "ok", "component": title}

    for api in apis:
        _add_versions(app, api)
    return app


def _add_versions(app: FastAPI, api: Api) -> None:
    """The api_versions resources of `api`, with and without major version in the path (SOL013 9.3)."""
    body = ApiVersionInformation(
        uriPrefix=f"/{api.name}", apiVersions=[VersionInformation(version=version) for version in api.versions]
    ).dump()

    async def versions() -> dict[str, Any]:
        return body

    for path in (f"/{api.name}/api_versions", f"{api.prefix}/api_versions"):
        app.add_api_route(path, versions, methods=["GET"], include_in_schema=False)
