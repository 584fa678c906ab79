"""A traffic decider and workers that speak the management protocol, with users but without packets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """The VNFC answers with an error."""


class Vnfc:
    """Serves the protocol at `host`:`port`; `silent` keeps it from answering, `stop` from being reached."""

    role = ""

    def __init__(self, id: str, host: str, port: int) -> None:
        self.id, self.host, self.port = id, host, port
        self.ready = True
        self.silent = False
        self.calls: list[str] = []
        self.on_call: Callable[[str], None] = lambda _: None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=2**24)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._connections):
                writer.transport.abort()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while line := await reader.readline():
                request = json.loads(line)
                command = request.pop("command")
                if self.silent:
                    await asyncio.sleep(3600)
                if command not in ("hello", "stats"):
                    self.calls.append(command)
                self.on_call(command)
                try:
                    answer = {"ok": True} | (getattr(self, f"do_{command}")(**request) or {})
                except Refused as error:
                    answer = {"ok": False, "error": str(error)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()


class FakeWorker(Vnfc):
    """Sessions are a dict of session -> external address."""

    role = "worker"

    def __init__(self, id: str, host: str, port: int, *, state_format: int, external: str) -> None:
        super().__init__(id, host, port)
        self.state_format = state_format
        self.external = external
        self.sessions: dict[str, str] = {}
        self.active: set[str] = set()
        self.adopted: set[str] = set()
        self.released = False
        self.refuse_import = False

    def do_hello(self) -> dict[str, Any]:
        version = f"{self.state_format}.0.0"
        return {"role": "worker", "version": version, "ready": self.ready, "state_format": self.state_format}

    def do_stats(self, idle_ms: int = 1000) -> dict[str, Any]:
        return {
            "sessions": len(self.sessions),
            "users": len(self.sessions),
            "active_sessions": len(self.active & set(self.sessions)) if not self.released else 0,
            "last_packet_ns": 0,
            "external_address": self.external,
            "adopted_addresses": sorted(self.adopted),
            "released": self.released,
        }

    def do_export(self, format: int) -> dict[str, Any]:
        if format > self.state_format:
            raise Refused(f"format {format} cannot be exported")
        return {"state": {"format": format, "sessions": [[s, a, s in self.active] for s, a in self.sessions.items()]}}

    def do_import(self, state: dict[str, Any]) -> dict[str, Any]:
        if self.refuse_import or state["format"] > self.state_format:
            raise Refused("this state cannot be imported")
        for session, address, active in state["sessions"]:
            self.sessions[session] = address
            if address != self.external:
                self.adopted.add(address)
            if active:
                self.active.add(session)
        self.released = False
        return {"sessions": len(state["sessions"]), "conflicts": 0, "addresses": []}

    def do_release(self) -> None:
        self.released = True


class FakeBalancer(Vnfc):
    """Users are a dict of user -> worker."""

    role = "lb"

    def __init__(self, id: str, host: str, port: int) -> None:
        super().__init__(id, host, port)
        self.pool: dict[str, dict[str, str]] = {}
        self.shares: dict[str, int] = {}
        self.users: dict[str, str] = {}
        self.held: set[str] = set()
        self.history: list[tuple[str, Any]] = []

    def do_hello(self) -> dict[str, Any]:
        return {"role": "lb", "version": "1.0.0", "ready": self.ready, "state_format": None}

    def do_workers(self, workers: list[dict[str, str]]) -> None:
        self.pool = {worker["id"]: worker for worker in workers}
        self.held &= set(self.pool)
        self.history.append(("workers", {id: w["group"] for id, w in self.pool.items()}))

    def do_shares(self, shares: dict[str, int]) -> None:
        assert sum(shares.values()) == 100
        self.shares = shares
        self.history.append(("shares", shares))

    def do_stats(self) -> dict[str, Any]:
        users = {id: sum(w == id for w in self.users.values()) for id in self.pool}
        return {"users": users, "new_users": users, "packets": {}, "no_worker_drops": 0, "shares": self.shares}

    def do_hold(self, worker: str) -> None:
        if worker not in self.pool:
            raise Refused(f"no worker {worker}")
        self.held.add(worker)

    def do_unhold(self, worker: str) -> None:
        if worker not in self.pool:
            raise Refused(f"no worker {worker}")
        self.held.discard(worker)

    def do_move(self, **ends: str) -> dict[str, Any]:
        source, target = ends["from"], ends["to"]
        if source not in self.pool or target not in self.pool:
            raise Refused("no such worker")
        moved = [user for user, worker in self.users.items() if worker == source]
        for user in moved:
            self.users[user] = target
        self.held.discard(source)
        self.history.append(("move", (source, target, len(moved))))
        return {"users": len(moved)}


@dataclass
class Vnf:
    """A VNF instance with one decider and workers, as the VNFM would show it in `record`."""

    id: str = "vnf-1"
    vnfd_id: str = "v1"
    port: int = 0
    members: dict[str, Vnfc] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    _net: str = ""
    _last: int = 9

    @classmethod
    async def create(cls, workers: dict[str, str], number: int = 1) -> Vnf:
        """`workers` maps ids to vnfdIds v1 or v2."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        vnf = cls(id=f"vnf-{number}", port=port, _net=f"127.0.{number + 10}")
        await vnf.add_balancer()
        for id, group in workers.items():
            await vnf.add(id, group)
        return vnf

    async def add_balancer(self) -> None:
        balancer = FakeBalancer("lb", f"{self._net}.1", self.port)
        self.members["lb"], self.groups["lb"] = balancer, "v1"
        await balancer.start()

    async def add(self, id: str, group: str, *, start: bool = True) -> FakeWorker:
        self._last += 1
        number = self._last
        worker = FakeWorker(
            id, f"{self._net}.{number}", self.port, state_format=int(group[1:]), external=f"198.19.0.{number}"
        )
        self.members[id], self.groups[id] = worker, group
        if start:
            await worker.start()
        return worker

    async def delete(self, *ids: str) -> None:
        for id in ids:
            await self.members.pop(id).stop()

    async def close(self) -> None:
        await self.delete(*list(self.members))

    @property
    def lb(self) -> FakeBalancer:
        found = self.members["lb"]
        assert isinstance(found, FakeBalancer)
        return found

    def worker(self, id: str) -> FakeWorker:
        found = self.members[id]
        assert isinstance(found, FakeWorker)
        return found

    def user(self, name: str, worker: str, *, active: bool = True) -> None:
        """A user with one session on a worker."""
        self.lb.users[name] = worker
        found = self.worker(worker)
        found.sessions[name] = found.external
        if active:
            found.active.add(name)

    async def record(self, id: str) -> dict[str, Any]:
        """The VnfInstance."""
        assert id == self.id
        return {
            "id": self.id,
            "vnfdId": self.vnfd_id,
            "instantiatedVnfInfo": {
                "vnfcResourceInfo": [
                    {
                        "id": f"res-{vnfc.id}",
                        "vduId": vnfc.role,
                        "vnfdId": self.groups[vnfc.id],
                        "vnfcCpInfo": [
                            _cp("mgmt", vnfc.host, f"02:00:00:00:01:{n:02x}"),
                            _cp("internal", f"10.80.0.{n}", f"02:00:00:00:02:{n:02x}"),
                        ],
                    }
                    for n, vnfc in enumerate(self.members.values(), start=1)
                ],
                "vnfcInfo": [
                    {"id": vnfc.id, "vduId": vnfc.role, "vnfcResourceInfoId": f"res-{vnfc.id}"}
                    for vnfc in self.members.values()
                ],
            },
        }


def _cp(name: str, address: str, mac: str) -> dict[str, Any]:
    return {
        "id": name,
        "cpdId": name,
        "cpProtocolInfo": [
            {
                "layerProtocol": "IP_OVER_ETHERNET",
                "ipOverEthernet": {
                    "macAddress": mac,
                    "ipAddresses": [{"type": "IPV4", "addresses": [address], "isDynamic": False}],
                },
            }
        ],
    }
