"""The VIM through openstacksdk: blocking calls, one connection, run in threads by :class:`Vim`."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.config import VimAccess

T = TypeVar("T")
log = logging.getLogger(__name__)
_THREADS = 4
_TRIES = 64


class VimError(Problem):
    """The VIM refused, failed or did not answer."""

    def __init__(self, detail: str) -> None:
        super().__init__(500, detail, title="VIM error")


@dataclass(frozen=True)
class PortRequest:
    """A port to be: name, network, fixed address ("" lets the VIM choose) and addresses not to take."""

    name: str
    network: str
    address: str = ""
    avoid: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ServerRequest:
    """A server to be; `user_data` is given to it as JSON, `group` "" means none."""

    name: str
    image: str
    flavor: str
    ports: tuple[str, ...]
    user_data: dict[str, Any]
    group: str = ""
    metadata: tuple[tuple[str, str], ...] = ()


class Cloud:
    """Blocking calls to the VIM; every failure is a :class:`VimError`."""

    def __init__(self, access: VimAccess) -> None:
        self._access = access
        self._connection: Any = None
        self._cidrs: dict[str, tuple[str, str]] = {}

    @property
    def connection(self) -> Any:
        """The connection; made at the first use, because loading the SDK takes time and memory."""
        if self._connection is None:
            import openstack

            self._connection = openstack.connection.Connection(
                auth=self._access.model_dump(exclude={"region_name"}),
                region_name=self._access.region_name,
                app_name="nfvcert-vnfm",
            )
        return self._connection

    def create_network(self, name: str, cidr: str) -> tuple[str, str]:
        """A network with one subnet without gateway and DHCP; returns their ids. One that exists by name is used."""
        with _faults(f"network {name}"):
            network = next(iter(self.connection.network.networks(name=name)), None)
            network = network or self.connection.network.create_network(name=name)
            subnet = next(iter(self.connection.network.subnets(network_id=network.id)), None)
            subnet = subnet or self.connection.network.create_subnet(
                network_id=network.id, name=name, cidr=cidr, ip_version=4, enable_dhcp=False, gateway_ip=None
            )
            return network.id, subnet.id

    def delete_network(self, network: str) -> None:
        """Delete a network; no error if it has gone."""
        with _faults(f"network {network}"):
            self.connection.network.delete_network(network, ignore_missing=True)

    def subnet(self, network: str) -> tuple[str, str]:
        """Id and CIDR of the first IPv4 subnet of a network."""
        if network not in self._cidrs:
            with _faults(f"network {network}"):
                for subnet in self.connection.network.subnets(network_id=network):
                    if subnet.ip_version == 4:
                        self._cidrs[network] = (subnet.id, subnet.cidr)
                        break
                else:
                    raise VimError(f"the network {network} has no IPv4 subnet")
        return self._cidrs[network]

    def create_port(self, request: PortRequest) -> dict[str, str]:
        """A port; returns ``id``, ``mac``, ``ip``. A chosen address in `avoid` is exchanged for another."""
        subnet, _ = self.subnet(request.network)
        unwanted: list[str] = []
        try:
            with _faults(f"port {request.name}"):
                for _ in range(_TRIES):
                    fixed = {"subnet_id": subnet} | ({"ip_address": request.address} if request.address else {})
                    port = self.connection.network.create_port(
                        name=request.name, network_id=request.network, fixed_ips=[fixed]
                    )
                    address = port.fixed_ips[0]["ip_address"]
                    if request.address or address not in request.avoid:
                        return {"id": port.id, "mac": port.mac_address, "ip": address}
                    unwanted.append(port.id)
            raise VimError(f"port {request.name}: no address found that was not in use before")
        finally:
            self.delete_ports(unwanted)

    def delete_ports(self, ports: Collection[str]) -> None:
        """Delete ports; no error for those that have gone."""
        for port in ports:
            with _faults(f"port {port}"):
                self.connection.network.delete_port(port, ignore_missing=True)

    def image(self, name: str, file: Path, container_format: str, disk_format: str) -> tuple[str, bool]:
        """Id of the image `name`; uploaded from `file` if the VIM has none; second value: it was uploaded now."""
        with _faults(f"image {name}"):
            for image in self.connection.image.images(name=name):
                if image.status == "active":
                    return image.id, False
                self.connection.image.delete_image(image, ignore_missing=True)
            image = self.connection.image.create_image(
                name,
                filename=str(file),
                container_format=container_format,
                disk_format=disk_format,
                allow_duplicates=True,
                validate_checksum=False,
            )
            return image.id, True

    def delete_image(self, name: str) -> None:
        """Delete all images of a name."""
        with _faults(f"image {name}"):
            for image in list(self.connection.image.images(name=name)):
                self.connection.image.delete_image(image, ignore_missing=True)

    def flavor(self, vcpus: int, ram: int, disk: int) -> str:
        """Id of a flavor of this size, made if there is none."""
        name = f"nfvcert-{vcpus}-{ram}-{disk}"
        with _faults(f"flavor {name}"):
            for flavor in self.connection.compute.flavors():
                if flavor.name == name:
                    return str(flavor.id)
            return str(self.connection.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk).id)

    def create_group(self, name: str, policy: str) -> str:
        """A server group; one that exists by name is used."""
        with _faults(f"server group {name}"):
            for group in self.connection.compute.server_groups():
                if group.name == name:
                    return str(group.id)
            return str(self.connection.compute.create_server_group(name=name, policy=policy).id)

    def delete_group(self, group: str) -> None:
        """Delete a server group; no error if it has gone."""
        with _faults(f"server group {group}"):
            self.connection.compute.delete_server_group(group, ignore_missing=True)

    def create_server(self, request: ServerRequest) -> str:
        """Start making a server; returns its id."""
        options: dict[str, Any] = {"scheduler_hints": {"group": request.group}} if request.group else {}
        with _faults(f"server {request.name}"):
            server = self.connection.compute.create_server(
                name=request.name,
                image_id=request.image,
                flavor_id=request.flavor,
                networks=[{"port": port} for port in request.ports],
                user_data=base64.b64encode(json.dumps(request.user_data).encode()).decode(),
                metadata=dict(request.metadata),
                **options,
            )
            return str(server.id)

    def server_status(self, server: str) -> tuple[str, str]:
        """Status of a server and its fault; ("", "") if there is none."""
        from openstack.exceptions import NotFoundException

        with _faults(f"server {server}"):
            try:
                found = self.connection.compute.get_server(server)
            except NotFoundException:
                return "", ""
            if found.status == "DELETED":
                return "", ""
            return found.status, (found.fault or {}).get("message", "")

    def delete_server(self, server: str) -> None:
        """Ask for the removal of a server; no error if it has gone."""
        with _faults(f"server {server}"):
            self.connection.compute.delete_server(server, ignore_missing=True)

    def operate(self, server: str, start: bool) -> None:
        """Ask for the start or stop of a server."""
        with _faults(f"server {server}"):
            compute = self.connection.compute
            (compute.start_server if start else compute.stop_server)(server)

    def remains(self, server_name: str, port_prefix: str) -> tuple[list[str], list[str]]:
        """Ids of servers of a name and of ports whose names begin with a prefix."""
        with _faults(f"server {server_name}"):
            servers = [
                server.id
                for server in self.connection.compute.servers(details=False, name=f"^{server_name}$")
                if server.name == server_name
            ]
            ports = [port.id for port in self.connection.network.ports() if (port.name or "").startswith(port_prefix)]
            return servers, ports


class Vim:
    """Runs the blocking calls of a :class:`Cloud` in threads."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="vim")

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """The result of ``call(*arguments)``.

        A cancelled caller still waits for the call to end: what the VIM did is known afterwards and can be undone.
        """
        future = asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            if not future.cancelled() and (error := future.exception()):
                log.info("a call to the VIM ended with an error after it was cancelled: %s", error)
            raise


@contextmanager
def _faults(what: str) -> Iterator[None]:
    """Turn what the SDK raises into a VimError that names the resource."""
    from keystoneauth1.exceptions import ClientException
    from openstack.exceptions import SDKException

    try:
        yield
    except (SDKException, ClientException) as error:
        raise VimError(f"{what}: {str(error) or type(error).__name__}") from error
