"""Compute service (Nova v2.1): servers, their actions, interfaces and metadata."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from starlette.responses import JSONResponse

from nfvcert.reference.vim.api.microversion import Microversion, negotiate
from nfvcert.reference.vim.api.service import Body, next_link, page, parse, read_member, read_object
from nfvcert.reference.vim.api.tokens import Tokens
from nfvcert.reference.vim.cloud import Cloud
from nfvcert.reference.vim.computing import NetworkRequest, ServerRequest
from nfvcert.reference.vim.faults import BadRequestError, ConflictError
from nfvcert.reference.vim.records import Port, Server

STATUS = {"building": "BUILD", "active": "ACTIVE", "stopped": "SHUTOFF", "error": "ERROR"}
POWER = {"active": 1, "stopped": 4}
FILTERS = {"image": "image_id", "flavor": "flavor_id", "host": "host", "uuid": "id"}


class InterfaceBody(Body):
    """One entry of `networks`."""

    uuid: str | None = None
    port: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None


class BlockDevice(Body):
    """One entry of `block_device_mapping_v2`; only the image itself as the root device is served."""

    uuid: str
    boot_index: int | str = 0
    source_type: str = "image"
    destination_type: str = "local"
    delete_on_termination: bool = True


class ServerCreate(Body):
    """Body of a server's creation."""

    name: str = Field(min_length=1, max_length=255)
    flavor_ref: str = Field(alias="flavorRef")
    image_ref: str = Field(default="", alias="imageRef")
    networks: list[InterfaceBody] | str | None = None
    user_data: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    key_name: str | None = None
    availability_zone: str | None = None
    description: str | None = None
    security_groups: list[dict[str, str]] = Field(default_factory=list)
    block_device_mapping_v2: list[BlockDevice] = Field(default_factory=list)
    config_drive: bool | str | None = None
    min_count: int = 1
    max_count: int = 1
    disk_config: str | None = Field(default=None, alias="OS-DCF:diskConfig")
    admin_pass: str | None = Field(default=None, alias="adminPass")
    tags: list[str] = Field(default_factory=list)
    host: str | None = None
    hypervisor_hostname: str | None = None


class ServerUpdate(Body):
    """Body of a server's change."""

    name: str | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = None


def to_request(body: ServerCreate, hints: dict[str, Any]) -> ServerRequest:
    """What a creation asks for.

    Raises:
        BadRequestError: no image, or more than one server.
    """
    if (body.min_count, body.max_count) != (1, 1):
        raise BadRequestError("Only one server can be created by one request.")
    image = body.image_ref or (body.block_device_mapping_v2[0].uuid if body.block_device_mapping_v2 else "")
    if not image:
        raise BadRequestError("Invalid imageRef provided.")
    if isinstance(body.networks, str) and body.networks not in ("auto", "none"):
        raise BadRequestError(f"Invalid input for field/attribute networks. Value: {body.networks}.")
    networks: list[NetworkRequest] | None = None
    if isinstance(body.networks, list):
        networks = [NetworkRequest(port=n.port, network=n.uuid, fixed_ip=n.fixed_ip) for n in body.networks]
    elif body.networks == "none":
        networks = []
    zone, _, zone_host = (body.availability_zone or "nova").partition(":")
    group = hints.get("group")
    return ServerRequest(
        name=body.name,
        flavor=body.flavor_ref.rsplit("/", 1)[-1],
        image=image.rsplit("/", 1)[-1],
        networks=networks,
        group=str(group[0] if isinstance(group, list) else group) if group else None,
        user_data=body.user_data,
        forced_host=body.hypervisor_hostname or body.host or zone_host or None,
        attributes={
            "metadata": body.metadata,
            "key_name": body.key_name,
            "availability_zone": zone,
            "description": body.description,
        },
    )


def view(cloud: Cloud, server: Server, running: bool | None, version: Microversion, url: str) -> dict[str, Any]:
    """A server as the API shows it in a microversion; `running` is what its host says of the container."""
    state = effective_state(server, running)
    status = STATUS[state]
    if server.task == "rebooting" and state != "error":
        status = "REBOOT"
    link = f"{url}/compute/v2.1"
    body: dict[str, Any] = {
        "id": server.id,
        "name": server.name,
        "status": status,
        "tenant_id": server.project_id,
        "user_id": "",
        "metadata": server.metadata,
        "hostId": sha256(server.host.encode()).hexdigest()[:56] if server.host else "",
        "image": {
            "id": server.image_id,
            "links": [{"rel": "bookmark", "href": f"{url}/compute/images/{server.image_id}"}],
        },
        "flavor": _flavor(server, version, url),
        "created": server.created_at,
        "updated": server.updated_at,
        "addresses": addresses(cloud, server),
        "accessIPv4": "",
        "accessIPv6": "",
        "links": [{"rel": "self", "href": f"{link}/servers/{server.id}"}],
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": server.availability_zone if server.host else "",
        "OS-EXT-STS:task_state": server.task,
        "OS-EXT-STS:vm_state": state,
        "OS-EXT-STS:power_state": POWER.get(state, 0),
        "OS-SRV-USG:launched_at": server.launched_at,
        "OS-SRV-USG:terminated_at": None,
        "OS-EXT-SRV-ATTR:host": server.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id[:8]}",
        "key_name": server.key_name,
        "config_drive": "",
        "security_groups": [],
        "os-extended-volumes:volumes_attached": [],
    }
    if state not in ("error", "stopped"):
        body["progress"] = 100 if state == "active" else 0
    if server.fault is not None and state == "error":
        body["fault"] = server.fault
    if version >= (2, 19):
        body["description"] = server.description
    if version >= (2, 71):
        body["server_groups"] = [server.group_id] if server.group_id else []
    return body


def effective_state(server: Server, running: bool | None) -> str:
    """The state of a server with what its host says: an active server whose container does not run is stopped."""
    if server.vm_state == "active" and server.task is None and running is False:
        return "stopped"
    return server.vm_state


def addresses(cloud: Cloud, server: Server) -> dict[str, list[dict[str, Any]]]:
    """The server's addresses by name of the network."""
    found: dict[str, list[dict[str, Any]]] = {}
    for port in _ports(cloud, server):
        network = cloud.networking.networks.find(port.network_id)
        for ip in port.fixed_ips:
            found.setdefault(network.name if network else port.network_id, []).append(
                {
                    "addr": ip["ip_address"],
                    "version": 4,
                    "OS-EXT-IPS:type": "fixed",
                    "OS-EXT-IPS-MAC:mac_addr": port.mac_address,
                }
            )
    return found


def _flavor(server: Server, version: Microversion, url: str) -> dict[str, Any]:
    if version >= (2, 47):
        return {
            "original_name": server.flavor_name,
            "vcpus": server.vcpus,
            "ram": server.ram,
            "disk": server.disk,
            "ephemeral": 0,
            "swap": 0,
            "extra_specs": server.extra_specs,
        }
    return {"id": server.flavor_id, "links": [{"rel": "bookmark", "href": f"{url}/compute/flavors/{server.flavor_id}"}]}


def _ports(cloud: Cloud, server: Server) -> list[Port]:
    found = [cloud.networking.ports.find(id) for id in server.ports]
    return [port for port in found if port is not None]


def _chosen(request: Request, servers: list[Server]) -> list[Server]:
    """The servers that the query parameters select by name (a regular expression), image, flavor, host, id."""
    query = request.query_params
    if "name" in query:
        try:
            pattern = re.compile(query["name"])
        except re.error as error:
            raise BadRequestError(f"Invalid filter: name is not a regular expression: {error}") from error
        servers = [server for server in servers if pattern.search(server.name)]
    for name, attribute in FILTERS.items():
        if name in query:
            servers = [server for server in servers if getattr(server, attribute) == query[name]]
    return servers


def add_routes(routes: APIRouter, cloud: Cloud, tokens: Tokens, url: str) -> None:
    """Add the routes of servers to those of the compute service."""
    servers = cloud.computing.servers

    async def shown(server: Server, version: Microversion) -> dict[str, Any]:
        return view(cloud, server, await cloud.lifecycle.running(server), version, url)

    async def listing(request: Request, version: Microversion, *, detailed: bool) -> dict[str, Any]:
        found = _chosen(request, list(cloud.behaviour.listed_servers(list(servers))))
        views = [await shown(server, version) for server in found]
        for status in request.query_params.getlist("status"):
            views = [one for one in views if one["status"] == status.upper()]
        selected, following = page(request, [(one["id"], one) for one in views])
        if not detailed:
            selected = [{key: one[key] for key in ("id", "name", "links")} for one in selected]
        body: dict[str, Any] = {"servers": selected}
        if following:
            body["servers_links"] = [next_link(request, f"{url}{request.url.path}", following)]
        return body

    @routes.get("/servers")
    async def list_servers(request: Request, version: Microversion = Depends(negotiate)) -> dict[str, Any]:
        return await listing(request, version, detailed=False)

    @routes.get("/servers/detail")
    async def list_details(request: Request, version: Microversion = Depends(negotiate)) -> dict[str, Any]:
        return await listing(request, version, detailed=True)

    @routes.post("/servers", status_code=202)
    async def create(request: Request, response: Response) -> dict[str, Any]:
        whole = await read_object(request)
        body = parse(ServerCreate, whole["server"] if isinstance(whole.get("server"), dict) else {})
        hints = whole.get("os:scheduler_hints") or whole.get("OS-SCH-HNT:scheduler_hints") or {}
        if not isinstance(hints, dict):
            raise BadRequestError("Invalid input for field/attribute os:scheduler_hints.")
        server = cloud.computing.create_server(tokens.project_id, to_request(body, hints))
        cloud.lifecycle.build(server)
        link = f"{url}/compute/v2.1/servers/{server.id}"
        response.headers["Location"] = link
        return {
            "server": {
                "id": server.id,
                "links": [{"rel": "self", "href": link}],
                "OS-DCF:diskConfig": "MANUAL",
                "adminPass": server.id[:12],
                "security_groups": [],
            }
        }

    @routes.get("/servers/{id}")
    async def show(id: str, version: Microversion = Depends(negotiate)) -> dict[str, Any]:
        return {"server": await shown(servers.get(id), version)}

    @routes.put("/servers/{id}")
    async def update(id: str, request: Request, version: Microversion = Depends(negotiate)) -> dict[str, Any]:
        body = parse(ServerUpdate, await read_member(request, "server"))
        server = servers.get(id)
        server.name = body.name or server.name
        if "description" in body.model_fields_set:
            server.description = body.description
        return {"server": await shown(servers.save(server), version)}

    @routes.delete("/servers/{id}", status_code=204)
    async def delete(id: str) -> Response:
        cloud.lifecycle.delete(servers.get(id))
        return Response(status_code=204)

    @routes.get("/servers/{id}/os-interface")
    async def interfaces(id: str) -> dict[str, Any]:
        found = [
            {
                "port_id": port.id,
                "net_id": port.network_id,
                "mac_addr": port.mac_address,
                "port_state": port.status,
                "fixed_ips": port.fixed_ips,
            }
            for port in _ports(cloud, servers.get(id))
        ]
        return {"interfaceAttachments": found}

    @routes.get("/servers/{id}/metadata")
    async def metadata(id: str) -> dict[str, Any]:
        return {"metadata": servers.get(id).metadata}

    @routes.get("/servers/{id}/os-volume_attachments")
    async def volumes(id: str) -> JSONResponse:
        servers.get(id)
        return JSONResponse({"volumeAttachments": []})

    @routes.post("/servers/{id}/action")
    async def action(id: str, request: Request) -> Response:
        server = servers.get(id)
        body = await read_object(request)
        if len(body) != 1:
            raise BadRequestError("Exactly one action must be given.")
        return await _act(cloud, server, next(iter(body)))


async def _act(cloud: Cloud, server: Server, name: str) -> Response:
    """Begin an action on a server."""
    state = effective_state(server, await cloud.lifecycle.running(server))
    if name == "forceDelete":
        cloud.lifecycle.delete(server)
        return Response(status_code=202)
    allowed = {"os-stop": ("active",), "os-start": ("stopped",), "reboot": ("active", "stopped", "error")}.get(name)
    if allowed is None:
        raise BadRequestError(f"There is no such action: {name}")
    if server.task is not None:
        raise ConflictError(f"Cannot '{name}' instance {server.id} while it is in task_state {server.task}")
    if state not in allowed or server.host is None:
        raise ConflictError(f"Cannot '{name}' instance {server.id} while it is in vm_state {state}")
    {"os-stop": cloud.lifecycle.stop, "os-start": cloud.lifecycle.start, "reboot": cloud.lifecycle.reboot}[name](server)
    return Response(status_code=202)
