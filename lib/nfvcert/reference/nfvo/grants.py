"""Grants: asked for by the VNFM, decided at once, kept (SOL003 9.4)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from nfvcert.reference.common.problem import Problem, not_found
from nfvcert.reference.common.store import Document, Store
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.config import NfvoConfig
from nfvcert.reference.nfvo.granting import Amount, Situation, permissions, total, wanted
from nfvcert.reference.nfvo.mirror import Mirror
from nfvcert.reference.nfvo.packages import Packages
from nfvcert.sol.common import LcmOperationState, Link
from nfvcert.sol.grant import API_PATH, Grant, GrantRequest, ZoneInfo

KIND = "grant"
PATH = f"{API_PATH}/grants"
ZONE = "zone"


class Grants:
    """Decides on grants and keeps them; a document has ``grant`` and ``asked`` (VNF operation and amount)."""

    def __init__(
        self, store: Store, packages: Packages, mirror: Mirror, behaviour: NfvoBehaviour, config: NfvoConfig
    ) -> None:
        self._store = store
        self._packages = packages
        self._mirror = mirror
        self._behaviour = behaviour
        self._config = config

    def decide(self, request: GrantRequest) -> Document:
        """Give a grant.

        Raises:
            Problem: 403, it is refused; the detail says why.
        """
        situation = self._situation()
        reason = self._behaviour.refusal(request, situation)
        if reason:
            raise Problem(403, reason, title="grant refused")
        identifier = str(uuid4())
        asked = wanted(request, situation.sizes)
        with self._store.transaction():
            body = {
                "grant": self._grant(identifier, request).dump(),
                "asked": {"operation": request.vnfLcmOpOccId, "amount": vars(asked)},
            }
            self._store.insert(KIND, identifier, body)
            self._mirror.expect(
                request.vnfLcmOpOccId, request.vnfInstanceId, request.operation, request.dstVnfdId or ""
            )
        return self.find(identifier)

    def find(self, identifier: str) -> Document:
        """The grant, or the problem 404."""
        found = self._store.get(KIND, identifier)
        if found is None:
            raise not_found("grant", identifier)
        return found

    def uri(self, identifier: str) -> str:
        """The URI of a grant."""
        return f"{self._config.url}{PATH}/{identifier}"

    def _situation(self) -> Situation:
        onboarded = [document for document in self._packages.all() if "sizes" in document.body]
        sizes = {
            (document.body["info"]["vnfdId"], vdu): Amount(**size)
            for document in onboarded
            for vdu, size in document.body["sizes"].items()
        }
        states: dict[str, str] = {}
        for document in onboarded:
            info = document.body["info"]
            if states.get(info["vnfdId"]) != "ENABLED":
                states[info["vnfdId"]] = info["operationalState"]
        in_use = total(self._mirror.vnfcs(), sizes)
        for amount in self._outstanding():
            in_use += amount
        limits = self._config.capacity.model_dump(exclude_none=True)
        return Situation(limits, in_use, sizes, states)

    def _outstanding(self) -> list[Amount]:
        """What was granted to operations that are not finished."""
        found = []
        for document in self._store.list(KIND):
            asked = document.body["asked"]
            operation = self._mirror.operation(asked["operation"])
            if operation is not None and not LcmOperationState(operation["operationState"]).final:
                found.append(Amount(**asked["amount"]))
        return found

    def _grant(self, identifier: str, request: GrantRequest) -> Grant:
        vim = next(iter(self._config.vim_connections), "")
        used: dict[str, Any] = {
            "addResources": permissions(request.addResources, vim, ZONE),
            "tempResources": permissions(request.tempResources, vim, ZONE),
            "removeResources": permissions(request.removeResources, vim),
            "updateResources": permissions(request.updateResources, vim),
        }
        return Grant(
            id=identifier,
            vnfInstanceId=request.vnfInstanceId,
            vnfLcmOpOccId=request.vnfLcmOpOccId,
            vimConnectionInfo=self._config.vim_connections or None,
            zones=[ZoneInfo(id=ZONE, zoneId=self._config.zone, vimConnectionId=vim or None)],
            **used,
            _links={
                "self": Link(href=self.uri(identifier)),
                "vnfLcmOpOcc": request.links.vnfLcmOpOcc,
                "vnfInstance": request.links.vnfInstance,
            },
        )
