"""What the VIM needs of the agent on each compute host, and the hosts of a cloud."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from nfvcert.reference.vim.records import Image, Network, Port, Subnet


@dataclass(frozen=True)
class ContainerSpec:
    """A container to run: memory in MiB, CPUs as a number of whole CPUs; `ports` in the order of eth0, eth1..."""

    id: str
    name: str
    image: Image
    image_file: Path
    vcpus: int
    ram_mb: int
    ports: tuple[Port, ...] = ()
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    user_data: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ContainerState:
    """A container as its host sees it."""

    id: str
    running: bool
    detail: str = ""


class HostAgent(Protocol):
    """One compute host. Every call is idempotent; any failure is an NfvcertError."""

    name: str

    async def ensure_network(self, network: Network) -> None:
        """Make the network exist on the host."""

    async def remove_network(self, network_id: str) -> None:
        """Remove the network; nothing happens if it is not there."""

    async def start(self, spec: ContainerSpec, networks: Iterable[Network]) -> None:
        """Make networks, ports and image exist and run the container; returns once its process runs."""

    async def remove(self, container_id: str, port_ids: Iterable[str]) -> None:
        """Stop and remove the container and its ports; returns when they have really gone."""

    async def containers(self) -> dict[str, ContainerState]:
        """All containers by id."""

    async def close(self) -> None:
        """Close connections."""


@dataclass(frozen=True)
class Host:
    """A compute host of the cloud; memory in MiB."""

    name: str
    vcpus: int
    ram_mb: int
    agent: HostAgent


class Hosts:
    """All compute hosts by name."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self._hosts = {host.name: host for host in hosts}

    def __iter__(self) -> Any:
        return iter(self._hosts.values())

    def get(self, name: str) -> Host | None:
        """The host of that name."""
        return self._hosts.get(name)

    async def everywhere(self, network: Network) -> None:
        """Make a network exist on all hosts.

        Raises:
            NfvcertError: of the first host that failed, after all have been tried.
        """
        results = await asyncio.gather(*(host.agent.ensure_network(network) for host in self), return_exceptions=True)
        _raise_first(results)

    async def nowhere(self, network_id: str) -> None:
        """Remove a network from all hosts; errors as in `everywhere`."""
        results = await asyncio.gather(
            *(host.agent.remove_network(network_id) for host in self), return_exceptions=True
        )
        _raise_first(results)

    async def close(self) -> None:
        """Close all connections."""
        for host in self:
            await host.agent.close()


def _raise_first(results: Iterable[Any]) -> None:
    for result in results:
        if isinstance(result, BaseException):
            raise result
