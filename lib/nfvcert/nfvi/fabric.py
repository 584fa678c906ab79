"""The underlay: a fabric namespace with a bridge, a namespace for every host, a veth between them, 10.254.0.0/24."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nfvcert.errors import UsageError
from nfvcert.nfvi import namespaces
from nfvcert.nfvi.capacity import HostSpec
from nfvcert.nfvi.links import Address, Netlink, local_mac
from nfvcert.nfvi.names import RunId

UNDERLAY_PREFIX = 24
UNDERLAY_MTU = 1600
VXLAN_OVERHEAD = 50
BRIDGE = "fabric"
UPLINK = "underlay"
RESERVED = frozenset({"fabric", "lease", "logs", "runc"})
"""Names that mean something else in the run directory or among the namespaces."""


@dataclass(frozen=True)
class HostPlace:
    """Where a host is: its namespace and its address on the underlay."""

    spec: HostSpec
    netns: str
    underlay_ip: str


@dataclass(frozen=True)
class Fabric:
    """The underlay of a run. Hosts in the order asked for."""

    rid: RunId
    netns: str
    hosts: tuple[HostPlace, ...]


def plan(rid: RunId, hosts: Sequence[HostSpec]) -> Fabric:
    """Names and addresses, nothing created. At most 200 hosts.

    Raises:
        UsageError: no host, too many hosts, or a name twice.
    """
    names = [host.name for host in hosts]
    if taken := RESERVED.intersection(names):
        raise UsageError("a host cannot have this name", found=", ".join(taken))
    if not names or len(names) > 200 or len(set(names)) != len(names):
        raise UsageError("an NFVI has between 1 and 200 hosts of different names", found=", ".join(names))
    places = tuple(
        HostPlace(host, rid.netns(host.name), f"10.254.0.{number}") for number, host in enumerate(hosts, start=1)
    )
    return Fabric(rid, rid.netns("fabric"), places)


def build(rid: RunId, hosts: Sequence[HostSpec]) -> Fabric:
    """Create the fabric and the hosts' namespaces and connect them.

    Raises:
        UsageError: see :func:`plan`.
        TestbedError: the kernel refused; what exists by then is removed by :func:`nfvcert.nfvi.sweep.destroy`.
    """
    fabric = plan(rid, hosts)
    namespaces.create(fabric.netns)
    with Netlink(fabric.netns) as netlink:
        netlink.create_bridge(BRIDGE, mtu=UNDERLAY_MTU, mac=local_mac(fabric.netns))
        for number, host in enumerate(fabric.hosts, start=1):
            namespaces.create(host.netns)
            netlink.create_veth(
                f"host{number}",
                mtu=UNDERLAY_MTU,
                bridge=BRIDGE,
                peer_netns=host.netns,
                peer_ifname=UPLINK,
                peer=Address(mac=local_mac(host.netns), ip=host.underlay_ip, prefix=UNDERLAY_PREFIX),
            )
    return fabric
