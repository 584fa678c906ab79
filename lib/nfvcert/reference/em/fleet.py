"""The VNFCs of one VNF instance as the EM reaches them: the traffic decider and the workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from nfvcert.errors import StackError
from nfvcert.reference.em.decider import PoolMember
from nfvcert.reference.em.elements import Balancer, Element, Hello, Worker
from nfvcert.reference.em.inventory import Vnfc, by_any_id, vnfcs
from nfvcert.reference.em.management import ElementError, ManagementClient, UnreachableError
from nfvcert.reference.em.netns import SocketFactory
from nfvcert.reference.em.settings import EmConfig

BALANCER_ROLE = "lb"
WORKER_ROLE = "worker"
READY_PAUSE_S = 0.05
PROBE_TIMEOUT_S = 0.5
"""Limit of one hello while waiting for a VNFC that may not be there yet."""

ReadInstance = Callable[[str], Awaitable[dict[str, Any]]]
"""Reads a VnfInstance by its id; fails with a StackError or Problem."""


@dataclass
class Site:
    """One VNFC with its connection; `hello` is what it last said of itself, None if it never answered."""

    vnfc: Vnfc
    client: ManagementClient
    hello: Hello | None = None

    @property
    def worker(self) -> Worker:
        """The VNFC in the role of a worker."""
        return Worker(self.client)


@dataclass
class Fleet:
    """All VNFCs of an instance at one time, by id; `names` maps the ids that requests may use to these."""

    instance_id: str
    vnfd_id: str
    sites: dict[str, Site]
    names: dict[str, str] = field(default_factory=dict)
    worker_cp: str = "internal"

    def resolve(self, ids: Iterable[str]) -> list[str]:
        """The ids of vnfcInfo for ids of either kind; unknown ones unchanged, doubles once."""
        return list(dict.fromkeys(self.names.get(id, id) for id in ids))

    def workers(self) -> dict[str, Site]:
        """All VNFCs that said they are workers."""
        return {id: site for id, site in self.sites.items() if site.hello and site.hello.role == WORKER_ROLE}

    def worker(self, id: str) -> Worker:
        """The worker of that id.

        Raises:
            StackError: the VNFM does not know it.
        """
        if id not in self.sites:
            raise StackError("the VNF manager does not show this VNFC", where=f"VNFC {id}")
        return self.sites[id].worker

    @property
    def balancer(self) -> Balancer:
        """The traffic decider.

        Raises:
            StackError: there is none, or more than one.
        """
        found = [site for site in self.sites.values() if site.hello and site.hello.role == BALANCER_ROLE]
        if len(found) != 1:
            silent = [id for id, site in self.sites.items() if site.hello is None]
            raise StackError(
                "the VNF must have one traffic decider that answers",
                where=f"VNF {self.instance_id}",
                found=f"{len(found)}; VNFCs that never answered: {', '.join(silent) or 'none'}",
            )
        return Balancer(found[0].client)

    def member(self, id: str) -> PoolMember:
        """The entry of a worker in the decider's pool.

        Raises:
            StackError: its address towards the decider is unknown.
        """
        vnfc = self.sites[id].vnfc
        mac = vnfc.mac(self.worker_cp)
        if mac is None:
            raise StackError(
                f"the VNF manager shows no MAC address of connection point {self.worker_cp}",
                where=f"VNFC {id}",
                found=", ".join(vnfc.macs) or "no connection points",
            )
        return PoolMember(id=id, mac=mac, group=vnfc.vnfd_id)


class Fleets:
    """Connections to the VNFCs of all VNF instances, kept between coordinations."""

    def __init__(self, config: EmConfig, read_instance: ReadInstance, sockets: SocketFactory | None = None) -> None:
        self._config = config
        self._read = read_instance
        self._sockets = sockets or SocketFactory(config.southbound_netns)
        self._sites: dict[str, dict[str, Site]] = {}

    async def load(self, instance_id: str, *, await_ready: Iterable[str] | None = ()) -> Fleet:
        """The VNFCs that the VNFM shows now; those in `await_ready` (None: all) are waited for.

        Raises:
            UnreachableError: a VNFC that is waited for does not get ready in time.
            StackError: the VNFM does not answer or shows no usable address.
        """
        instance = await self._read(instance_id)
        found = vnfcs(instance)
        known = self._sites.setdefault(instance_id, {})
        sites = {vnfc.id: self._site(known, vnfc) for vnfc in found}
        for id in [id for id in known if id not in sites]:
            await known.pop(id).client.close()
        names = {given: vnfc.id for given, vnfc in by_any_id(found).items()}
        fleet = Fleet(instance_id, instance.get("vnfdId", ""), sites, names, self._config.worker_cp)
        wanted = set(sites) if await_ready is None else set(fleet.resolve(await_ready))
        if missing := wanted - set(sites):
            raise StackError("the VNF manager does not show this VNFC", where=f"VNFC {', '.join(sorted(missing))}")
        results = await asyncio.gather(
            *(self._greet(site, wait=id in wanted) for id, site in sites.items()), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return fleet

    def known(self, instance_id: str) -> Fleet:
        """The VNFCs as they were at the last coordination; nobody is asked."""
        return Fleet(instance_id, "", dict(self._sites.get(instance_id, {})), worker_cp=self._config.worker_cp)

    async def close(self) -> None:
        """Close all connections."""
        for sites in self._sites.values():
            for site in sites.values():
                await site.client.close()
        self._sockets.close()

    def _site(self, known: dict[str, Site], vnfc: Vnfc) -> Site:
        host = vnfc.address(self._config.management_cp)
        if host is None:
            raise StackError(
                f"the VNF manager shows no address of connection point {self._config.management_cp}",
                where=f"VNFC {vnfc.id}",
                found=", ".join(vnfc.addresses) or "no addresses",
            )
        site = known.get(vnfc.id)
        if site is not None and site.client.host != host:
            site.client.drop()
            site = None
        if site is None:
            client = ManagementClient(
                vnfc.id,
                host,
                self._sockets,
                port=self._config.management_port,
                timeout_s=self._config.request_timeout_s,
            )
            site = known[vnfc.id] = Site(vnfc, client)
        site.vnfc = vnfc
        return site

    async def _greet(self, site: Site, *, wait: bool) -> None:
        """Ask a VNFC who it is; one that is not waited for may stay silent."""
        if not wait:
            if site.hello is None:
                try:
                    site.hello = await Element(site.client).hello(timeout_s=PROBE_TIMEOUT_S)
                except ElementError:
                    pass
            return
        deadline = time.monotonic() + self._config.ready_timeout_s
        reason = "it never answered"
        while True:
            try:
                site.hello = await Element(site.client).hello(timeout_s=PROBE_TIMEOUT_S)
                if site.hello.ready:
                    return
                reason = "it says that it is not ready"
            except ElementError as error:
                reason = error.message
            if time.monotonic() >= deadline:
                raise UnreachableError(
                    f"the VNFC is not ready within {self._config.ready_timeout_s:g} s",
                    where=site.client.where,
                    found=reason,
                )
            await asyncio.sleep(READY_PAUSE_S)
