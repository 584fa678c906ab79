"""Making and removing VNFCs at the VIM, in step with the instance record."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.cloud import PortRequest, ServerRequest, Vim, VimError
from nfvcert.reference.vnfm.descriptor import ConnectionPoint, Descriptor, Vdu
from nfvcert.reference.vnfm.instances import Instance, Vnfc, add_vnfc, drop_vnfc, external_network, fixed_addresses
from nfvcert.reference.vnfm.packages import Packages

if TYPE_CHECKING:
    from nfvcert.reference.vnfm.behaviour import VnfmBehaviour
    from nfvcert.reference.vnfm.work import Work

log = logging.getLogger(__name__)


class Vnfcs:
    """Creates and removes VNFCs for operations.

    Args:
        vim: the VIM.
        packages: source of images.
        behaviour: decides about interrupted creations and waiting.
        timeout: seconds until a server must be active, or gone.
        poll: seconds between two looks.
    """

    def __init__(self, vim: Vim, packages: Packages, behaviour: VnfmBehaviour, *, timeout: float, poll: float) -> None:
        self._vim = vim
        self._packages = packages
        self._behaviour = behaviour
        self._timeout = timeout
        self._poll = poll
        self._background: set[asyncio.Task[None]] = set()

    async def create(self, work: Work, descriptor: Descriptor, vdu: Vdu, identifier: str) -> None:
        """Create a VNFC and wait until its server is active; nothing is left of one that fails or is cancelled.

        Raises:
            VimError: the VIM refused, or the server does not become active in time.
        """
        await self.clean(work.instance["id"], identifier, vdu.id)
        try:
            await self._create(work, descriptor, vdu, identifier)
        except BaseException:
            await self._behaviour.interrupted_creation(
                identifier, lambda: self.clean(work.instance["id"], identifier, vdu.id)
            )
            work.change_instance(lambda instance: drop_vnfc(instance, identifier))
            raise

    async def _create(self, work: Work, descriptor: Descriptor, vdu: Vdu, identifier: str) -> None:
        instance = work.instance
        name = server_name(instance["id"], vdu.id, identifier)
        ports = [await self._port(instance, vdu, cp, identifier) for cp in vdu.connection_points]
        image = await self._image(work, descriptor, vdu)
        flavor = await self._vim.run(self._vim.cloud.flavor, vdu.vcpus, vdu.memory_mib, vdu.storage_gib)
        group = descriptor.group_of(vdu.id)
        request = ServerRequest(
            name=name,
            image=image,
            flavor=flavor,
            ports=tuple(port["id"] for port in ports),
            user_data=user_data(instance["id"], identifier, descriptor.vnfd_id, vdu, ports),
            group=instance["groups"].get(group.id, "") if group else "",
            metadata=(("vnf_instance_id", instance["id"]), ("vnfc_id", identifier), ("vdu", vdu.id)),
        )
        server = await self._vim.run(self._vim.cloud.create_server, request)
        vnfc: Vnfc = {
            "id": identifier,
            "vdu": vdu.id,
            "vnfdId": descriptor.vnfd_id,
            "server": server,
            "image": vdu.image.name,
            "source": image_name(vdu),
            "stopped": False,
            "ports": ports,
        }
        work.change_instance(lambda changed: add_vnfc(changed, vnfc))
        await self.await_status(server, "ACTIVE")

    async def remove(self, work: Work, vnfc: Vnfc) -> None:
        """Remove a VNFC with its ports and forget it; once begun this is finished even if the caller is cancelled.

        Raises:
            VimError: the VIM refused, or the server does not go in time.
        """
        asked = asyncio.Event()
        ending = asyncio.create_task(self._end(vnfc, asked))
        self._background.add(ending)
        ending.add_done_callback(self._background.discard)
        try:
            if self._behaviour.waits_for_removal(vnfc):
                await asyncio.shield(ending)
            else:
                await asked.wait()
        except asyncio.CancelledError:
            await asyncio.wait([ending])
            if ending.exception() is None:
                work.change_instance(partial(drop_vnfc, identifier=vnfc["id"]))
            raise
        work.change_instance(partial(drop_vnfc, identifier=vnfc["id"]))

    async def clean(self, instance: str, identifier: str, vdu: str) -> None:
        """Remove what the VIM has of a VNFC, recorded or not."""
        name = server_name(instance, vdu, identifier)
        servers, ports = await self._vim.run(self._vim.cloud.remains, name, f"{identifier}/")
        for server in servers:
            await self._vim.run(self._vim.cloud.delete_server, server)
            await self._await_gone(server)
        await self._vim.run(self._vim.cloud.delete_ports, ports)

    async def discard(self, instance: Instance) -> None:
        """Remove at the VIM all that a failed operation left of an instance which is about to be deleted.

        Raises:
            VimError: the VIM refused; the instance has to be kept.
        """
        cloud = self._vim.cloud
        for vnfc in instance["vnfcs"]:
            await self.clean(instance["id"], vnfc["id"], vnfc["vdu"])
        for network in instance["networks"].values():
            await self._vim.run(cloud.delete_network, network["network"])
        for group in instance["groups"].values():
            await self._vim.run(cloud.delete_group, group)

    async def operate(self, work: Work, vnfc: Vnfc, start: bool) -> None:
        """Start or stop a VNFC and wait until it is so."""
        status, _ = await self._vim.run(self._vim.cloud.server_status, vnfc["server"])
        wanted = "ACTIVE" if start else "SHUTOFF"
        if status != wanted:
            await self._vim.run(self._vim.cloud.operate, vnfc["server"], start)
            await self.await_status(vnfc["server"], wanted)
        work.change_instance(lambda instance: add_vnfc_in_place(instance, vnfc | {"stopped": not start}))

    async def broken(self, instance: Instance) -> list[str]:
        """Ids of the VNFCs whose server has gone or does not run although it should."""
        found = []
        for vnfc in instance["vnfcs"]:
            status, _ = await self._vim.run(self._vim.cloud.server_status, vnfc["server"])
            if status != "ACTIVE" and not (vnfc["stopped"] and status == "SHUTOFF"):
                found.append(vnfc["id"])
        return found

    async def gone(self, instance: Instance) -> list[str]:
        """Ids of the VNFCs whose server the VIM does not know."""
        found = []
        for vnfc in instance["vnfcs"]:
            status, _ = await self._vim.run(self._vim.cloud.server_status, vnfc["server"])
            if not status:
                found.append(vnfc["id"])
        return found

    async def await_status(self, server: str, wanted: str) -> None:
        """Wait until a server has a status.

        Raises:
            VimError: it went into ERROR, disappeared, or took too long.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout
        while True:
            status, fault = await self._vim.run(self._vim.cloud.server_status, server)
            if status == wanted:
                return
            if status in ("ERROR", ""):
                raise VimError(
                    f"server {server} is {status or 'gone'}, expected {wanted}: {fault or 'no reason given'}"
                )
            if asyncio.get_running_loop().time() > deadline:
                raise VimError(f"server {server} is {status} after {self._timeout:g} s, expected {wanted}")
            await asyncio.sleep(self._poll)

    async def _end(self, vnfc: Vnfc, asked: asyncio.Event) -> None:
        """Delete the server, wait until it has gone, delete its ports; `asked` is set once the VIM took the request."""
        try:
            await self._vim.run(self._vim.cloud.delete_server, vnfc["server"])
        finally:
            asked.set()
        await self._await_gone(vnfc["server"])
        await self._vim.run(self._vim.cloud.delete_ports, [port["id"] for port in vnfc["ports"]])

    async def _await_gone(self, server: str) -> None:
        deadline = asyncio.get_running_loop().time() + self._timeout
        while True:
            status, fault = await self._vim.run(self._vim.cloud.server_status, server)
            if not status:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise VimError(f"server {server} is still {status} after {self._timeout:g} s {fault}".rstrip())
            await asyncio.sleep(self._poll)

    async def _port(self, instance: Instance, vdu: Vdu, cp: ConnectionPoint, identifier: str) -> dict[str, Any]:
        network = external_network(instance, cp) if cp.external else instance["networks"][cp.link]["network"]
        used = {port["ip"] for vnfc in instance["vnfcs"] for port in vnfc["ports"] if port["cp"] == cp.id}
        fixed = next((address for address in fixed_addresses(instance, cp) if address not in used), "")
        request = PortRequest(f"{identifier}/{cp.id}", network, fixed, frozenset(instance["retired"]))
        port = await self._vim.run(self._vim.cloud.create_port, request)
        _, cidr = await self._vim.run(self._vim.cloud.subnet, network)
        return port | {
            "cp": cp.id,
            "link": cp.link,
            "external": cp.external,
            "network": network,
            "prefix": ipaddress.ip_network(cidr).prefixlen,
        }

    async def _image(self, work: Work, descriptor: Descriptor, vdu: Vdu) -> str:
        """Id of the VDU's image at the VIM; uploaded at its first use, once per content."""
        file = await self._packages.image_file(descriptor.vnfd_id, vdu.image)
        name, image = image_name(vdu), vdu.image
        identifier, uploaded = await self._vim.run(
            self._vim.cloud.image, name, file, image.container_format, image.disk_format
        )
        if uploaded:
            work.document.setdefault("uploads", []).append(name)
            work.save()
        return identifier


def server_name(instance: str, vdu: str, vnfc: str) -> str:
    """Name of a VNFC's server: unique, and known before the server exists."""
    return f"{vdu}-{instance[:8]}-{vnfc}"


def image_name(vdu: Vdu) -> str:
    """Name of a VDU's image at the VIM: equal content has an equal name."""
    return f"{vdu.image.name}@{vdu.image.checksum[:16]}"


def user_data(instance: str, vnfc: str, vnfd_id: str, vdu: Vdu, ports: list[dict[str, Any]]) -> dict[str, Any]:
    """What a VNFC is told at its start."""
    keys = ("mac", "ip", "prefix")
    return {
        "vnfInstanceId": instance,
        "vnfcId": vnfc,
        "vduId": vdu.id,
        "vnfdId": vnfd_id,
        "ports": [
            {"cp": port["link"], "ifname": f"eth{number}"} | {key: port[key] for key in keys}
            for number, port in enumerate(ports)
        ],
        "config": dict(vdu.config),
    }


def add_vnfc_in_place(instance: Instance, vnfc: Vnfc) -> None:
    """Replace a VNFC's entry where it stands."""
    instance["vnfcs"] = [vnfc if other["id"] == vnfc["id"] else other for other in instance["vnfcs"]]


def require(descriptor: Descriptor, vdu: str) -> Vdu:
    """The VDU of a descriptor; a plan that names another is a problem."""
    if vdu not in descriptor.vdus:
        raise Problem(500, f"the package {descriptor.vnfd_id} has no VDU {vdu}")
    return descriptor.vdus[vdu]
