"""A VIM through openstacksdk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nfvcert.testbed.attachment import VimAccess
from nfvcert.testbed.secrets import resolve

if TYPE_CHECKING:
    from openstack.connection import Connection


class OpenStackVim:
    """Lists of what the VIM believes to be there."""

    def __init__(self, access: VimAccess) -> None:
        self._access = access
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection, made at first use."""
        if self._connection is None:
            import openstack  # heavy: most back-ends never ask the VIM

            self._connection = openstack.connect(
                auth_url=self._access.auth_url,
                username=self._access.username,
                password=resolve(self._access.password_reference, where="vim"),
                project_name=self._access.project_name,
                user_domain_name="Default",
                project_domain_name="Default",
                region_name="RegionOne",
            )
        return self._connection

    def servers(self) -> list[dict[str, Any]]:
        """Servers: id, name, status, image."""
        return [
            {"id": server.id, "name": server.name, "status": server.status, "image": (server.image or {}).get("id")}
            for server in self.connection.compute.servers()
        ]

    def ports(self) -> list[dict[str, Any]]:
        """Ports: id, name, network, device, MAC."""
        return [
            {
                "id": port.id,
                "name": port.name,
                "network_id": port.network_id,
                "device_id": port.device_id,
                "mac": port.mac_address,
            }
            for port in self.connection.network.ports()
        ]
