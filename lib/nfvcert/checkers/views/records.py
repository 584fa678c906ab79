"""Records as interfaces gave them, reduced to what can be compared."""

from __future__ import annotations

from collections import Counter
from typing import Any

from nfvcert.checkers.case import Missing
from nfvcert.history import Event, History, marks

IDENTITY_FIELDS = ("vnfdId", "vnfSoftwareVersion", "vnfdVersion", "vnfProvider", "vnfProductName")


def snapshot_or_none(history: History, label: str) -> Event | None:
    """The snapshot with that label, if it was taken."""
    return next((event for event in history.marks(marks.SNAPSHOT) if event.data.get("label") == label), None)


def snapshot(history: History, label: str) -> Event:
    """The snapshot with that label.

    Raises:
        Missing: it was not taken.
    """
    event = snapshot_or_none(history, label)
    if event is None:
        raise Missing(f"snapshot '{label}' of {history.scenario} was not taken")
    return event


def records(event: Event) -> dict[str, Any]:
    """The records of a snapshot."""
    found = event.data.get("records")
    return found if isinstance(found, dict) else {}


def vnfcs(instance: dict[str, Any]) -> list[dict[str, Any]]:
    """vnfcResourceInfo of an instance record."""
    return list((instance.get("instantiatedVnfInfo") or {}).get("vnfcResourceInfo") or [])


def resource_id(vnfc: dict[str, Any]) -> str:
    """The VIM's id of the server behind a VNFC record."""
    return str((vnfc.get("computeResource") or {}).get("resourceId", ""))


def resource_ids(instance: dict[str, Any]) -> set[str]:
    """The VIM's ids of all servers of an instance record."""
    return {resource_id(vnfc) for vnfc in vnfcs(instance)}


def affected_vnfcs(changes: dict[str, Any], change: str) -> set[str]:
    """The VIM's ids of the servers behind the VNFCs that an operation has ADDED, REMOVED, ...

    Args:
        changes: ``resourceChanges`` of an operation, or a notification, which has the same attributes.
    """
    affected = changes.get("affectedVnfcs") or []
    return {resource_id(vnfc) for vnfc in affected if vnfc.get("changeType") == change}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What differs between two snapshots of one service, one sentence each."""
    found = []
    first, second = _comparable(before), _comparable(after)
    for name in first:
        if first[name] != second[name]:
            found.append(f"{name} was {_shown(first[name])} and is {_shown(second[name])}")
    return found


def _comparable(snapshot_: dict[str, Any]) -> dict[str, Any]:
    instance = snapshot_.get("vnf_instance") or {}
    info = instance.get("instantiatedVnfInfo") or {}
    result: dict[str, Any] = {name: instance.get(name) for name in IDENTITY_FIELDS}
    result["instantiationState"] = instance.get("instantiationState")
    result["scaleStatus"] = sorted((s.get("aspectId"), s.get("scaleLevel")) for s in info.get("scaleStatus") or [])
    result["VNFCs by VDU and vnfdId"] = sorted(
        Counter((v.get("vduId"), v.get("vnfdId")) for v in vnfcs(instance)).items()
    )
    result["usage of packages"] = sorted(
        (vnfd, package.get("usageState")) for vnfd, package in (snapshot_.get("packages") or {}).items()
    )
    result["shares"] = sorted((k, v) for k, v in (snapshot_.get("shares") or {}).items() if v)
    if snapshot_.get("servers") is not None:
        result["number of servers by image"] = sorted(
            Counter(str(server.get("image")) for server in snapshot_["servers"]).items()
        )
    if snapshot_.get("ports") is not None:
        result["number of ports by network"] = sorted(
            Counter(str(port.get("network_id")) for port in snapshot_["ports"]).items()
        )
    return result


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."
