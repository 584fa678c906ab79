"""Compute service (Nova v2.1): versions, flavors, groups, hypervisors, quotas. Servers are in `servers`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from starlette.responses import JSONResponse

from nfvcert.reference.vim.api import servers
from nfvcert.reference.vim.api.microversion import MAXIMUM, MINIMUM, Microversion, negotiate
from nfvcert.reference.vim.api.service import Body, next_link, page, parse, read_member
from nfvcert.reference.vim.api.tokens import Tokens
from nfvcert.reference.vim.cloud import Cloud
from nfvcert.reference.vim.records import Flavor, ServerGroup
from nfvcert.reference.vim.scheduler import HostState


class FlavorCreate(Body):
    """Body of a flavor's creation."""

    name: str = Field(min_length=1, max_length=255)
    id: str | int | None = None
    vcpus: int = Field(ge=1)
    ram: int = Field(ge=1)
    disk: int = Field(default=0, ge=0)
    swap: int = 0
    rxtx_factor: float = 1.0
    ephemeral: int = Field(default=0, alias="OS-FLV-EXT-DATA:ephemeral")
    is_public: bool = Field(default=True, alias="os-flavor-access:is_public")
    description: str | None = None


class GroupCreate(Body):
    """Body of a server group's creation: `policies` up to 2.63, `policy` and `rules` from 2.64 on."""

    name: str = Field(min_length=1, max_length=255)
    policies: list[str] | None = Field(default=None, min_length=1, max_length=1)
    policy: str | None = None
    rules: dict[str, Any] = Field(default_factory=dict)


def flavor_view(flavor: Flavor, url: str) -> dict[str, Any]:
    """A flavor as the API shows it."""
    return {
        "id": flavor.id,
        "name": flavor.name,
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "swap": 0,
        "rxtx_factor": 1.0,
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": flavor.is_public,
        "description": flavor.description,
        "extra_specs": flavor.extra_specs,
        "links": [{"rel": "self", "href": f"{url}/compute/v2.1/flavors/{flavor.id}"}],
    }


def group_view(group: ServerGroup, version: Microversion) -> dict[str, Any]:
    """A server group as the API shows it in a microversion."""
    body: dict[str, Any] = {"id": group.id, "name": group.name, "members": group.members}
    if version >= (2, 13):
        body |= {"project_id": group.project_id, "user_id": ""}
    if version >= (2, 64):
        return body | {"policy": group.policy, "rules": group.rules}
    return body | {"policies": [group.policy], "metadata": {}}


def hypervisor_view(host: HostState, running: int) -> dict[str, Any]:
    """A host as the API shows it."""
    return {
        "id": host.name,
        "hypervisor_hostname": host.name,
        "hypervisor_type": "container",
        "hypervisor_version": 1,
        "host_ip": "127.0.0.1",
        "state": "up",
        "status": "enabled",
        "vcpus": host.vcpus,
        "vcpus_used": host.vcpus_used,
        "memory_mb": host.ram_mb,
        "memory_mb_used": host.ram_mb_used,
        "free_ram_mb": host.ram_mb_free,
        "local_gb": 0,
        "local_gb_used": 0,
        "free_disk_gb": 0,
        "disk_available_least": 0,
        "running_vms": running,
        "current_workload": 0,
        "cpu_info": {},
        "service": {"id": host.name, "host": host.name, "disabled_reason": None},
    }


def router(cloud: Cloud, tokens: Tokens, url: str) -> APIRouter:
    """The routes of the service."""
    public = APIRouter()
    version = {
        "id": "v2.1",
        "status": "CURRENT",
        "version": str(MAXIMUM),
        "min_version": str(MINIMUM),
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{url}/compute/v2.1/"}],
    }

    async def versions() -> dict[str, Any]:
        return {"versions": [version]}

    async def one_version() -> dict[str, Any]:
        return {"version": version}

    for path in ("/compute", "/compute/"):
        public.add_api_route(path, versions, methods=["GET"])
    for path in ("/compute/v2.1", "/compute/v2.1/"):
        public.add_api_route(path, one_version, methods=["GET"])
    routes = APIRouter(prefix="/compute/v2.1", dependencies=[Depends(tokens.require), Depends(negotiate)])
    _flavors(routes, cloud, tokens, url)
    _groups(routes, cloud, tokens)
    _capacity(routes, cloud)
    servers.add_routes(routes, cloud, tokens, url)
    public.include_router(routes)
    return public


def _flavors(routes: APIRouter, cloud: Cloud, tokens: Tokens, url: str) -> None:
    flavors = cloud.computing.flavors

    def listing(request: Request, *, detailed: bool) -> dict[str, Any]:
        minimum = (
            int(request.query_params.get("minRam", "0")) if request.query_params.get("minRam", "0").isdigit() else 0
        )
        found = [(f.id, flavor_view(f, url)) for f in flavors if f.ram >= minimum]
        shown, following = page(request, found)
        if not detailed:
            shown = [{key: view[key] for key in ("id", "name", "description", "links")} for view in shown]
        body: dict[str, Any] = {"flavors": shown}
        if following:
            body["flavors_links"] = [next_link(request, f"{url}{request.url.path}", following)]
        return body

    @routes.get("/flavors")
    async def list_flavors(request: Request) -> dict[str, Any]:
        return listing(request, detailed=False)

    @routes.get("/flavors/detail")
    async def list_details(request: Request) -> dict[str, Any]:
        return listing(request, detailed=True)

    @routes.post("/flavors")
    async def create(request: Request) -> dict[str, Any]:
        body = parse(FlavorCreate, await read_member(request, "flavor"))
        flavor = cloud.computing.create_flavor(
            tokens.project_id,
            id=None if body.id in (None, "auto") else str(body.id),
            **body.model_dump(include={"name", "vcpus", "ram", "disk", "is_public", "description"}),
        )
        return {"flavor": flavor_view(flavor, url)}

    @routes.get("/flavors/{id}")
    async def show(id: str) -> dict[str, Any]:
        return {"flavor": flavor_view(flavors.get(id), url)}

    @routes.delete("/flavors/{id}", status_code=202)
    async def delete(id: str) -> Response:
        flavors.remove(flavors.get(id).id)
        return Response(status_code=202)

    @routes.get("/flavors/{id}/os-extra_specs")
    async def show_specs(id: str) -> dict[str, Any]:
        return {"extra_specs": flavors.get(id).extra_specs}

    @routes.post("/flavors/{id}/os-extra_specs")
    async def add_specs(id: str, request: Request) -> dict[str, Any]:
        flavor = flavors.get(id)
        specs = await read_member(request, "extra_specs")
        flavor.extra_specs |= {str(key): str(value) for key, value in specs.items()}
        return {"extra_specs": flavors.save(flavor).extra_specs}


def _groups(routes: APIRouter, cloud: Cloud, tokens: Tokens) -> None:
    groups = cloud.computing.groups

    @routes.get("/os-server-groups")
    async def list_groups(request: Request, version: Microversion = Depends(negotiate)) -> dict[str, Any]:
        return {"server_groups": [group_view(group, version) for group in groups]}

    @routes.post("/os-server-groups")
    async def create(request: Request, version: Microversion = Depends(negotiate)) -> dict[str, Any]:
        body = parse(GroupCreate, await read_member(request, "server_group"))
        policy = body.policy or (body.policies or [""])[0]
        group = cloud.computing.create_group(tokens.project_id, body.name, policy, body.rules)
        return {"server_group": group_view(group, version)}

    @routes.get("/os-server-groups/{id}")
    async def show(id: str, version: Microversion = Depends(negotiate)) -> dict[str, Any]:
        return {"server_group": group_view(groups.get(id), version)}

    @routes.delete("/os-server-groups/{id}", status_code=204)
    async def delete(id: str) -> Response:
        groups.remove(groups.get(id).id)
        return Response(status_code=204)


def _capacity(routes: APIRouter, cloud: Cloud) -> None:
    computing = cloud.computing

    def hypervisors() -> list[dict[str, Any]]:
        count = {state.name: sum(s.host == state.name for s in computing.servers) for state in cloud.host_states()}
        return [hypervisor_view(state, count[state.name]) for state in cloud.host_states()]

    @routes.get("/os-hypervisors")
    @routes.get("/os-hypervisors/detail")
    async def list_hypervisors(request: Request) -> dict[str, Any]:
        pattern = request.query_params.get("hypervisor_hostname_pattern", "")
        return {"hypervisors": [view for view in hypervisors() if pattern in view["hypervisor_hostname"]]}

    @routes.get("/os-hypervisors/statistics")
    async def statistics() -> dict[str, Any]:
        views = hypervisors()
        names = ("vcpus", "vcpus_used", "memory_mb", "memory_mb_used", "free_ram_mb", "running_vms")
        return {"hypervisor_statistics": {"count": len(views)} | {n: sum(v[n] for v in views) for n in names}}

    @routes.get("/limits")
    async def limits() -> dict[str, Any]:
        quota, used = computing.quota, computing.usage()
        absolute = {
            "maxTotalInstances": quota.instances,
            "maxTotalCores": quota.cores,
            "maxTotalRAMSize": quota.ram,
            "maxServerGroups": quota.server_groups,
            "maxServerGroupMembers": quota.server_group_members,
            "maxServerMeta": quota.metadata_items,
            "totalInstancesUsed": used.instances,
            "totalCoresUsed": used.cores,
            "totalRAMUsed": used.ram,
            "totalServerGroupsUsed": len(computing.groups),
        }
        return {"limits": {"absolute": absolute, "rate": []}}

    @routes.get("/os-quota-sets/{project}")
    @routes.get("/os-quota-sets/{project}/defaults")
    async def quota_set(project: str) -> dict[str, Any]:
        return {"quota_set": {"id": project} | _compute_quota(cloud)}

    @routes.get("/os-quota-sets/{project}/detail")
    async def quota_detail(project: str) -> dict[str, Any]:
        used = computing.usage().as_dict()
        detail = {n: {"limit": v, "in_use": used.get(n, 0), "reserved": 0} for n, v in _compute_quota(cloud).items()}
        return {"quota_set": {"id": project} | detail}

    @routes.get("/os-availability-zone")
    @routes.get("/os-availability-zone/detail")
    async def zones() -> dict[str, Any]:
        hosts: dict[str, dict[str, Any]] = {state.name: {} for state in cloud.host_states()}
        return {"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}, "hosts": hosts}]}

    @routes.get("/extensions")
    async def extensions() -> JSONResponse:
        return JSONResponse({"extensions": []})

    @routes.get("/os-keypairs")
    async def keypairs() -> JSONResponse:
        return JSONResponse({"keypairs": []})


def _compute_quota(cloud: Cloud) -> dict[str, int]:
    return cloud.computing.quota.model_dump(exclude={"network", "subnet", "port"})
