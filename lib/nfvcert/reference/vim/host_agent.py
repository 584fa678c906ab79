"""The VIM's view of a compute host, carried out by the host's agent."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from ipaddress import IPv4Network

from nfvcert.errors import StackError
from nfvcert.nfvi.agent import models
from nfvcert.nfvi.client import AsyncHostClient, HostRefused
from nfvcert.reference.vim.agents import ContainerSpec, ContainerState
from nfvcert.reference.vim.records import Network, Port, Subnet

GONE_POLL_S = 0.05
GONE_LIMIT_S = 120.0


class AgentOfHost:
    """One host by its agent's client.

    Args:
        name: of the host.
        client: connection to its agent; closed with this object.
        underlay: addresses of all hosts on the underlay, to which networks are flooded.
        user_data_file: path of the user data inside containers.
        configured: names of networks on which the kernel of a VNFC gets its address without DHCP too.
    """

    def __init__(
        self,
        name: str,
        client: AsyncHostClient,
        underlay: Sequence[str],
        user_data_file: str,
        configured: Collection[str] = (),
    ) -> None:
        self.name = name
        self._client = client
        self._underlay = list(underlay)
        self._user_data_file = user_data_file
        self._configured = frozenset(configured)

    async def ensure_network(self, network: Network) -> None:
        """Make the network exist on the host."""
        spec = models.NetworkSpec(vni=network.vni, mtu=network.mtu, peers=self._underlay)
        await self._client.put_network(network.id, spec)

    async def remove_network(self, network_id: str) -> None:
        """Remove the network; nothing happens if it is not there."""
        try:
            await self._client.delete_network(network_id)
        except HostRefused as refusal:
            if refusal.status != 404:
                raise

    async def start(self, spec: ContainerSpec, networks: Iterable[Network]) -> None:
        """Make networks, ports and image exist and run the container; what was made for it is removed if that fails."""
        image = models.ImageSpec(path=spec.image_file.resolve())
        known = list(networks)
        configured = {network.id for network in known if network.name in self._configured}
        await asyncio.gather(
            self._client.put_image(spec.image.id, image), *(self.ensure_network(network) for network in known)
        )
        try:
            for port in spec.ports:
                await self._client.put_port(port.id, port_spec(port, spec.subnets, configured))
            await self._client.put_container(spec.id, container_spec(spec, self._user_data_file))
        except BaseException:
            await asyncio.shield(self.remove(spec.id, [port.id for port in spec.ports]))
            raise

    async def remove(self, container_id: str, port_ids: Iterable[str]) -> None:
        """Stop and remove the container and its ports; returns when they have really gone.

        Raises:
            StackError: the host accepted to stop the container but did not in `GONE_LIMIT_S`.
        """
        try:
            gone = await self._client.delete_container(container_id)
            deadline = time.monotonic() + GONE_LIMIT_S
            while not gone:
                if time.monotonic() > deadline:
                    raise StackError("the container does not stop", where=f"host {self.name}: {container_id}")
                await asyncio.sleep(GONE_POLL_S)
                await self._client.get_container(container_id)
        except HostRefused as refusal:
            if refusal.status != 404:
                raise
        for id in port_ids:
            try:
                await self._client.delete_port(id)
            except HostRefused as refusal:
                if refusal.status != 404:
                    raise

    async def containers(self) -> dict[str, ContainerState]:
        """All containers of the host by id."""
        inventory = await self._client.inventory()
        return {
            c.id: ContainerState(id=c.id, running=c.state in ("running", "frozen"), detail=c.state)
            for c in inventory.containers
        }

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def port_spec(port: Port, subnets: Mapping[str, Subnet], configured: Collection[str] = ()) -> models.PortSpec:
    """A port as the agent wants it.

    The kernel of the VNFC gets the address only where the subnet has DHCP or the network is one of `configured`;
    elsewhere the VNFC configures itself.
    """
    first = port.fixed_ips[0] if port.fixed_ips else None
    subnet = subnets[first["subnet_id"]] if first else None
    return models.PortSpec(
        network_id=port.network_id,
        mac=port.mac_address,
        ip=first["ip_address"] if first else None,
        prefix=IPv4Network(subnet.cidr).prefixlen if subnet else 24,
        kernel_address=bool(subnet and (subnet.enable_dhcp or port.network_id in configured)),
    )


def container_spec(spec: ContainerSpec, user_data_file: str) -> models.ContainerSpec:
    """A container as the agent wants it; the server's metadata become labels."""
    files = {}
    if spec.user_data is not None:
        files[user_data_file] = base64.b64encode(spec.user_data.encode()).decode()
    return models.ContainerSpec(
        image=spec.image.id,
        ports=[port.id for port in spec.ports],
        limits=models.Limits(vcpus=spec.vcpus, memory_mib=spec.ram_mb),
        files=files,
        labels={"server": spec.id, "name": spec.name} | dict(spec.metadata),
    )
