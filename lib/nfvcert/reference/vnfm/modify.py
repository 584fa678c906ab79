"""Modification of the information about a VNF instance by a merge patch (SOL003 5.4.3.3.4)."""

from __future__ import annotations

from typing import Any

from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.resources import check_version, merge_patch
from nfvcert.reference.common.store import Document
from nfvcert.reference.vnfm.instances import Instance
from nfvcert.reference.vnfm.occurrences import Occurrence
from nfvcert.reference.vnfm.service import Vnfm
from nfvcert.sol.common import LcmOperation
from nfvcert.sol.common import LcmOperationState as State


async def modify(vnfm: Vnfm, document: Document, patch: dict[str, Any]) -> Occurrence:
    """Apply a patch; the operation begins in PROCESSING and is COMPLETED at once.

    A new vnfdId is only taken if the two VNFDs differ in software images alone; otherwise change_vnfpkg is the way.

    Args:
        vnfm: the VNFM.
        document: the instance as the requester's If-Match saw it.
        patch: attributes that the request sets; None removes one.
    """
    identity = await _identity(vnfm, document.body, patch)
    info = {name: value for name, value in patch.items() if name != "vnfdId"}
    with vnfm.store.transaction():
        current = vnfm.instances.find(document.id)
        check_version(current.version, document.version)
        vnfm.require_free(current.body)
        work = {"steps": [], "snapshot": current.body, "context": {}}
        begun = vnfm.occurrences.create(LcmOperation.MODIFY_INFO, document.id, patch, work, State.PROCESSING)

        def edit(instance: Instance) -> None:
            instance["info"] = merge_patch(instance["info"], info)
            instance["identity"] |= identity
            if identity:
                for vnfc in instance["vnfcs"]:
                    vnfc["vnfdId"] = identity["vnfdId"]

        changed = vnfm.instances.change(document.id, edit)
        now = {name: changed["info"][name] for name in info if name in changed["info"]}
        return vnfm.occurrences.enter(begun["id"], State.COMPLETED, changedInfo=(now | identity) or None)


async def _identity(vnfm: Vnfm, instance: Instance, patch: dict[str, Any]) -> dict[str, str]:
    """The identity attributes which a new vnfdId brings; {} if there is none."""
    if "vnfdId" not in patch or patch["vnfdId"] == instance["identity"]["vnfdId"]:
        return {}
    if patch["vnfdId"] is None:
        raise Problem(422, "vnfdId cannot be removed")
    target = await vnfm.packages.usable(patch["vnfdId"])
    current = await vnfm.packages.known(instance["identity"]["vnfdId"])
    if not current.same_but_images(target):
        raise Problem(409, "the VNFDs differ in more than software images: change_vnfpkg is the way")
    return target.identity()
