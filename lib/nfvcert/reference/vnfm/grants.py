"""Grants: what the VNFM asks of the NFVO before it touches a resource, and the client that asks (SOL003 clause 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

from nfvcert.reference.common.peer import Peer, PeerError, detail_of, object_of
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.descriptor import Descriptor, Vdu
from nfvcert.reference.vnfm.instances import Vnfc
from nfvcert.sol.grant import API_PATH

GRANTS = f"{API_PATH}/grants"


def additions(vdu: Vdu, vnfd_id: str, vnfc: str) -> list[dict[str, Any]]:
    """ResourceDefinitions of one VNFC to be created: its compute resource and its ports (SOL003 9.5.3.2).

    The compute definition has the id of the VNFC, a port's has that of the VNFC and its connection point.
    """
    common = {"vduId": vdu.id, "vnfdId": vnfd_id}
    ports = [
        {"id": f"{vnfc}/{cp.id}", "type": "LINKPORT", "resourceTemplateId": [cp.id]} | common
        for cp in vdu.connection_points
    ]
    return [{"id": vnfc, "type": "COMPUTE", "resourceTemplateId": [vdu.id]} | common, *ports]


def removals(vnfc: Vnfc) -> list[dict[str, Any]]:
    """ResourceDefinitions of one VNFC to be removed."""
    common = {"vduId": vnfc["vdu"], "vnfdId": vnfc["vnfdId"]}
    compute = {
        "id": vnfc["id"],
        "type": "COMPUTE",
        "resourceTemplateId": [vnfc["vdu"]],
        "resource": {"resourceId": vnfc["server"]},
    }
    ports = [
        {
            "id": f"{vnfc['id']}/{port['cp']}",
            "type": "LINKPORT",
            "resourceTemplateId": [port["cp"]],
            "resource": {"resourceId": port["id"]},
        }
        | common
        for port in vnfc["ports"]
    ]
    return [compute | common, *ports]


def placement(descriptor: Descriptor, added: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """PlacementConstraints among the VNFCs to be created, (VNFC id, VDU) each, from the anti-affinity groups."""
    members = list(added)
    constraints = []
    for group in descriptor.anti_affinity:
        ids = [vnfc for vnfc, vdu in members if vdu in group.vdus]
        if len(ids) > 1:
            constraints.append(
                {
                    "affinityOrAntiAffinity": "ANTI_AFFINITY",
                    "scope": "NFVI_NODE",
                    "resource": [{"idType": "GRANT", "resourceId": vnfc} for vnfc in ids],
                    "fallbackBestEffort": group.soft,
                }
            )
    return constraints


def link_addition(link: str) -> dict[str, Any]:
    """ResourceDefinition of an internal virtual link to be created."""
    return {"id": str(uuid4()), "type": "VL", "resourceTemplateId": [link]}


class GrantRefused(Problem):
    """The NFVO did not grant; the operation ends in ROLLED_BACK with this as its error."""


class Grants:
    """Client of the NFVO's grant interface.

    Args:
        peer: the NFVO.
        timeout: seconds to wait for a grant, synchronous or not.
        poll: seconds between two looks at a pending grant.
    """

    def __init__(self, peer: Peer, timeout: float, poll: float) -> None:
        self._peer = peer
        self._timeout = timeout
        self._poll = poll

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The Grant for a GrantRequest.

        Raises:
            GrantRefused: the NFVO said no.
            PeerError: it did not answer in time, or answered rubbish.
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._ask(request)
        except TimeoutError as error:
            raise PeerError(f"the NFVO did not decide on the grant within {self._timeout:g} s") from error

    async def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        response = await self._peer.send("POST", GRANTS, json=request, timeout=self._timeout)
        location = urljoin(str(response.request.url), response.headers.get("location", ""))
        while response.status_code in (202, 503):
            await asyncio.sleep(_seconds(response.headers.get("retry-after"), self._poll))
            if response.status_code == 202 or response.request.method == "GET":
                response = await self._peer.send("GET", location, timeout=self._timeout)
            else:
                response = await self._peer.send("POST", GRANTS, json=request, timeout=self._timeout)
        if response.status_code in (200, 201):
            return object_of(response, self._peer.name)
        raise GrantRefused(
            403 if response.status_code == 403 else 500,
            f"the NFVO did not grant the operation ({response.status_code}): {detail_of(response)}",
            title="grant refused",
        )


def _seconds(text: str | None, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default
