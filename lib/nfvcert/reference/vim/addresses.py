"""Addresses and network identifiers that the VIM hands out, all decided without chance."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network

MAC_PREFIX = "fa:16:3e"
VNI_FIRST = 100
VNI_LAST = 0xFFFFFF


class AddressError(ValueError):
    """A requested address cannot be given."""


class PoolExhaustedError(AddressError):
    """No address is left in the subnet's pools."""


def mac_address(port_id: str) -> str:
    """The MAC address of a port: OpenStack's prefix and three octets of the digest of its id."""
    digest = hashlib.sha256(port_id.encode()).hexdigest()
    return ":".join([MAC_PREFIX, digest[0:2], digest[2:4], digest[4:6]])


def free_vni(used: Collection[int], *, first: int = VNI_FIRST) -> int:
    """The lowest VXLAN network identifier from `first` on that is not in `used`."""
    vni = first
    while vni in used:
        vni += 1
    if vni > VNI_LAST:
        raise PoolExhaustedError("no VXLAN network identifier is left")
    return vni


def default_gateway(cidr: str) -> str:
    """The first host address of a subnet, which Neutron takes as its gateway when none is named."""
    return str(IPv4Network(cidr)[1])


def default_pools(cidr: str, gateway: str | None) -> list[dict[str, str]]:
    """All host addresses of a subnet but the gateway, as allocation pools (at most two ranges)."""
    network = IPv4Network(cidr)
    first, last = (network[1], network[-2]) if network.prefixlen < 31 else (network[0], network[-1])
    if gateway is None or not first <= IPv4Address(gateway) <= last:
        return [{"start": str(first), "end": str(last)}]
    middle = IPv4Address(gateway)
    pools = []
    if middle > first:
        pools.append({"start": str(first), "end": str(middle - 1)})
    if middle < last:
        pools.append({"start": str(middle + 1), "end": str(last)})
    return pools


def parse_cidr(text: str) -> IPv4Network:
    """An IPv4 network without host bits.

    Raises:
        AddressError: not a network.
    """
    try:
        return IPv4Network(text)
    except ValueError as error:
        raise AddressError(f"Invalid input for cidr. Reason: {error}.") from error


def requested_address(cidr: str, address: str, used: Collection[str]) -> str:
    """`address` in its normal form if the subnet has it and nobody uses it.

    Raises:
        AddressError: not an address, outside the subnet, or in use.
    """
    network = IPv4Network(cidr)
    try:
        wanted = IPv4Address(address)
    except AddressValueError as error:
        raise AddressError(f"IP address {address} is not a valid IP for the specified subnet.") from error
    outside = wanted not in network or (
        network.prefixlen < 31 and wanted in (network.network_address, network.broadcast_address)
    )
    if outside:
        raise AddressError(f"IP address {address} is not a valid IP for the specified subnet.")
    if str(wanted) in used:
        raise AddressError(f"IP address {address} already allocated in subnet.")
    return str(wanted)


def allocate(pools: Iterable[dict[str, str]], used: Collection[str], *, after: str | None = None) -> str:
    """The next free address of the allocation pools (each with `start` and `end`, both included).

    Args:
        pools: ranges in their order.
        used: addresses that are in use.
        after: the address given last; the search begins behind it, so that an address that was given back rests as
            long as possible: somebody may still know it.

    Raises:
        PoolExhaustedError: every address is in use.
    """
    ranges = [(int(IPv4Address(pool["start"])), int(IPv4Address(pool["end"]))) for pool in pools]
    behind = -1 if after is None else int(IPv4Address(after))
    later = [(max(start, behind + 1), end) for start, end in ranges]
    earlier = [(start, min(end, behind)) for start, end in ranges]
    for start, end in (*later, *earlier):
        for number in range(start, end + 1):
            address = str(IPv4Address(number))
            if address not in used:
                return address
    raise PoolExhaustedError("No more IP addresses available on the subnet.")
