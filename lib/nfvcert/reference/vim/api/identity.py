"""Identity service (Keystone v3): password and token authentication, service catalog, projects."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

from nfvcert.reference.vim.api.service import read_member
from nfvcert.reference.vim.api.tokens import REFUSED, Token, Tokens
from nfvcert.reference.vim.faults import BadRequestError, NotFoundError, UnauthorizedError

DOMAIN = {"id": "default", "name": "Default"}
ROLES = [{"id": "admin", "name": "admin"}, {"id": "member", "name": "member"}, {"id": "reader", "name": "reader"}]


def catalog(url: str, region: str) -> list[dict[str, Any]]:
    """The service catalog; every service is below one prefix of `url`."""
    services = [
        ("identity", "keystone", f"{url}/identity"),
        ("compute", "nova", f"{url}/compute/v2.1"),
        ("network", "neutron", f"{url}/network"),
        ("image", "glance", f"{url}/image"),
    ]
    return [
        {
            "id": f"{name}-service",
            "type": type,
            "name": name,
            "endpoints": [
                {"id": f"{name}-{face}", "interface": face, "region": region, "region_id": region, "url": address}
                for face in ("public", "internal", "admin")
            ],
        }
        for type, name, address in services
    ]


def router(tokens: Tokens, url: str, region: str) -> APIRouter:
    """The routes of the service."""
    routes = APIRouter()
    version = {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{url}/identity/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }
    domain = DOMAIN | {"name": tokens.user.domain_name}
    project = {
        "id": tokens.project_id,
        "name": tokens.user.project_name,
        "domain_id": DOMAIN["id"],
        "parent_id": DOMAIN["id"],
        "enabled": True,
        "is_domain": False,
        "description": "",
        "tags": [],
        "options": {},
        "links": {"self": f"{url}/identity/v3/projects/{tokens.project_id}"},
    }

    def view(token: Token) -> dict[str, Any]:
        body: dict[str, Any] = {
            "methods": list(token.methods),
            "audit_ids": [token.audit_id],
            "issued_at": _stamp(token.issued),
            "expires_at": _stamp(token.expires),
            "user": {
                "id": tokens.user_id,
                "name": tokens.user.username,
                "domain": domain,
                "password_expires_at": None,
            },
        }
        if token.scoped:
            body |= {
                "project": {"id": tokens.project_id, "name": tokens.user.project_name, "domain": domain},
                "is_domain": False,
                "roles": ROLES,
                "catalog": catalog(url, region),
            }
        return {"token": body}

    async def versions() -> JSONResponse:
        return JSONResponse({"versions": {"values": [version]}}, 300)

    async def one_version() -> dict[str, Any]:
        return {"version": version}

    for path in ("/identity", "/identity/"):
        routes.add_api_route(path, versions, methods=["GET"])
    for path in ("/identity/v3", "/identity/v3/"):
        routes.add_api_route(path, one_version, methods=["GET"])

    @routes.post("/identity/v3/auth/tokens")
    async def create(request: Request) -> JSONResponse:
        auth = await read_member(request, "auth")
        methods = _check(tokens, auth)
        token = tokens.issue(methods, scoped=_scoped(tokens, auth))
        return JSONResponse(view(token), 201, headers={"X-Subject-Token": token.id, "Vary": "X-Auth-Token"})

    @routes.get("/identity/v3/auth/tokens", dependencies=[Depends(tokens.require)])
    async def show(request: Request) -> JSONResponse:
        token = _subject(tokens, request)
        return JSONResponse(view(token), headers={"X-Subject-Token": token.id})

    @routes.delete("/identity/v3/auth/tokens", dependencies=[Depends(tokens.require)], status_code=204)
    async def revoke(request: Request) -> Response:
        tokens.revoke(_subject(tokens, request).id)
        return Response(status_code=204)

    @routes.get("/identity/v3/auth/catalog", dependencies=[Depends(tokens.require)])
    async def show_catalog() -> dict[str, Any]:
        return {"catalog": catalog(url, region), "links": {"self": f"{url}/identity/v3/auth/catalog"}}

    @routes.get("/identity/v3/auth/projects", dependencies=[Depends(tokens.require)])
    @routes.get("/identity/v3/projects", dependencies=[Depends(tokens.require)])
    async def projects(request: Request) -> dict[str, Any]:
        name = request.query_params.get("name", project["name"])
        return {"projects": [project] if name == project["name"] else [], "links": {"next": None, "previous": None}}

    @routes.get("/identity/v3/projects/{id}", dependencies=[Depends(tokens.require)])
    async def show_project(id: str) -> dict[str, Any]:
        if id != tokens.project_id:
            raise NotFoundError("project", id)
        return {"project": project}

    return routes


def _check(tokens: Tokens, auth: dict[str, Any]) -> tuple[str, ...]:
    """The methods by which a request has proved who it is."""
    identity = auth.get("identity")
    methods = identity.get("methods") if isinstance(identity, dict) else None
    if not isinstance(identity, dict) or not isinstance(methods, list) or not methods:
        raise BadRequestError("'identity' with its 'methods' is a required property")
    for method in methods:
        proof = identity.get(method)
        if not isinstance(proof, dict):
            raise BadRequestError(f"'{method}' is a required property")
        if method == "password":
            user = proof.get("user")
            if not isinstance(user, dict) or not isinstance(user.get("password"), str):
                raise BadRequestError("'user' with 'password' is a required property")
            if not tokens.password_is(user.get("name"), user.get("id"), user["password"]):
                raise UnauthorizedError(REFUSED)
        elif method == "token":
            if tokens.find(str(proof.get("id", ""))) is None:
                raise UnauthorizedError(REFUSED)
        else:
            raise UnauthorizedError(f"Attempted to authenticate with an unsupported method {method!r}.")
    return tuple(methods)


def _scoped(tokens: Tokens, auth: dict[str, Any]) -> bool:
    """Whether the token is to be for the project (the default) or for none; another project is refused."""
    scope = auth.get("scope")
    if scope == "unscoped":
        return False
    if not isinstance(scope, dict) or "project" not in scope:
        return True
    project = scope["project"]
    if not isinstance(project, dict):
        raise BadRequestError("'project' must be an object")
    known = project.get("id") == tokens.project_id or project.get("name") == tokens.user.project_name
    if not known:
        raise UnauthorizedError(REFUSED)
    return True


def _subject(tokens: Tokens, request: Request) -> Token:
    token = tokens.find(request.headers.get("X-Subject-Token", ""))
    if token is None:
        raise NotFoundError("token", "of X-Subject-Token")
    return token


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
