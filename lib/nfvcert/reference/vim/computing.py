"""Flavors, server groups and servers: what the compute service does, apart from HTTP.

A request is checked completely before anything is stored; placing and starting come after the answer (`lifecycle`).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from nfvcert.reference.common.store import Store
from nfvcert.reference.vim import quotas
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.faults import BadRequestError, CloudFaultError, ConflictError, ForbiddenError
from nfvcert.reference.vim.imaging import Imaging
from nfvcert.reference.vim.networking import Networking
from nfvcert.reference.vim.quotas import Quota, Usage
from nfvcert.reference.vim.records import Flavor, Image, Port, Server, ServerGroup
from nfvcert.reference.vim.registry import Registry
from nfvcert.reference.vim.scheduler import POLICIES

USER_DATA_LIMIT = 65535
NAME_LIMIT = 255


@dataclass(frozen=True)
class NetworkRequest:
    """One interface of a server to be: an existing port, or a network with an optional address."""

    port: str | None = None
    network: str | None = None
    fixed_ip: str | None = None


@dataclass(frozen=True)
class ServerRequest:
    """A checked wish for a server; `networks` None means: take the only network there is."""

    name: str
    flavor: str
    image: str
    networks: Sequence[NetworkRequest] | None = None
    group: str | None = None
    user_data: str | None = None
    forced_host: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class Computing:
    """Servers of the cloud and what they are made of."""

    def __init__(
        self, store: Store, networking: Networking, imaging: Imaging, behaviour: VimBehaviour, quota: Quota
    ) -> None:
        self.flavors = Registry(store, Flavor, "flavor")
        self.groups = Registry(store, ServerGroup, "server_group")
        self.servers = Registry(store, Server, "instance")
        self.quota = quota
        self._networking = networking
        self._imaging = imaging
        self._behaviour = behaviour

    def usage(self) -> Usage:
        """What all servers count against the quota."""
        return quotas.usage(self.servers)

    def create_flavor(self, project_id: str, *, id: str | None, name: str, **attributes: Any) -> Flavor:
        """A new flavor.

        Raises:
            ConflictError: name or id is in use.
        """
        if any(flavor.name == name for flavor in self.flavors):
            raise ConflictError(f"Flavor with name {name} already exists.")
        if id is not None and self.flavors.find(id) is not None:
            raise ConflictError(f"Flavor with ID {id} already exists.")
        return self.flavors.save(Flavor(id=id or str(uuid4()), project_id=project_id, name=name, **attributes))

    def create_group(self, project_id: str, name: str, policy: str, rules: dict[str, Any]) -> ServerGroup:
        """A new server group.

        Raises:
            BadRequestError: unknown policy.
            ForbiddenError: quota.
        """
        if policy not in POLICIES:
            raise BadRequestError(f"Invalid input for field/attribute policy. Value: {policy}.")
        used = len(self.groups)
        if self._behaviour.quota_refusal({"server_groups": used}, {"server_groups": used + 1}, self.quota):
            raise ForbiddenError("Quota exceeded, too many server groups.")
        return self.groups.save(
            ServerGroup(id=str(uuid4()), project_id=project_id, name=name, policy=policy, rules=rules)
        )

    def create_server(self, project_id: str, request: ServerRequest) -> Server:
        """A server in state BUILD that holds its ports and its part of the quota, but has no host yet.

        Raises:
            BadRequestError: something it names does not exist or does not fit.
            ConflictError: a port is in use.
            ForbiddenError: quota.
        """
        flavor = self.flavors.find(request.flavor)
        if flavor is None:
            raise BadRequestError(f"Flavor {request.flavor} could not be found.")
        image = self._image(request.image)
        if flavor.ram < image.min_ram:
            raise BadRequestError("Flavor's memory is too small for requested image.")
        if request.group is not None and self.groups.find(request.group) is None:
            raise BadRequestError(f"Instance group {request.group} could not be found.")
        user_data = decode_user_data(request.user_data)
        wanted = self._interfaces(request.networks)
        self._check_quota(flavor)
        server = Server(
            id=str(uuid4()),
            project_id=project_id,
            name=request.name,
            flavor_id=flavor.id,
            flavor_name=flavor.name,
            vcpus=flavor.vcpus,
            ram=flavor.ram,
            disk=flavor.disk,
            extra_specs=dict(flavor.extra_specs),
            image_id=image.id,
            group_id=request.group,
            user_data=user_data,
            forced_host=request.forced_host,
            **request.attributes,
        )
        server.ports = self._bind(server, wanted)
        if request.group is not None:
            group = self.groups.get(request.group)
            group.members.append(server.id)
            self.groups.save(group)
        return self.servers.save(server)

    def _image(self, id: str) -> Image:
        image = self._behaviour.image_for(id, list(self._imaging.images))
        if image is None:
            raise BadRequestError("Can not find requested image")
        if image.status != "active":
            raise BadRequestError(f"Image {id} is not active.")
        return image

    def _interfaces(self, networks: Sequence[NetworkRequest] | None) -> list[NetworkRequest]:
        """The wanted interfaces, each checked to exist and to be free."""
        if networks is None:
            known = list(self._networking.networks)
            if len(known) > 1:
                raise ConflictError("Multiple possible networks found, use a Network ID to be more specific.")
            return [NetworkRequest(network=network.id) for network in known]
        seen: set[str] = set()
        for wanted in networks:
            if wanted.port is not None:
                port = self._networking.ports.find(wanted.port)
                if port is None:
                    raise BadRequestError(f"Port id {wanted.port} could not be found.")
                if port.device_id or port.id in seen:
                    raise ConflictError(f"Port {wanted.port} is still in use.")
                seen.add(port.id)
            elif wanted.network is None or self._networking.networks.find(wanted.network) is None:
                raise BadRequestError(f"Network {wanted.network} could not be found.")
        return list(networks)

    def _bind(self, server: Server, wanted: Sequence[NetworkRequest]) -> list[str]:
        """Give the server its ports, creating those that were asked for by network; all or none."""
        bound: list[Port] = []
        try:
            for interface in wanted:
                bound.append(self._port(server, interface))
        except CloudFaultError as error:
            for port in bound:
                self._release(port)
            raise BadRequestError(error.message) if error.status == 404 else error from None
        return [port.id for port in bound]

    def _port(self, server: Server, interface: NetworkRequest) -> Port:
        if interface.port is not None:
            port = self._networking.ports.get(interface.port)
        else:
            fixed = [{"ip_address": interface.fixed_ip}] if interface.fixed_ip else None
            port = self._networking.create_port(
                server.project_id, interface.network or "", fixed_ips=fixed, owned_by_server=True
            )
        port.device_id, port.device_owner = server.id, f"compute:{server.availability_zone}"
        return self._networking.ports.save(port)

    def _release(self, port: Port) -> None:
        if port.owned_by_server:
            self._networking.ports.remove(port.id)
        else:
            port.device_id = port.device_owner = ""
            self._networking.ports.save(port)

    def _check_quota(self, flavor: Flavor) -> None:
        before = self.usage()
        after = before.plus(flavor.vcpus, flavor.ram)
        refusal = self._behaviour.quota_refusal(before.as_dict(), after.as_dict(), self.quota)
        if refusal:
            raise ForbiddenError(refusal)


def decode_user_data(encoded: str | None) -> str | None:
    """The text of base64 user data.

    Raises:
        BadRequestError: not base64, not text, or too long.
    """
    if encoded is None:
        return None
    if len(encoded) > USER_DATA_LIMIT:
        raise BadRequestError(f"Invalid input for field/attribute user_data: more than {USER_DATA_LIMIT} characters.")
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise BadRequestError("User data needs to be valid base 64.") from error
