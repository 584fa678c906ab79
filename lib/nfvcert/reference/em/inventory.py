"""The VNFCs of a VNF instance as its VNFM shows them: pure reading of a VnfInstance (SOL003 clause 5.5.2.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Vnfc:
    """One VNFC; `id` is that of its vnfcInfo entry (of its resource where there is none).

    `addresses` and `macs` are by connection point (its cpdId).
    """

    id: str
    resource_id: str
    vdu: str
    vnfd_id: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    macs: Mapping[str, str] = field(default_factory=dict)

    def address(self, cp: str) -> str | None:
        """IPv4 address of the connection point whose name is or ends with `cp`."""
        return _of_cp(self.addresses, cp)

    def mac(self, cp: str) -> str | None:
        """MAC address of the connection point whose name is or ends with `cp`."""
        return _of_cp(self.macs, cp)


def _of_cp(values: Mapping[str, str], cp: str) -> str | None:
    if cp in values:
        return values[cp]
    word = re.compile(rf"(^|[^a-z0-9]){re.escape(cp.lower())}([^a-z0-9]|$)")
    return next((value for name, value in values.items() if word.search(name.lower())), None)


def vnfcs(instance: Mapping[str, Any]) -> list[Vnfc]:
    """All VNFCs of a VnfInstance in the order of the record; empty when it is not instantiated."""
    info = instance.get("instantiatedVnfInfo") or {}
    public_ids = {
        entry["vnfcResourceInfoId"]: entry["id"]
        for entry in info.get("vnfcInfo") or []
        if "vnfcResourceInfoId" in entry
    }
    found = []
    for resource in info.get("vnfcResourceInfo") or []:
        addresses, macs = _connection_points(resource.get("vnfcCpInfo") or [])
        found.append(
            Vnfc(
                id=public_ids.get(resource["id"], resource["id"]),
                resource_id=resource["id"],
                vdu=resource.get("vduId", ""),
                vnfd_id=resource.get("vnfdId") or instance.get("vnfdId", ""),
                addresses=addresses,
                macs=macs,
            )
        )
    return found


def _connection_points(entries: Iterable[Mapping[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    addresses: dict[str, str] = {}
    macs: dict[str, str] = {}
    for entry in entries:
        name = entry.get("cpdId") or entry.get("id", "")
        for protocol in entry.get("cpProtocolInfo") or []:
            layer = protocol.get("ipOverEthernet") or {}
            if layer.get("macAddress"):
                macs[name] = layer["macAddress"].lower()
            for given in layer.get("ipAddresses") or []:
                values = given.get("addresses") or []
                if values and given.get("type", "IPV4") == "IPV4":
                    addresses.setdefault(name, values[0])
    return addresses, macs


def by_any_id(found: Iterable[Vnfc]) -> dict[str, Vnfc]:
    """VNFCs by the id of their vnfcInfo and by that of their resource, as requests may use either."""
    index: dict[str, Vnfc] = {}
    for vnfc in found:
        index[vnfc.resource_id] = vnfc
    for vnfc in list(index.values()):
        index[vnfc.id] = vnfc
    return index
