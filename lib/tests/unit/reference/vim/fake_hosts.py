"""Compute hosts without containers: what the VIM asked for, and switches to let it fail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

from nfvcert.errors import StackError
from nfvcert.nfvi.calls import HostRefused
from nfvcert.reference.vim.agents import ContainerSpec, ContainerState, Host, Hosts
from nfvcert.reference.vim.records import Network


class FakeAgent:
    """Remembers networks and containers; stops end only while `hold` is set."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.networks: dict[str, int] = {}
        self.running: dict[str, ContainerSpec] = {}
        self.dead: set[str] = set()
        self.in_use: set[str] = set()
        self.refuse = False
        self.unreachable = False
        self.hold = threading.Event()
        self.hold.set()

    async def ensure_network(self, network: Network) -> None:
        self._check()
        self.networks[network.id] = network.vni

    async def remove_network(self, network_id: str) -> None:
        if network_id in self.in_use:
            refusal = HostRefused("the network is in use", where=self.name)
            refusal.status = 409
            raise refusal
        self.networks.pop(network_id, None)

    async def start(self, spec: ContainerSpec, networks: Iterable[Network]) -> None:
        self._check()
        if self.refuse:
            raise StackError("the host refuses to create containers", where=self.name)
        assert spec.image_file.exists()
        for network in networks:
            await self.ensure_network(network)
        self.running[spec.id] = spec

    async def remove(self, container_id: str, port_ids: Iterable[str]) -> None:
        while not self.hold.is_set():
            await asyncio.sleep(0.01)
        self._check()
        self.running.pop(container_id, None)

    async def containers(self) -> dict[str, ContainerState]:
        self._check()
        return {id: ContainerState(id, running=id not in self.dead) for id in self.running}

    async def close(self) -> None:
        pass

    def _check(self) -> None:
        if self.unreachable:
            raise StackError("the host agent does not answer", where=self.name)


def fake_hosts(count: int = 3, *, vcpus: int = 4, ram_mb: int = 1024) -> Hosts:
    """`count` hosts of that size, named host1, host2..."""
    return Hosts(Host(f"host{n}", vcpus, ram_mb, FakeAgent(f"host{n}")) for n in range(1, count + 1))
