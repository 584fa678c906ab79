"""Networks, subnets and ports: what the network service does, apart from HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from nfvcert.reference.common.store import Store
from nfvcert.reference.vim import addresses
from nfvcert.reference.vim.agents import Hosts
from nfvcert.reference.vim.behaviour import VimBehaviour
from nfvcert.reference.vim.faults import BadRequestError, ConflictError
from nfvcert.reference.vim.quotas import Quota
from nfvcert.reference.vim.records import Network, Port, Subnet
from nfvcert.reference.vim.registry import Registry


class Networking:
    """The networks of the cloud; a network exists on every host from its creation on.

    Args:
        store: where records are kept.
        hosts: compute hosts.
        behaviour: decisions.
        quota: bounds of the project.
        mtu: of new networks.
        vni_first: first VXLAN network identifier to give.
    """

    def __init__(
        self, store: Store, hosts: Hosts, behaviour: VimBehaviour, quota: Quota, *, mtu: int, vni_first: int
    ) -> None:
        self.networks = Registry(store, Network, "network")
        self.subnets = Registry(store, Subnet, "subnet")
        self.ports = Registry(store, Port, "port")
        self._hosts = hosts
        self._behaviour = behaviour
        self._quota = quota
        self._mtu = mtu
        self._vni_first = vni_first

    def subnets_of(self, network_id: str) -> list[Subnet]:
        """The subnets of a network."""
        return [subnet for subnet in self.subnets if subnet.network_id == network_id]

    def ports_of(self, network_id: str) -> list[Port]:
        """The ports of a network."""
        return [port for port in self.ports if port.network_id == network_id]

    async def create_network(self, project_id: str, *, vni: int | None = None, **attributes: Any) -> Network:
        """A new network, present on all hosts when this returns.

        Raises:
            ConflictError: the asked VXLAN identifier is in use, or the quota.
        """
        self._check_quota("network", len(self.networks))
        used = {network.vni for network in self.networks}
        if vni is not None and vni in used:
            raise ConflictError(f"Unable to create the network. The tunnel ID {vni} is in use.", type="TunnelIdInUse")
        network = Network(
            id=str(uuid4()),
            project_id=project_id,
            vni=vni if vni is not None else addresses.free_vni(used, first=self._vni_first),
            **({"mtu": self._mtu} | attributes),
        )
        self.networks.save(network)
        try:
            await self._hosts.everywhere(network)
        except BaseException:
            self.networks.remove(network.id)
            raise
        return network

    async def delete_network(self, id: str) -> None:
        """Remove a network and its subnets.

        Raises:
            ConflictError: a port is left on it.
        """
        network = self.networks.get(id)
        if self.ports_of(id):
            raise ConflictError(
                f"Unable to complete operation on network {id}. "
                "There are one or more ports still in use on the network.",
                type="NetworkInUse",
            )
        await self._hosts.nowhere(network.id)
        for subnet in self.subnets_of(id):
            self.subnets.remove(subnet.id)
        self.networks.remove(id)

    def create_subnet(self, project_id: str, network_id: str, cidr: str, **attributes: Any) -> Subnet:
        """A new subnet; `gateway_ip` absent takes the first address, None has no gateway.

        Raises:
            BadRequestError: the network range is not valid or overlaps another subnet of the network.
        """
        self._check_quota("subnet", len(self.subnets))
        self.networks.get(network_id)
        try:
            wanted = addresses.parse_cidr(cidr)
        except addresses.AddressError as error:
            raise BadRequestError(str(error), type="HTTPBadRequest") from error
        for other in self.subnets_of(network_id):
            if addresses.parse_cidr(other.cidr).overlaps(wanted):
                raise BadRequestError(
                    f"Invalid input for operation: Requested subnet with cidr: {cidr} for network: {network_id} "
                    f"overlaps with another subnet.",
                    type="InvalidInput",
                )
        gateway = attributes.pop("gateway_ip", addresses.default_gateway(cidr))
        pools = attributes.pop("allocation_pools", None) or addresses.default_pools(cidr, gateway)
        return self.subnets.save(
            Subnet(
                id=str(uuid4()),
                project_id=project_id,
                network_id=network_id,
                cidr=cidr,
                gateway_ip=gateway,
                allocation_pools=pools,
                **attributes,
            )
        )

    def delete_subnet(self, id: str) -> None:
        """Remove a subnet.

        Raises:
            ConflictError: a port has an address of it.
        """
        self.subnets.get(id)
        if any(ip["subnet_id"] == id for port in self.ports for ip in port.fixed_ips):
            raise ConflictError(
                f"Unable to complete operation on subnet {id}: "
                "One or more ports have an IP allocation from this subnet.",
                type="SubnetInUse",
            )
        self.subnets.remove(id)

    def create_port(
        self,
        project_id: str,
        network_id: str,
        *,
        fixed_ips: Sequence[dict[str, str]] | None = None,
        mac_address: str | None = None,
        **attributes: Any,
    ) -> Port:
        """A new port, bound to no host yet.

        Args:
            project_id: owner.
            network_id: its network.
            fixed_ips: wanted addresses (`subnet_id`, `ip_address` or both each); None takes one of the first subnet.
            mac_address: wanted MAC address; None derives it from the id.
            attributes: further members of the record.

        Raises:
            BadRequestError: an address is not of the network.
            ConflictError: an address is in use or none is left.
        """
        self._check_quota("port", len(self.ports))
        self.networks.get(network_id)
        id = str(uuid4())
        mac = (mac_address or addresses.mac_address(id)).lower()
        if any(port.mac_address == mac for port in self.ports_of(network_id)):
            raise ConflictError(
                f"Unable to complete operation for network {network_id}. The mac address {mac} is in use.",
                type="MacAddressInUse",
            )
        given = self._addresses(network_id, fixed_ips)
        return self.ports.save(
            Port(id=id, project_id=project_id, network_id=network_id, mac_address=mac, fixed_ips=given, **attributes)
        )

    def change_addresses(self, port: Port, fixed_ips: Sequence[dict[str, str]]) -> None:
        """Give a port other addresses; errors as in `create_port`."""
        port.fixed_ips = self._addresses(port.network_id, fixed_ips, but=port.id)

    def delete_port(self, id: str) -> None:
        """Remove a port that no server uses.

        Raises:
            ConflictError: a server uses it.
        """
        port = self.ports.get(id)
        if port.device_id:
            raise ConflictError(
                f"Port {id} cannot be deleted directly via the port API: has device owner {port.device_owner}.",
                type="ServicePortInUse",
            )
        self.ports.remove(id)

    def _addresses(
        self, network_id: str, wanted: Sequence[dict[str, str]] | None, *, but: str | None = None
    ) -> list[dict[str, str]]:
        subnets = self.subnets_of(network_id)
        if wanted is None:
            wanted = [{"subnet_id": subnets[0].id}] if subnets else []
        used: dict[str, set[str]] = {subnet.id: set() for subnet in subnets}
        for port in self.ports_of(network_id):
            for ip in port.fixed_ips if port.id != but else []:
                used.setdefault(ip["subnet_id"], set()).add(ip["ip_address"])
        given = []
        for entry in wanted:
            subnet = self._subnet_for(network_id, subnets, entry)
            address = self._address(subnet, entry.get("ip_address"), used[subnet.id])
            used[subnet.id].add(address)
            given.append({"subnet_id": subnet.id, "ip_address": address})
        return given

    def _subnet_for(self, network_id: str, subnets: Sequence[Subnet], entry: dict[str, str]) -> Subnet:
        for subnet in subnets:
            if entry.get("subnet_id") == subnet.id:
                return subnet
            if "subnet_id" not in entry and _contains(subnet, entry.get("ip_address")):
                return subnet
        raise BadRequestError(
            f"IP address {entry.get('ip_address')} is not a valid IP for any of the subnets on network {network_id}."
            if "ip_address" in entry
            else f"Invalid input for operation: Failed to create port on network {network_id}, because fixed_ips "
            f"included invalid subnet {entry.get('subnet_id')}.",
            type="InvalidIpForNetwork" if "ip_address" in entry else "InvalidInput",
        )

    def _address(self, subnet: Subnet, wanted: str | None, used: set[str]) -> str:
        try:
            if wanted is None:
                address = addresses.allocate(subnet.allocation_pools, used, after=subnet.last_allocated)
                subnet.last_allocated = address
                self.subnets.save(subnet)
                return address
            if wanted in used:
                raise ConflictError(
                    f"IP address {wanted} already allocated in subnet {subnet.id}", type="IpAddressAlreadyAllocated"
                )
            return addresses.requested_address(subnet.cidr, wanted, used)
        except addresses.PoolExhaustedError as error:
            raise ConflictError(str(error), type="IpAddressGenerationFailure") from error
        except addresses.AddressError as error:
            raise BadRequestError(str(error), type="InvalidIpForSubnet") from error

    def _check_quota(self, name: str, used: int) -> None:
        refusal = self._behaviour.quota_refusal({name: used}, {name: used + 1}, self._quota)
        if refusal:
            raise ConflictError(f"Quota exceeded for resources: ['{name}'].", type="OverQuota")


def _contains(subnet: Subnet, address: str | None) -> bool:
    try:
        return address is not None and addresses.requested_address(subnet.cidr, address, ()) == address
    except addresses.AddressError:
        return False
