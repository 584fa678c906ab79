"""The address plan of the embedded testbed. All addresses live inside namespaces that the testbed made."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Network

CLIENT_NETWORK = "access"
SERVER_NETWORK = "external"
MANAGEMENT_NETWORK = "mgmt"


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """How a network's addresses are used: a pool for the VIM, the rest for what is outside of the VNF."""

    name: str
    network: IPv4Network

    def address(self, third: int, fourth: int) -> str:
        """The address ``a.b.third.fourth`` of the network."""
        return str(self.network.network_address + third * 256 + fourth)

    @property
    def pool(self) -> tuple[str, str]:
        """First and last address that the VIM may give to ports."""
        return self.address(2, 1), self.address(2, 254)


def free_ports(count: int) -> list[int]:
    """Loopback TCP ports that nobody uses now."""
    sockets = []
    try:
        for _ in range(count):
            probe = socket.socket()
            probe.bind(("127.0.0.1", 0))
            sockets.append(probe)
        return [probe.getsockname()[1] for probe in sockets]
    finally:
        for probe in sockets:
            probe.close()
