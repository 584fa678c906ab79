"""Network service (Neutron v2.0): networks, subnets, ports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from starlette.responses import JSONResponse

from nfvcert.reference.vim.api.service import Body, next_link, page, parse, read_member
from nfvcert.reference.vim.api.tokens import Tokens
from nfvcert.reference.vim.faults import BadRequestError, NotFoundError
from nfvcert.reference.vim.networking import Networking
from nfvcert.reference.vim.quotas import Quota
from nfvcert.reference.vim.records import Network, Port, Subnet

EXTENSIONS = {
    "provider": "Provider Network",
    "port-security": "Port Security",
    "allowed-address-pairs": "Allowed Address Pairs",
    "binding": "Port Binding",
    "net-mtu": "Network MTU",
    "quotas": "Quota management support",
    "standard-attr-timestamp": "Resource timestamps",
}
BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


class FixedIp(Body):
    """An address wish of a port."""

    subnet_id: str | None = None
    ip_address: str | None = None

    def wish(self) -> dict[str, str]:
        """Only what is given."""
        return self.model_dump(exclude_none=True)


class Common(Body):
    """Members that every resource takes and that mean nothing here."""

    project_id: str | None = None
    tenant_id: str | None = None
    name: str = ""
    description: str = ""


class NetworkCreate(Common):
    """Body of a network's creation."""

    admin_state_up: bool = True
    shared: bool = False
    mtu: int | None = Field(default=None, ge=576, le=9000)
    port_security_enabled: bool = False
    router_external: bool = Field(default=False, alias="router:external")
    is_default: bool = False
    network_type: Literal["vxlan"] = Field(default="vxlan", alias="provider:network_type")
    segmentation_id: int | None = Field(default=None, alias="provider:segmentation_id", ge=1, le=0xFFFFFF)
    availability_zone_hints: list[str] = Field(default_factory=list)


class NetworkUpdate(Body):
    """Body of a network's change."""

    name: str | None = None
    description: str | None = None
    admin_state_up: bool | None = None
    shared: bool | None = None


class SubnetCreate(Common):
    """Body of a subnet's creation."""

    network_id: str
    cidr: str
    ip_version: Literal[4] = 4
    gateway_ip: str | None = None
    enable_dhcp: bool = True
    allocation_pools: list[dict[str, str]] | None = None
    dns_nameservers: list[str] = Field(default_factory=list)
    host_routes: list[dict[str, str]] = Field(default_factory=list)


class SubnetUpdate(Body):
    """Body of a subnet's change."""

    name: str | None = None
    description: str | None = None
    enable_dhcp: bool | None = None
    dns_nameservers: list[str] | None = None
    host_routes: list[dict[str, str]] | None = None


class PortCreate(Common):
    """Body of a port's creation."""

    network_id: str
    admin_state_up: bool = True
    mac_address: str | None = Field(default=None, pattern=r"^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$")
    fixed_ips: list[FixedIp] | None = None
    allowed_address_pairs: list[dict[str, str]] = Field(default_factory=list)
    port_security_enabled: bool = False
    security_groups: list[str] = Field(default_factory=list)
    vnic_type: str = Field(default="normal", alias="binding:vnic_type")
    device_id: str = ""
    device_owner: str = ""


class PortUpdate(Body):
    """Body of a port's change."""

    name: str | None = None
    description: str | None = None
    admin_state_up: bool | None = None
    fixed_ips: list[FixedIp] | None = None
    allowed_address_pairs: list[dict[str, str]] | None = None
    port_security_enabled: bool | None = None
    security_groups: list[str] | None = None


def network_view(networking: Networking, network: Network) -> dict[str, Any]:
    """A network as the API shows it to an administrator."""
    return {
        "id": network.id,
        "name": network.name,
        "description": network.description,
        "tenant_id": network.project_id,
        "project_id": network.project_id,
        "status": "ACTIVE",
        "admin_state_up": network.admin_state_up,
        "shared": network.shared,
        "mtu": network.mtu,
        "subnets": [subnet.id for subnet in networking.subnets_of(network.id)],
        "router:external": False,
        "port_security_enabled": False,
        "provider:network_type": "vxlan",
        "provider:physical_network": None,
        "provider:segmentation_id": network.vni,
        "availability_zones": [],
        "availability_zone_hints": [],
        "tags": [],
        "created_at": network.created_at,
        "updated_at": network.updated_at,
    }


def subnet_view(subnet: Subnet) -> dict[str, Any]:
    """A subnet as the API shows it."""
    body = subnet.model_dump(exclude={"last_allocated"})
    return body | {"tenant_id": subnet.project_id, "ip_version": 4, "tags": [], "service_types": []}


def port_view(port: Port) -> dict[str, Any]:
    """A port as the API shows it to an administrator."""
    body = port.model_dump(exclude={"host_id", "owned_by_server"})
    return body | {
        "tenant_id": port.project_id,
        "security_groups": [],
        "port_security_enabled": False,
        "binding:host_id": port.host_id,
        "binding:vnic_type": "normal",
        "binding:vif_type": "other" if port.host_id else "unbound",
        "tags": [],
    }


def select(request: Request, views: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The views that all query parameters match; several values of one name are alternatives.

    Raises:
        BadRequestError: a parameter names no attribute.
    """
    query = request.query_params
    for name in {
        key for key in query if key not in ("limit", "marker", "fields", "sort_key", "sort_dir", "page_reverse")
    }:
        values = query.getlist(name)
        if views and name not in views[0]:
            raise BadRequestError(f"['{name}'] is invalid attribute for filtering", type="HTTPBadRequest")
        if name == "fixed_ips":
            views = [view for view in views if any(_has_ip(view, value) for value in values)]
            continue
        views = [view for view in views if any(_equal(view[name], value) for value in values)]
    return views


def _equal(found: Any, wanted: str) -> bool:
    if isinstance(found, bool):
        return BOOLEANS.get(wanted.lower()) is found
    return str(found) == wanted


def _has_ip(port: dict[str, Any], wanted: str) -> bool:
    name, _, value = wanted.partition("=")
    return any(ip.get(name) == value for ip in port["fixed_ips"])


def router(networking: Networking, tokens: Tokens, quota: Quota, url: str) -> APIRouter:
    """The routes of the service."""
    public = APIRouter()
    routes = APIRouter(prefix="/network/v2.0", dependencies=[Depends(tokens.require)])

    async def versions() -> dict[str, Any]:
        links = [{"rel": "self", "href": f"{url}/network/v2.0/"}]
        return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]}

    async def resources() -> dict[str, Any]:
        names = ("network", "subnet", "port")
        return {
            "resources": [
                {"name": n, "collection": f"{n}s", "links": [{"rel": "self", "href": f"{url}/network/v2.0/{n}s"}]}
                for n in names
            ]
        }

    for path in ("/network", "/network/"):
        public.add_api_route(path, versions, methods=["GET"])
    for path in ("/network/v2.0", "/network/v2.0/"):
        public.add_api_route(path, resources, methods=["GET"])

    def listing(request: Request, name: str, views: list[dict[str, Any]]) -> dict[str, Any]:
        shown, following = page(request, [(view["id"], view) for view in select(request, views)])
        body: dict[str, Any] = {name: shown}
        if following:
            body[f"{name}_links"] = [next_link(request, f"{url}/network/v2.0/{name}", following)]
        return body

    @routes.get("/networks")
    async def list_networks(request: Request) -> dict[str, Any]:
        return listing(request, "networks", [network_view(networking, n) for n in networking.networks])

    @routes.post("/networks", status_code=201)
    async def create_network(request: Request) -> dict[str, Any]:
        body = parse(NetworkCreate, await read_member(request, "network"))
        attributes: dict[str, Any] = {} if body.mtu is None else {"mtu": body.mtu}
        network = await networking.create_network(
            tokens.project_id,
            vni=body.segmentation_id,
            name=body.name,
            description=body.description,
            admin_state_up=body.admin_state_up,
            shared=body.shared,
            **attributes,
        )
        return {"network": network_view(networking, network)}

    @routes.get("/networks/{id}")
    async def show_network(id: str) -> dict[str, Any]:
        return {"network": network_view(networking, networking.networks.get(id))}

    @routes.put("/networks/{id}")
    async def update_network(id: str, request: Request) -> dict[str, Any]:
        body = parse(NetworkUpdate, await read_member(request, "network"))
        network = networking.networks.get(id).model_copy(update=body.model_dump(exclude_unset=True))
        return {"network": network_view(networking, networking.networks.save(network))}

    @routes.delete("/networks/{id}", status_code=204)
    async def delete_network(id: str) -> Response:
        await networking.delete_network(id)
        return Response(status_code=204)

    @routes.get("/subnets")
    async def list_subnets(request: Request) -> dict[str, Any]:
        return listing(request, "subnets", [subnet_view(s) for s in networking.subnets])

    @routes.post("/subnets", status_code=201)
    async def create_subnet(request: Request) -> dict[str, Any]:
        body = parse(SubnetCreate, await read_member(request, "subnet"))
        attributes = body.model_dump(exclude={"network_id", "cidr", "ip_version", "project_id", "tenant_id"})
        if "gateway_ip" not in body.model_fields_set:
            del attributes["gateway_ip"]
        subnet = networking.create_subnet(tokens.project_id, body.network_id, body.cidr, **attributes)
        return {"subnet": subnet_view(subnet)}

    @routes.get("/subnets/{id}")
    async def show_subnet(id: str) -> dict[str, Any]:
        return {"subnet": subnet_view(networking.subnets.get(id))}

    @routes.put("/subnets/{id}")
    async def update_subnet(id: str, request: Request) -> dict[str, Any]:
        body = parse(SubnetUpdate, await read_member(request, "subnet"))
        subnet = networking.subnets.get(id).model_copy(update=body.model_dump(exclude_unset=True))
        return {"subnet": subnet_view(networking.subnets.save(subnet))}

    @routes.delete("/subnets/{id}", status_code=204)
    async def delete_subnet(id: str) -> Response:
        networking.delete_subnet(id)
        return Response(status_code=204)

    _ports(routes, networking, tokens, listing)
    _extras(routes, tokens, quota)
    public.include_router(routes)
    return public


def _ports(routes: APIRouter, networking: Networking, tokens: Tokens, listing: Callable[..., dict[str, Any]]) -> None:
    @routes.get("/ports")
    async def list_ports(request: Request) -> dict[str, Any]:
        return listing(request, "ports", [port_view(p) for p in networking.ports])

    @routes.post("/ports", status_code=201)
    async def create_port(request: Request) -> dict[str, Any]:
        body = parse(PortCreate, await read_member(request, "port"))
        port = networking.create_port(
            tokens.project_id,
            body.network_id,
            fixed_ips=None if body.fixed_ips is None else [ip.wish() for ip in body.fixed_ips],
            mac_address=body.mac_address,
            name=body.name,
            description=body.description,
            admin_state_up=body.admin_state_up,
            allowed_address_pairs=body.allowed_address_pairs,
            device_id=body.device_id,
            device_owner=body.device_owner,
        )
        return {"port": port_view(port)}

    @routes.get("/ports/{id}")
    async def show_port(id: str) -> dict[str, Any]:
        return {"port": port_view(networking.ports.get(id))}

    @routes.put("/ports/{id}")
    async def update_port(id: str, request: Request) -> dict[str, Any]:
        body = parse(PortUpdate, await read_member(request, "port"))
        known = {"name", "description", "admin_state_up", "allowed_address_pairs"} & body.model_fields_set
        port = networking.ports.get(id).model_copy(update=body.model_dump(include=known))
        if body.fixed_ips is not None:
            networking.change_addresses(port, [ip.wish() for ip in body.fixed_ips])
        return {"port": port_view(networking.ports.save(port))}

    @routes.delete("/ports/{id}", status_code=204)
    async def delete_port(id: str) -> Response:
        networking.delete_port(id)
        return Response(status_code=204)


def _extras(routes: APIRouter, tokens: Tokens, quota: Quota) -> None:
    extensions = [
        {"alias": alias, "name": name, "description": name, "updated": "2020-01-01T00:00:00-00:00", "links": []}
        for alias, name in EXTENSIONS.items()
    ]

    @routes.get("/extensions")
    async def list_extensions() -> dict[str, Any]:
        return {"extensions": extensions}

    @routes.get("/extensions/{alias}")
    async def show_extension(alias: str) -> dict[str, Any]:
        found = next((e for e in extensions if e["alias"] == alias), None)
        if found is None:
            raise NotFoundError("extension", alias)
        return {"extension": found}

    @routes.get("/quotas/{project}")
    async def show_quota(project: str) -> dict[str, Any]:
        return {"quota": quota.model_dump(include={"network", "subnet", "port"})}

    async def none_of(name: str) -> JSONResponse:
        return JSONResponse({name: []})

    @routes.get("/security-groups")
    async def list_security_groups() -> JSONResponse:
        return await none_of("security_groups")

    @routes.get("/floatingips")
    async def list_floating_ips() -> JSONResponse:
        return await none_of("floatingips")
