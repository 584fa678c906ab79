"""Links inside a namespace: bridges, veth pairs across namespaces, VXLAN with a static flood list.

Every function takes a :class:`Netlink`, the handle of one namespace. Making a port costs two or three milliseconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from nfvcert.closing import Closing
from nfvcert.errors import TestbedError
from nfvcert.nfvi import namespaces
from nfvcert.nfvi.ethtool import disable_offloads
from nfvcert.nfvi.names import short

VXLAN_PORT = 4789
FLOOD_MAC = "00:00:00:00:00:00"
T = TypeVar("T")


@dataclass(frozen=True)
class Address:
    """What the end of a veth pair is to have. `ip` None: no kernel address, the program owns it."""

    mac: str | None = None
    ip: str | None = None
    prefix: int = 24


class Netlink(Closing):
    """One thread with a route socket in one namespace, for as long as its owner needs it.

    Args:
        netns: name of the namespace; None: that of the process.
    """

    def __init__(self, netns: str | None = None) -> None:
        self.netns = netns
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="netlink")
        self._route: Any = None
        try:
            self._worker.submit(self._open).result()
        except BaseException:
            self._worker.shutdown()
            raise

    def run(self, work: Callable[[Any], T]) -> T:
        """Run `work(IPRoute)` in the thread; netlink errors become TestbedError."""
        try:
            return self._worker.submit(work, self._route).result()
        except NetlinkError as error:
            raise TestbedError(
                "the kernel refused a network configuration", where=self.netns or "", found=str(error)
            ) from error

    def close(self) -> None:
        """End the thread and close the socket."""
        if self._route is not None:
            self._worker.submit(self._route.close).result()
            self._route = None
        self._worker.shutdown()

    def _open(self) -> None:
        if self.netns is not None:
            namespaces.enter(self.netns)
        self._route = IPRoute()

    # What follows is the vocabulary of the room; each call is one or two messages to the kernel.

    def create_bridge(self, ifname: str, *, mtu: int, mac: str) -> None:
        """A learning bridge without spanning tree, with a fixed address of its own, up."""

        def work(route: Any) -> None:
            route.link(
                "add",
                ifname=ifname,
                kind="bridge",
                address=mac,
                br_stp_state=0,
                br_forward_delay=0,
                br_mcast_snooping=0,
            )
            route.link("set", index=_index(route, ifname), mtu=mtu, state="up")
            disable_offloads(ifname)

        self.run(work)

    def create_vxlan(self, ifname: str, *, vni: int, local: str, bridge: str, mtu: int) -> None:
        """A learning VXLAN device on a bridge; floods to nobody until :meth:`set_flood_list`."""

        def work(route: Any) -> None:
            route.link(
                "add",
                ifname=ifname,
                kind="vxlan",
                vxlan_id=vni,
                vxlan_local=local,
                vxlan_port=VXLAN_PORT,
                vxlan_learning=True,
                vxlan_ttl=8,
            )
            index = _index(route, ifname)
            route.link("set", index=index, mtu=mtu, master=_index(route, bridge))
            disable_offloads(ifname)
            route.link("set", index=index, state="up")

        self.run(work)

    def set_flood_list(self, ifname: str, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Change to which underlay addresses a VXLAN device sends what it cannot deliver (head-end replication)."""

        def work(route: Any) -> None:
            index = _index(route, ifname)
            for address in remove:
                route.fdb("del", ifindex=index, lladdr=FLOOD_MAC, dst=address)
            for address in add:
                route.fdb("append", ifindex=index, lladdr=FLOOD_MAC, dst=address)

        self.run(work)

    def create_veth(
        self,
        ifname: str,
        *,
        mtu: int,
        peer_netns: str,
        peer_ifname: str,
        peer: Address,
        bridge: str | None = None,
        address: Address | None = None,
    ) -> None:
        """A veth pair, offloads off, both ends up: one here (bridged or addressed), one in another namespace."""
        own = address or Address()

        def here(route: Any) -> None:
            descriptor = os.open(namespaces.path_of(peer_netns), os.O_RDONLY | os.O_CLOEXEC)
            try:
                far: dict[str, Any] = {"ifname": peer_ifname, "net_ns_fd": descriptor, "mtu": mtu}
                near: dict[str, Any] = {"ifname": ifname, "kind": "veth", "mtu": mtu, "peer": far}
                if peer.mac:
                    far["address"] = peer.mac
                if own.mac:
                    near["address"] = own.mac
                if bridge:
                    near["master"] = _index(route, bridge)
                route.link("add", **near)
            finally:
                os.close(descriptor)
            _finish(route, ifname, own)

        def there() -> None:
            with IPRoute() as route:
                _finish(route, peer_ifname, peer)

        if not namespaces.exists(peer_netns):
            raise TestbedError("there is no such network namespace", where=peer_netns)
        self.run(here)
        try:
            namespaces.run_in(peer_netns, there)
        except BaseException as error:
            self.delete(ifname)
            if isinstance(error, NetlinkError):
                raise TestbedError("the kernel refused an interface", where=peer_netns, found=str(error)) from error
            raise

    def set_up(self, ifname: str, up: bool) -> None:
        """Switch a link on or off."""
        self.run(lambda route: route.link("set", index=_index(route, ifname), state="up" if up else "down"))

    def delete(self, ifname: str) -> bool:
        """Remove a link (both ends of a veth pair). Answers whether it was there."""

        def work(route: Any) -> bool:
            found = route.link_lookup(ifname=ifname)
            if not found:
                return False
            try:
                route.link("del", index=found[0])
            except NetlinkError as error:
                if error.code != 19:  # ENODEV: its namespace went in the meantime
                    raise
            return True

        return self.run(work)

    def interfaces(self) -> list[str]:
        """Names of all links of the namespace."""
        return [link.get_attr("IFLA_IFNAME") for link in self.run(lambda route: list(route.get_links()))]


def counters(path: Path = Path("/proc/thread-self/net/dev")) -> dict[str, dict[str, int]]:
    """Packets, bytes and drops of all links of the calling thread's namespace, by interface name."""
    return parse_counters(path.read_text())


def parse_counters(text: str) -> dict[str, dict[str, int]]:
    """Read /proc/net/dev: {ifname: {rx_bytes, rx_packets, rx_dropped, tx_bytes, tx_packets, tx_dropped}}."""
    found = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.partition(":")
        value = [int(field) for field in rest.split()]
        found[name.strip()] = {
            "rx_bytes": value[0],
            "rx_packets": value[1],
            "rx_dropped": value[3],
            "tx_bytes": value[8],
            "tx_packets": value[9],
            "tx_dropped": value[11],
        }
    return found


def local_mac(key: str) -> str:
    """A locally administered unicast MAC address derived from a name, e.g. for bridges and host side ends."""
    digits = short(key, 10)
    return "02:" + ":".join(digits[at : at + 2] for at in range(0, 10, 2))


def _index(route: Any, ifname: str) -> int:
    found = route.link_lookup(ifname=ifname)
    if not found:
        raise TestbedError("there is no such interface", where=ifname)
    return int(found[0])


def _finish(route: Any, ifname: str, address: Address) -> None:
    """Offloads off, address on, up."""
    disable_offloads(ifname)
    index = _index(route, ifname)
    if address.ip:
        route.addr("add", index=index, address=address.ip, prefixlen=address.prefix)
    route.link("set", index=index, state="up")
