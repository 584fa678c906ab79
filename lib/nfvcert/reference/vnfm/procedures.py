"""From a request to a plan: what each lifecycle operation checks, asks a grant for, and does.

A procedure touches nothing. It raises the Problem that refuses the request, or returns a :class:`Plan`. Steps beyond
those of a change of package are ``networks``, ``activate``, ``drain``, ``remove``, ``operate``, ``settle`` (attributes
of the instance) and ``release``; :mod:`.steps` says what each needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm import grants
from nfvcert.reference.vnfm.descriptor import Aspect, Descriptor
from nfvcert.reference.vnfm.instances import Instance, Vnfc, external_network, fixed_addresses, vnfc_of, vnfcs_of
from nfvcert.reference.vnfm.planner import Step, new_id
from nfvcert.sol.common import LcmOperation
from nfvcert.sol.vnflcm import (
    HealVnfRequest,
    InstantiateVnfRequest,
    OperateVnfRequest,
    ScaleVnfRequest,
    TerminateVnfRequest,
)

if TYPE_CHECKING:
    from nfvcert.reference.vnfm.service import Vnfm


@dataclass(frozen=True)
class Plan:
    """An accepted request.

    Attributes:
        operation: what it is.
        params: the request, as the record shows it.
        steps: what is done once the grant is there.
        grant: GrantRequest without ids and links; None if no resource is touched.
        context: what the steps need.
        accepted: identity attributes that change at once.
    """

    operation: LcmOperation
    params: dict[str, Any]
    steps: list[Step]
    grant: dict[str, Any] | None
    context: dict[str, Any] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)


def require_instantiated(instance: Instance, wanted: bool = True) -> None:
    """409 unless the instance is instantiated, or is not."""
    if bool(instance["instantiated"]) != wanted:
        state = "is not instantiated" if wanted else "is already instantiated"
        raise Problem(409, f"the VNF instance {instance['id']} {state}")


def grant_request(
    operation: LcmOperation,
    instance: Instance,
    descriptor: Descriptor,
    *,
    add: Sequence[Step] = (),
    remove: Sequence[Vnfc] = (),
    links: Sequence[str] = (),
    destination: str = "",
) -> dict[str, Any]:
    """GrantRequest (SOL003 9.5.2.2) for VNFCs to be created and removed, without operation id and links."""
    added = [grants.link_addition(link) for link in links]
    for step in add:
        added += grants.additions(descriptor.vdus[step["vdu"]], step["vnfdId"], step["vnfc"])
    request: dict[str, Any] = {
        "vnfInstanceId": instance["id"],
        "vnfdId": instance["identity"]["vnfdId"],
        "flavourId": instance["flavour"] or next(iter(descriptor.flavours), "default"),
        "operation": operation,
        "isAutomaticInvocation": False,
    }
    if destination:
        request["dstVnfdId"] = destination
    constraints = grants.placement(descriptor, [(step["vnfc"], step["vdu"]) for step in add])
    removed = [definition for vnfc in remove for definition in grants.removals(vnfc)]
    optional = {"addResources": added, "removeResources": removed, "placementConstraints": constraints}
    return request | {name: value for name, value in optional.items() if value}


async def instantiate(vnfm: Vnfm, instance: Instance, request: InstantiateVnfRequest) -> Plan:
    """All VNFCs of the initial level, on internal networks of their own and the given external ones."""
    require_instantiated(instance, wanted=False)
    descriptor = await vnfm.packages.usable(instance["identity"]["vnfdId"])
    if request.flavourId not in descriptor.flavours:
        raise Problem(422, f"the VNFD has no flavour {request.flavourId}; it has {', '.join(descriptor.flavours)}")
    ext = [link.dump() for link in request.extVirtualLinks or []]
    _check_external(instance | {"ext": ext}, descriptor)
    levels = {aspect.id: aspect.initial_level for aspect in descriptor.aspects.values()}
    counts = {vdu.id: vdu.initial for vdu in descriptor.vdus.values()}
    for target in request.targetScaleLevelInfo or []:
        aspect = _aspect(descriptor, target.aspectId)
        _check_level(aspect, target.scaleLevel)
        for vdu, delta in aspect.delta.items():
            counts[vdu] += delta * (target.scaleLevel - aspect.initial_level)
        levels[aspect.id] = target.scaleLevel
    creations = [_creation(vdu, descriptor) for vdu, count in counts.items() for _ in range(count)]
    steps: list[Step] = [
        {"do": "settle", "set": {"ext": ext, "flavour": request.flavourId, "levels": levels}},
        {"do": "networks", "vnfdId": descriptor.vnfd_id},
        *creations,
        {"do": "activate", "vnfcs": [step["vnfc"] for step in creations]},
        {"do": "settle", "set": {"instantiated": True, "stopped": False}},
    ]
    grant = grant_request(
        LcmOperation.INSTANTIATE,
        instance | {"flavour": request.flavourId},
        descriptor,
        add=creations,
        links=list(descriptor.links),
    )
    return Plan(LcmOperation.INSTANTIATE, request.dump(), steps, grant, _context(descriptor, request.additionalParams))


async def terminate(vnfm: Vnfm, instance: Instance, request: TerminateVnfRequest) -> Plan:
    """All resources go; also those which a failed instantiation left."""
    if not (instance["vnfcs"] or instance["networks"]):
        require_instantiated(instance)
    descriptor = await _descriptor(vnfm, instance)
    steps: list[Step] = [
        {"do": "remove", "vnfcs": [vnfc["id"] for vnfc in reversed(instance["vnfcs"])]},
        {"do": "release"},
    ]
    grant = grant_request(LcmOperation.TERMINATE, instance, descriptor, remove=instance["vnfcs"])
    return Plan(LcmOperation.TERMINATE, request.dump(), steps, grant, _context(descriptor, request.additionalParams))


async def scale(vnfm: Vnfm, instance: Instance, request: ScaleVnfRequest) -> Plan:
    """Steps of an aspect out (create, activate) or in (drain, remove)."""
    require_instantiated(instance)
    descriptor = await _descriptor(vnfm, instance)
    aspect = _aspect(descriptor, request.aspectId)
    out = request.type == "SCALE_OUT"
    level = instance["levels"].get(aspect.id, 0) + (request.numberOfSteps if out else -request.numberOfSteps)
    _check_level(aspect, level)
    counts = {vdu: delta * request.numberOfSteps for vdu, delta in aspect.delta.items()}
    settle: Step = {"do": "settle", "set": {"levels": instance["levels"] | {aspect.id: level}}}
    context = _context(descriptor, request.additionalParams)
    if out:
        creations = [_creation(vdu, descriptor) for vdu, count in counts.items() for _ in range(count)]
        steps = [*creations, {"do": "activate", "vnfcs": [step["vnfc"] for step in creations]}, settle]
        grant = grant_request(LcmOperation.SCALE, instance, descriptor, add=creations)
        return Plan(LcmOperation.SCALE, request.dump(), steps, grant, context)
    current = instance["identity"]["vnfdId"]
    going = [
        identifier
        for vdu, count in counts.items()
        for identifier in vnfm.behaviour.victims(vnfcs_of(instance, vdu), current, count)
    ]
    removed = [vnfc for vnfc in instance["vnfcs"] if vnfc["id"] in going]
    grant = grant_request(LcmOperation.SCALE, instance, descriptor, remove=removed)
    return Plan(LcmOperation.SCALE, request.dump(), [{"do": "drain", "vnfcs": going}, settle], grant, context)


async def heal(vnfm: Vnfm, instance: Instance, request: HealVnfRequest) -> Plan:
    """Replace the named VNFCs (SOL002), or all that do not run (SOL003).

    A VNFC whose address is fixed has to go before its successor comes; others are relieved by it.
    """
    require_instantiated(instance)
    named = request.vnfcInstanceId
    for identifier in named or []:
        if vnfc_of(instance, identifier) is None:
            raise Problem(422, f"the VNF instance has no VNFC {identifier}")
    descriptor = await _descriptor(vnfm, instance)
    going = named if named is not None else await vnfm.vnfcs.broken(instance)
    creations: list[Step] = []
    steps: list[Step] = []
    for identifier in going:
        vnfc = vnfc_of(instance, identifier)
        if vnfc is None:
            continue
        creation = _creation(vnfc["vdu"], descriptor)
        creations.append(creation)
        pinned = any(fixed_addresses(instance, cp) for cp in descriptor.vdus[vnfc["vdu"]].connection_points)
        activate: Step = {"do": "activate", "vnfcs": [creation["vnfc"]]}
        drain: Step = {"do": "drain", "vnfcs": [identifier]}
        steps += [drain, creation, activate] if pinned else [creation, activate, drain]
    removed = [vnfc for vnfc in instance["vnfcs"] if vnfc["id"] in going]
    grant = grant_request(LcmOperation.HEAL, instance, descriptor, add=creations, remove=removed) if going else None
    return Plan(LcmOperation.HEAL, request.dump(), steps, grant, _context(descriptor, request.additionalParams))


async def operate(vnfm: Vnfm, instance: Instance, request: OperateVnfRequest) -> Plan:
    """Start or stop the named VNFCs, or all."""
    require_instantiated(instance)
    start = request.changeStateTo == "STARTED"
    if start and (request.stopType or request.gracefulStopTimeout is not None):
        raise Problem(422, "stopType and gracefulStopTimeout are only for STOPPED")
    chosen = request.vnfcInstanceId or [vnfc["id"] for vnfc in instance["vnfcs"]]
    for identifier in chosen:
        if vnfc_of(instance, identifier) is None:
            raise Problem(422, f"the VNF instance has no VNFC {identifier}")
    descriptor = await _descriptor(vnfm, instance)
    steps: list[Step] = [{"do": "operate", "vnfcs": chosen, "start": start}]
    if start:
        steps.append({"do": "activate", "vnfcs": chosen})
    grant = grant_request(LcmOperation.OPERATE, instance, descriptor)
    return Plan(LcmOperation.OPERATE, request.dump(), steps, grant, _context(descriptor, request.additionalParams))


async def _descriptor(vnfm: Vnfm, instance: Instance) -> Descriptor:
    return await vnfm.behaviour.descriptor(instance, vnfm.packages.known)


def _context(descriptor: Descriptor, params: dict[str, Any] | None) -> dict[str, Any]:
    return {"coordination": sorted(descriptor.coordination), "params": params or {}}


def _creation(vdu: str, descriptor: Descriptor) -> Step:
    return {"do": "create", "vnfc": new_id(), "vdu": vdu, "vnfdId": descriptor.vnfd_id}


def _aspect(descriptor: Descriptor, name: str) -> Aspect:
    if name not in descriptor.aspects:
        known = ", ".join(descriptor.aspects) or "none"
        raise Problem(422, f"the VNFD has no scaling aspect {name}; it has {known}")
    return descriptor.aspects[name]


def _check_level(aspect: Aspect, level: int) -> None:
    if not 0 <= level <= aspect.max_level:
        raise Problem(422, f"scale level {level} of aspect {aspect.id} is not within 0 and {aspect.max_level}")


def _check_external(instance: Instance, descriptor: Descriptor) -> None:
    """422 if an external connection point has no network."""
    for vdu in descriptor.vdus.values():
        for cp in vdu.connection_points:
            if cp.external:
                external_network(instance, cp)
