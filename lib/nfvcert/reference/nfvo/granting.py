"""Whether a VNF operation may use the resources it asks for: pure decision on validity and capacity (SOL003 9.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nfvcert.sol.common import LcmOperation
from nfvcert.sol.grant import GrantInfo, GrantRequest, ResourceDefinition
from nfvcert.sol.vnfpkgm import PackageOperationalState

_NEW_USE = (LcmOperation.INSTANTIATE, LcmOperation.CHANGE_VNFPKG)


@dataclass(frozen=True)
class Amount:
    """Resources of VNFCs; memory in MiB."""

    vnfcs: int = 0
    vcpus: float = 0
    memory_mib: float = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.vnfcs + other.vnfcs, self.vcpus + other.vcpus, self.memory_mib + other.memory_mib)


@dataclass(frozen=True)
class Situation:
    """What a grant decision rests on.

    Attributes:
        limits: name of an attribute of :class:`Amount` -> most that may be used in all.
        in_use: what exists or has been granted to operations that are not finished.
        sizes: (vnfdId, VDU) -> what one VNFC of it uses.
        packages: vnfdId -> operational state, of the onboarded packages.
    """

    limits: Mapping[str, float] = field(default_factory=dict)
    in_use: Amount = Amount()
    sizes: Mapping[tuple[str, str], Amount] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)


def refusal(request: GrantRequest, situation: Situation) -> str:
    """Why the request is refused; empty if it can be granted."""
    return _invalid(request, situation) or _beyond_capacity(request, situation)


def wanted(request: GrantRequest, sizes: Mapping[tuple[str, str], Amount]) -> Amount:
    """What the resources to be added take, the temporary ones included."""
    target = request.dstVnfdId or request.vnfdId
    added = [*(request.addResources or []), *(request.tempResources or [])]
    return total(((definition.vnfdId or target, definition.vduId or "") for definition in _computes(added)), sizes)


def total(vnfcs: Iterable[tuple[str, str]], sizes: Mapping[tuple[str, str], Amount]) -> Amount:
    """What VNFCs, (vnfdId, VDU) each, use together; of unknown ones only their number counts."""
    result = Amount()
    for key in vnfcs:
        result += sizes.get(key, Amount(vnfcs=1))
    return result


def permissions(definitions: Iterable[ResourceDefinition] | None, vim: str, zone: str = "") -> list[GrantInfo] | None:
    """One permission per resource definition; only computes have a zone. None if nothing is asked for."""
    found = [
        GrantInfo(
            resourceDefinitionId=definition.id,
            vimConnectionId=vim or None,
            zoneId=zone or None if definition.type == "COMPUTE" else None,
        )
        for definition in definitions or []
    ]
    return found or None


def _computes(definitions: Iterable[ResourceDefinition]) -> Iterable[ResourceDefinition]:
    return (definition for definition in definitions if definition.type in ("COMPUTE", "OSCONTAINER"))


def _invalid(request: GrantRequest, situation: Situation) -> str:
    if request.operation is LcmOperation.CHANGE_VNFPKG and not request.dstVnfdId:
        return "a change of package names no dstVnfdId"
    for vnfd_id in (request.vnfdId, request.dstVnfdId):
        if vnfd_id is not None and vnfd_id not in situation.packages:
            return f"there is no onboarded VNF package with vnfdId {vnfd_id}"
    target = request.dstVnfdId or request.vnfdId
    if request.operation in _NEW_USE and situation.packages[target] != PackageOperationalState.ENABLED:
        return f"the VNF package with vnfdId {target} is not enabled"
    return ""


def _beyond_capacity(request: GrantRequest, situation: Situation) -> str:
    more = wanted(request, situation.sizes)
    for name, limit in situation.limits.items():
        asked, used = getattr(more, name), getattr(situation.in_use, name)
        if asked and used + asked > limit:
            return f"{asked:g} more {name} are asked for, {used:g} of {limit:g} are in use"
    return ""
