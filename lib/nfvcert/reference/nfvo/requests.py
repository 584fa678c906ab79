"""Requests to the VNFM made from requests of the OSS: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from nfvcert.drop.vnfd import Vnfd
from nfvcert.reference.nfvo.nsd_read import Nsd, VnfProfile
from nfvcert.reference.nfvo.steps import Step, new_step
from nfvcert.sol.nslcm import InstantiateNsRequest, ParamsForVnf

Body = dict[str, Any]

LIFTED = ("extVirtualLinks", "extManagedVirtualLinks", "vimConnectionInfo", "instantiationLevelId", "flavourId")
"""Keys of a VNF's additionalParams which become attributes of the InstantiateVnfRequest."""


def instantiation_steps(
    nsd: Nsd, service_name: str, request: InstantiateNsRequest, links: Mapping[str, list[Body]]
) -> list[Step]:
    """One step per VNF instance of the service.

    Args:
        nsd: the descriptor.
        service_name: begins the names of VNF instances that get none in the request.
        request: of the OSS.
        links: vnfdId -> extVirtualLinks for VNFs whose parameters hold none.
    """
    given = {params.vnfProfileId: params for params in request.additionalParamsForVnf or []}
    steps = []
    for profile in nsd.profiles:
        for number in range(1, profile.instances + 1):
            suffix = f"-{number}" if profile.instances > 1 else ""
            params = given.get(profile.id)
            body = _instantiate(profile, params, links)
            step = new_step("INSTANTIATE", "", profile.id, profile.vnfd_id, body)
            step["create"] = _create(profile, params, f"{service_name}-{profile.id}", suffix)
            steps.append(step)
    return steps


def unknown_profiles(nsd: Nsd, request: InstantiateNsRequest) -> list[str]:
    """VNF profiles that the request gives parameters for and the descriptor does not have."""
    known = {profile.id for profile in nsd.profiles}
    return [given.vnfProfileId for given in request.additionalParamsForVnf or [] if given.vnfProfileId not in known]


def links_of(vnfd: Vnfd, networks: Mapping[str, str]) -> list[Body]:
    """extVirtualLinks that connect all external connection points of a VNF to known networks.

    Args:
        networks: name of a network in the VNFD -> id of the network in the VIM.
    """
    points: dict[str, list[str]] = {}
    for cp in vnfd.ext_cps:
        if cp.network in networks:
            points.setdefault(cp.network, []).append(cp.name)
    return [
        {
            "id": str(uuid4()),
            "resourceId": networks[network],
            "extCps": [{"cpdId": name, "cpConfig": {"1": {}}} for name in names],
        }
        for network, names in points.items()
    ]


def termination_steps(vnfs: Iterable[Mapping[str, str]], vnfd_ids: Mapping[str, str]) -> list[Step]:
    """One step per VNF instance of the service, the last one first.

    Args:
        vnfs: ``vnfInstanceId`` and ``vnfProfileId`` each.
        vnfd_ids: VNF instance -> vnfdId.
    """
    request = {"terminationType": "FORCEFUL"}
    return [
        new_step(
            "TERMINATE", vnf["vnfInstanceId"], vnf["vnfProfileId"], vnfd_ids.get(vnf["vnfInstanceId"], ""), request
        )
        for vnf in reversed(list(vnfs))
    ]


def _instantiate(profile: VnfProfile, params: ParamsForVnf | None, links: Mapping[str, list[Body]]) -> Body:
    free = dict((params.additionalParams if params else None) or {})
    request: Body = {"flavourId": profile.flavour_id}
    for name in LIFTED:
        if name in free:
            request[name] = free.pop(name)
    if "extVirtualLinks" not in request and links.get(profile.vnfd_id):
        request["extVirtualLinks"] = links[profile.vnfd_id]
    if free:
        request["additionalParams"] = free
    for name in ("extensions", "vnfConfigurableProperties"):
        value = getattr(params, name) if params else None
        if value is not None:
            request[name] = value
    return request


def _create(profile: VnfProfile, params: ParamsForVnf | None, name: str, suffix: str) -> Body:
    given = params.vnfInstanceName if params else None
    request: Body = {"vnfdId": profile.vnfd_id, "vnfInstanceName": (given or name) + suffix}
    if params and params.vnfInstanceDescription:
        request["vnfInstanceDescription"] = params.vnfInstanceDescription
    if params and params.metadata:
        request["metadata"] = params.metadata
    return request
