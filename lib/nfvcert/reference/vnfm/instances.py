"""VNF instances as the VNFM keeps them: one document each, with its VNFCs, networks and scale levels.

The document is compact and internal; :mod:`.view` makes the SOL003 resource of it. Keys:

- ``identity``: vnfdId, vnfProvider, vnfProductName, vnfSoftwareVersion, vnfdVersion;
- ``info``: what PATCH may change (name, description, metadata, extensions, configurable properties, VIM connections);
- ``instantiated``, ``flavour``, ``stopped``, ``levels`` {aspect: level}, ``ext`` (external links as requested),
  ``networks`` {link: {"network", "subnet", "cidr", "vnfdId"}}, ``groups`` {group: server group id};
- ``vnfcs``: in order of creation {"id", "vdu", "vnfdId", "server", "image", "stopped", "ports": [{"id", "cp", "link",
  "external", "network", "mac", "ip", "prefix"}]};
- ``retired``: addresses of removed VNFCs, not given out again because others may have taken over their sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from nfvcert.reference.common.problem import Problem, not_found
from nfvcert.reference.common.store import Document, Store
from nfvcert.reference.vnfm.descriptor import ConnectionPoint, Descriptor

KIND = "vnf-instance"
_MOST_RETIRED = 4096

Instance = dict[str, Any]
Vnfc = dict[str, Any]


class Instances:
    """The instance documents of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[Document]:
        """All instances in order of creation."""
        return self._store.list(KIND)

    def find(self, identifier: str) -> Document:
        """An instance with its version, or the problem 404."""
        found = self._store.get(KIND, identifier)
        if found is None:
            raise not_found("VNF instance", identifier)
        return found

    def get(self, identifier: str) -> Instance:
        """An instance, or the problem 404."""
        return self.find(identifier).body

    def create(self, descriptor: Descriptor, info: dict[str, Any]) -> Document:
        """A new instance without resources."""
        identifier = str(uuid4())
        self._store.insert(KIND, identifier, new_instance(identifier, descriptor, info))
        return self.find(identifier)

    def change(self, identifier: str, edit: Callable[[Instance], None]) -> Instance:
        """Apply `edit` to the newest version and store it."""
        with self._store.transaction():
            instance = self.get(identifier)
            edit(instance)
            self._store.put(KIND, identifier, instance)
        return instance

    def replace(self, identifier: str, instance: Instance) -> None:
        """Store `instance` as it is."""
        self._store.put(KIND, identifier, instance)

    def delete(self, identifier: str) -> None:
        """Remove an instance."""
        self._store.delete(KIND, identifier)


def new_instance(identifier: str, descriptor: Descriptor, info: dict[str, Any]) -> Instance:
    """The document of an instance without resources."""
    return {"id": identifier, "identity": descriptor.identity(), "info": info} | without_resources()


def without_resources() -> dict[str, Any]:
    """The part of an instance document that says it has no resources."""
    return {
        "instantiated": False,
        "flavour": "",
        "stopped": False,
        "levels": {},
        "ext": [],
        "networks": {},
        "groups": {},
        "vnfcs": [],
        "retired": [],
    }


def vnfc_of(instance: Instance, identifier: str) -> Vnfc | None:
    """The VNFC with this id, or None."""
    return next((vnfc for vnfc in instance["vnfcs"] if vnfc["id"] == identifier), None)


def vnfcs_of(instance: Instance, vdu: str) -> list[Vnfc]:
    """The VNFCs of one VDU in order of creation."""
    return [vnfc for vnfc in instance["vnfcs"] if vnfc["vdu"] == vdu]


def add_vnfc(instance: Instance, vnfc: Vnfc) -> None:
    """Add or replace a VNFC."""
    kept = [other for other in instance["vnfcs"] if other["id"] != vnfc["id"]]
    instance["vnfcs"] = [*kept, vnfc]


def drop_vnfc(instance: Instance, identifier: str) -> None:
    """Forget a VNFC; its addresses become retired."""
    gone = vnfc_of(instance, identifier)
    if gone is None:
        return
    instance["vnfcs"] = [vnfc for vnfc in instance["vnfcs"] if vnfc["id"] != identifier]
    addresses = [port["ip"] for port in gone["ports"] if port["ip"] not in instance["retired"]]
    instance["retired"] = (instance["retired"] + addresses)[-_MOST_RETIRED:]


def external_network(instance: Instance, cp: ConnectionPoint) -> str:
    """The VIM's network for an external connection point.

    Raises:
        Problem: 422, no external link was given for it.
    """
    for link in instance["ext"]:
        if _data(link, cp):
            return str(link["resourceId"])
    for link in instance["ext"]:
        if link["id"] == cp.link:
            return str(link["resourceId"])
    raise Problem(422, f"extVirtualLinks has no link for the connection point {cp.id} ({cp.external})")


def fixed_addresses(instance: Instance, cp: ConnectionPoint) -> list[str]:
    """The addresses which request or descriptor fix for a connection point, in their order."""
    found: list[str] = []
    for link in instance["ext"]:
        for data in _data(link, cp):
            for config in (data.get("cpConfig") or {}).values():
                found += _addresses(config or {})
    return found or ([cp.address] if cp.address else [])


def _data(link: dict[str, Any], cp: ConnectionPoint) -> list[dict[str, Any]]:
    return [data for data in link.get("extCps") or [] if data["cpdId"] in (cp.id, cp.external)]


def _addresses(config: dict[str, Any]) -> Iterator[str]:
    for protocol in config.get("cpProtocolData") or []:
        for addresses in (protocol.get("ipOverEthernet") or {}).get("ipAddresses") or []:
            yield from addresses.get("fixedAddresses") or []
