"""Compute hosts through their agents: what runs there, what the port observers saw, faults of the host."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nfvcert.nfvi.agent.models import HoldStop, Kill
from nfvcert.nfvi.client import HostClient
from nfvcert.testbed.attachment import HostAccess

KEPT = ("id", "executable_sha256", "pid", "start_time_ns", "state", "ports", "limits", "cpu_ns", "memory_bytes")


class Hosts:
    """All hosts of a testbed whose agents can be asked."""

    def __init__(self, hosts: Sequence[HostAccess]) -> None:
        self._clients = {host.name: HostClient(Path(host.socket), name=host.name) for host in hosts}
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(hosts)), thread_name_prefix="hosts")

    def inventory(self) -> list[dict[str, Any]]:
        """What runs on each host now, reduced to what is judged."""

        def one(item: tuple[str, HostClient]) -> dict[str, Any]:
            name, client = item
            found = client.inventory()
            containers = [c.model_dump(mode="json", include=set(KEPT)) for c in found.containers]
            return {"host": name, "t": found.t, "containers": containers}

        return list(self._pool.map(one, self._clients.items()))

    def hold_stops(self, seconds: float) -> None:
        """From now on containers live that much longer than their stop was asked."""
        for client in self._clients.values():
            client.put_fault(HoldStop(seconds=seconds))

    def clear_faults(self) -> None:
        """Lift all faults."""
        for client in self._clients.values():
            client.clear_faults()

    def kill(self, vnfc: str) -> str:
        """Kill a VNFC with SIGKILL; returns the host on which it ran."""
        for name, client in self._clients.items():
            if any(container.id == vnfc for container in client.inventory().containers):
                client.put_fault(Kill(container=vnfc))
                return name
        return ""

    def dump(self, folder: Path, *, clear: bool = False) -> list[Path]:
        """Have every observer write what it saw since the last clear; one file a host."""
        folder.mkdir(parents=True, exist_ok=True)

        def one(item: tuple[str, HostClient]) -> Path:
            path = folder / f"observed-{item[0]}.csv"
            item[1].dump_observations(path, clear=clear)
            return path

        return list(self._pool.map(one, self._clients.items()))

    def counters(self) -> dict[str, dict[str, Any]]:
        """Counters of every observed port, by host."""
        return {name: client.observation_counters() for name, client in self._clients.items()}
