"""Change of the current VNF package: checks of a request, and the plan (SOL003 5.4.11a, REL006 6.3.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.descriptor import Descriptor, Modification
from nfvcert.reference.vnfm.instances import Instance, vnfcs_of
from nfvcert.reference.vnfm.planner import Change, Step, creations
from nfvcert.reference.vnfm.procedures import Plan, grant_request, require_instantiated
from nfvcert.sol.common import LcmOperation
from nfvcert.sol.vnflcm import ChangeCurrentVnfPkgRequest

if TYPE_CHECKING:
    from nfvcert.reference.vnfm.service import Vnfm

POLICY = "policy"
"""Key of additionalParams that names the policy."""


async def change_package(vnfm: Vnfm, instance: Instance, request: ChangeCurrentVnfPkgRequest) -> Plan:
    """Plan the replacement of the VNFCs that the metadata of the new package map, under the chosen policy.

    Raises:
        Problem: 409 not instantiated or the package disabled; 400 the package is unknown, has no metadata, does not
            name the version in service as a source, or has no such policy.
    """
    require_instantiated(instance)
    behaviour = vnfm.behaviour
    await behaviour.before_verification(instance, request.dump())
    target = await vnfm.packages.usable(request.vnfdId)
    modification = verify(instance, target)
    if not behaviour.accepts_source(modification, instance):
        sources = ", ".join(source.vnfd_id for source in modification.sources)
        raise Problem(
            400, f"the package {target.vnfd_id} replaces {sources or 'nothing'}, not {instance['identity']['vnfdId']}"
        )
    params = request.additionalParams or {}
    policy = behaviour.choose_policy(modification, params.get(POLICY))
    old = {vdu: len(vnfcs_of(instance, vdu)) for vdu in modification.vdus}
    room = behaviour.room(policy, sum(old.values()))
    steps = behaviour.plan_change(Change(old, target.vnfd_id, policy.steps, room))
    if request.extVirtualLinks:
        links = {link["id"]: link for link in instance["ext"]} | {
            link.id: link.dump() for link in request.extVirtualLinks
        }
        first: Step = {"do": "settle", "set": {"ext": list(links.values())}}
        steps = [first, *steps]
    removed = [vnfc for vnfc in instance["vnfcs"] if vnfc["vdu"] in modification.vdus]
    new = creations(steps)
    grant = grant_request(
        LcmOperation.CHANGE_VNFPKG, instance, target, add=new, remove=removed, destination=target.vnfd_id
    )
    info = request.model_dump(include={"extensions", "vnfConfigurableProperties"}, exclude_none=True)
    context = {
        "policy": dict(policy.document) | {"name": policy.name},
        "source": instance["identity"]["vnfdId"],
        "destination": target.vnfd_id,
        "vdus": list(modification.vdus),
        "coordination": sorted(target.coordination),
        "params": params,
        "info": info,
    }
    return Plan(
        LcmOperation.CHANGE_VNFPKG,
        request.dump(),
        steps,
        grant if new or removed else None,
        context,
        behaviour.accepted_changes(instance, target),
    )


def verify(instance: Instance, target: Descriptor) -> Modification:
    """The metadata of a package that can be used for a change of this instance.

    Raises:
        Problem: 400, it is of another product, has no metadata, or maps components that do not exist.
    """
    identity = instance["identity"]
    if (target.provider, target.product) != (identity["vnfProvider"], identity["vnfProductName"]):
        raise Problem(
            400,
            f"the package is {target.product} of {target.provider}, "
            f"the instance {identity['vnfProductName']} of {identity['vnfProvider']}",
        )
    if target.modification is None:
        raise Problem(400, f"the package {target.vnfd_id} has no software modification metadata")
    unknown = [vdu for vdu in target.modification.vdus if vdu not in target.vdus]
    if unknown:
        raise Problem(400, f"the metadata map components that the VNFD does not have: {', '.join(unknown)}")
    return target.modification
