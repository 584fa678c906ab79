"""What happens to a server after its request was answered: placing, starting, stopping, deleting.

Each server has one task at a time. Whether its container runs is never remembered but read from the agent of its host.
A build that fails leaves the server in ERROR with the reason in its fault; it is not tried on another host.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any, Protocol

from nfvcert.errors import NfvcertError
from nfvcert.reference.vim.agents import ContainerSpec, ContainerState, Hosts
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.imaging import Imaging
from nfvcert.reference.vim.networking import Networking
from nfvcert.reference.vim.records import Port, Server, ServerGroup, now
from nfvcert.reference.vim.registry import Registry
from nfvcert.reference.vim.scheduler import HostState, NoValidHostError, Wanted

log = logging.getLogger(__name__)

CACHE_S = 0.1
DELETE_TRIES = 5
DELETE_PAUSE_S = 0.5


class Cloud(Protocol):
    """What the life cycle works on."""

    servers: Registry[Server]
    groups: Registry[ServerGroup]


class Lifecycle:
    """Runs the servers of the cloud.

    Args:
        cloud: server and group records.
        networking: port records.
        imaging: image contents.
        hosts: compute hosts.
        behaviour: decisions.
    """

    def __init__(
        self, cloud: Cloud, networking: Networking, imaging: Imaging, hosts: Hosts, behaviour: VimBehaviour
    ) -> None:
        self._cloud = cloud
        self._networking = networking
        self._imaging = imaging
        self._hosts = hosts
        self._behaviour = behaviour
        self._turns: dict[str, asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: dict[str, dict[str, ContainerState] | None] = {}
        self._seen_at: dict[str, float] = {}

    # -- requests -------------------------------------------------------------------------------------------------

    def build(self, server: Server) -> None:
        """Place and start a new server in the background."""
        self._begin(server, self._build(server))

    def delete(self, server: Server) -> None:
        """Delete a server in the background; it is shown as deleting until its container has gone."""
        if server.task == "deleting":
            return
        server.task = "deleting"
        self._cloud.servers.save(server)
        self._begin(server, self._delete(server))

    def stop(self, server: Server) -> None:
        """Stop the container in the background."""
        self._change(server, "powering-off", self._stop(server))

    def start(self, server: Server) -> None:
        """Start the container again in the background."""
        self._change(server, "powering-on", self._start(server))

    def reboot(self, server: Server) -> None:
        """Stop and start the container in the background."""
        self._change(server, "rebooting", self._reboot(server))

    def resume(self) -> None:
        """After a start of the VIM: finish deletions, give up builds that were interrupted."""
        for server in self._cloud.servers:
            if server.task == "deleting":
                self._begin(server, self._delete(server))
            elif server.vm_state == "building":
                self._fail(server, "Build of the instance was interrupted by a restart of the service.")
            elif server.task is not None:
                server.task = None
                self._cloud.servers.save(server)

    async def close(self) -> None:
        """Give up what is going on; `resume` takes it up at the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- observation ----------------------------------------------------------------------------------------------

    def host_states(self) -> list[HostState]:
        """Capacity and claims of all hosts."""
        states = []
        for host in self._hosts:
            claims = [server for server in self._cloud.servers if server.host == host.name]
            states.append(
                HostState(
                    name=host.name,
                    vcpus=host.vcpus,
                    ram_mb=host.ram_mb,
                    vcpus_used=sum(server.vcpus for server in claims),
                    ram_mb_used=sum(server.ram for server in claims),
                )
            )
        return states

    async def running(self, server: Server) -> bool | None:
        """Whether the server's container runs, as its host says; None if it has no host or the host does not answer."""
        if server.host is None or (host := self._hosts.get(server.host)) is None:
            return None
        if time.monotonic() - self._seen_at.get(host.name, -CACHE_S) >= CACHE_S:
            self._seen_at[host.name] = time.monotonic()
            try:
                self._seen[host.name] = await host.agent.containers()
            except NfvcertError as error:
                log.warning("inventory of host %s: %s", host.name, error)
                self._seen[host.name] = None
        seen = self._seen.get(host.name)
        if seen is None:
            return None
        return server.id in seen and seen[server.id].running

    # -- tasks ----------------------------------------------------------------------------------------------------

    def _begin(self, server: Server, work: Coroutine[Any, Any, None]) -> None:
        turn = self._turns.setdefault(server.id, asyncio.Lock())

        async def run() -> None:
            async with turn:
                try:
                    await work
                except Exception as error:
                    log.exception("a task of server %s failed", server.id)
                    if self._cloud.servers.find(server.id) is not None:
                        self._fail(server, f"Unexpected error: {error!r}")

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _change(self, server: Server, task: str, work: Coroutine[Any, Any, None]) -> None:
        server.task = task
        self._cloud.servers.save(server)
        self._begin(server, work)

    async def _build(self, server: Server) -> None:
        if server.task == "deleting":
            return
        try:
            server.host = self._behaviour.place(self.host_states(), self._wanted(server))
        except NoValidHostError as error:
            self._fail(server, str(error))
            return
        server.task = "spawning"
        self._cloud.servers.save(server)
        log.info("server %s (%s) placed on %s", server.name, server.id, server.host)
        try:
            await self._run(server)
        except NfvcertError as error:
            log.warning("server %s cannot be started on %s: %s", server.id, server.host, error)
            self._fail(server, f"Build of instance {server.id} aborted: {error.message}")
        else:
            server.launched_at = now()

    async def _run(self, server: Server) -> None:
        host = self._hosts.get(server.host or "")
        if host is None:
            raise NfvcertError(f"host {server.host} does not exist any more")
        ports = [self._networking.ports.get(id) for id in server.ports]
        for port in ports:
            port.host_id = host.name
            self._networking.ports.save(port)
        networks = {port.network_id: self._networking.networks.get(port.network_id) for port in ports}
        await host.agent.start(self._spec(server, ports), networks.values())
        for port in ports:
            port.status = "ACTIVE"
            self._networking.ports.save(port)
        self._forget_seen(server)
        server.vm_state = "active"
        if server.task != "deleting":
            server.task = None
        self._cloud.servers.save(server)

    async def _halt(self, server: Server) -> None:
        host = self._hosts.get(server.host or "")
        if host is not None:
            await host.agent.remove(server.id, [])
        self._forget_seen(server)

    async def _stop(self, server: Server) -> None:
        try:
            await self._halt(server)
        except NfvcertError as error:
            self._fail(server, f"Instance cannot be stopped: {error.message}")
            return
        self._settle(server, "stopped")

    async def _start(self, server: Server) -> None:
        try:
            await self._halt(server)
            await self._run(server)
        except NfvcertError as error:
            self._fail(server, f"Instance cannot be started: {error.message}")

    async def _reboot(self, server: Server) -> None:
        await self._start(server)

    async def _delete(self, server: Server) -> None:
        host = self._hosts.get(server.host or "")
        for attempt in range(DELETE_TRIES):
            try:
                if host is not None:
                    await host.agent.remove(server.id, server.ports)
                break
            except NfvcertError as error:
                log.warning("server %s cannot be deleted on %s: %s", server.id, server.host, error)
                if attempt == DELETE_TRIES - 1:
                    server.task = None
                    self._fail(server, f"Instance cannot be deleted: {error.message}")
                    return
                await asyncio.sleep(DELETE_PAUSE_S)
        self._forget_seen(server)
        self._unbind(server)
        for group in self._cloud.groups:
            if server.id in group.members:
                group.members.remove(server.id)
                self._cloud.groups.save(group)
        self._cloud.servers.remove(server.id)
        self._turns.pop(server.id, None)
        log.info("server %s (%s) deleted", server.name, server.id)
        self._behaviour.server_deleted(server)

    # -- parts ----------------------------------------------------------------------------------------------------

    def _wanted(self, server: Server) -> Wanted:
        group = self._cloud.groups.find(server.group_id) if server.group_id else None
        members = [self._cloud.servers.find(id) for id in group.members if id != server.id] if group else []
        return Wanted(
            vcpus=server.vcpus,
            ram_mb=server.ram,
            policy=group.policy if group else None,
            member_hosts=tuple(member.host for member in members if member is not None and member.host),
            forced_host=server.forced_host,
        )

    def _spec(self, server: Server, ports: list[Port]) -> ContainerSpec:
        subnets = {
            ip["subnet_id"]: self._networking.subnets.get(ip["subnet_id"]) for port in ports for ip in port.fixed_ips
        }
        image = self._imaging.images.find(server.image_id)
        if image is None:
            raise NfvcertError(f"image {server.image_id} could not be found")
        return ContainerSpec(
            id=server.id,
            name=server.name,
            image=image,
            image_file=self._imaging.file(image.id),
            vcpus=server.vcpus,
            ram_mb=server.ram,
            ports=tuple(ports),
            subnets=subnets,
            user_data=server.user_data,
            metadata=server.metadata,
        )

    def _unbind(self, server: Server) -> None:
        for id in server.ports:
            port = self._networking.ports.find(id)
            if port is None:
                continue
            if port.owned_by_server:
                self._networking.ports.remove(id)
                continue
            port.device_id = port.device_owner = port.host_id = ""
            port.status = "DOWN"
            self._networking.ports.save(port)

    def _settle(self, server: Server, vm_state: str) -> None:
        server.vm_state = vm_state  # type: ignore[assignment]
        if server.task != "deleting":
            server.task = None
        self._cloud.servers.save(server)

    def _fail(self, server: Server, message: str) -> None:
        server.fault = {"code": 500, "created": now(), "message": message}
        self._settle(server, "error")

    def _forget_seen(self, server: Server) -> None:
        if server.host:
            self._seen_at.pop(server.host, None)
