"""From a request of the OSS to an operation with its steps: everything is checked before anything is begun."""

from __future__ import annotations

from typing import Any

from nfvcert.drop.package import open_package
from nfvcert.errors import DropError
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.store import Document
from nfvcert.reference.nfvo import requests
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.descriptors import Descriptors
from nfvcert.reference.nfvo.engine import Engine
from nfvcert.reference.nfvo.nsd_read import Nsd
from nfvcert.reference.nfvo.packages import Packages
from nfvcert.reference.nfvo.services import Services
from nfvcert.reference.nfvo.steps import Step, new_step
from nfvcert.reference.nfvo.tasks import Tasks
from nfvcert.sol.nslcm import (
    ChangeVnfPackageData,
    InstantiateNsRequest,
    NsLcmOperation,
    NsState,
    NsUpdateType,
    TerminateNsRequest,
    UpdateNsRequest,
)


class Planning:
    """Makes operations. Every method raises Problem when the request cannot be met; nothing has changed then.

    Args:
        networks: name of an external network in VNFDs -> id of the network in the VIM.
    """

    def __init__(
        self,
        *,
        engine: Engine,
        services: Services,
        descriptors: Descriptors,
        packages: Packages,
        behaviour: NfvoBehaviour,
        networks: dict[str, str],
        tasks: Tasks,
    ) -> None:
        self._engine = engine
        self._tasks = tasks
        self._services = services
        self._descriptors = descriptors
        self._packages = packages
        self._behaviour = behaviour
        self._networks = networks

    async def begin(self, operation: str) -> None:
        """Have an operation carried out."""
        self._engine.advance_soon(operation)

    def instantiate(self, service: Document, request: InstantiateNsRequest) -> Document:
        """Instantiation of a service."""
        self._services.require(service, NsState.NOT_INSTANTIATED)
        nsd = self._descriptors.nsd(service.body["nsdInfoId"])
        if request.nsFlavourId != nsd.flavour_id:
            raise Problem(422, f"the NSD has no flavour {request.nsFlavourId}; it has {nsd.flavour_id}")
        unknown = requests.unknown_profiles(nsd, request)
        if unknown:
            known = ", ".join(profile.id for profile in nsd.profiles)
            raise Problem(422, f"the NSD has no VNF profile {unknown[0]}; it has {known}")
        for profile in nsd.profiles:
            self._check_package(profile.vnfd_id)
        steps = requests.instantiation_steps(nsd, service.body["nsInstanceName"], request, self._links(nsd))
        operation = self._create(service, NsLcmOperation.INSTANTIATE, request.dump(), steps)
        self._services.change(service.id, flavourId=request.nsFlavourId)
        return operation

    def update(self, service: Document, request: UpdateNsRequest) -> Document:
        """Update of a service; CHANGE_VNFPKG is the one that is offered."""
        if request.updateType is not NsUpdateType.CHANGE_VNFPKG:
            raise Problem(422, f"updateType {request.updateType} is not offered; offered: CHANGE_VNFPKG")
        changes = request.changeVnfPackageData
        if not changes:
            raise Problem(422, "updateType CHANGE_VNFPKG needs changeVnfPackageData")
        self._services.require(service, NsState.INSTANTIATED)
        profiles = {vnf["vnfInstanceId"]: vnf["vnfProfileId"] for vnf in service.body["vnfs"]}
        self._check_instances(changes, profiles)
        self._engine.operations.require_idle(service.id)
        for change in changes:
            self._check_package(change.vnfdId)
        steps = [self._change_step(change, profiles[change.vnfInstanceId]) for change in changes]
        return self._create(service, NsLcmOperation.UPDATE, request.dump(), steps)

    async def terminate(self, service: Document, request: TerminateNsRequest) -> Document:
        """Termination of a service; an operation of it that stands still is given up."""
        await self._tasks.give_up_stopped(service.id)
        service = self._services.find(service.id)
        self._services.require(service, NsState.INSTANTIATED)
        shown = {instance: self._engine.mirror.instance(instance) for instance in self._services.vnf_ids(service)}
        vnfd_ids = {instance: vnf["vnfdId"] for instance, vnf in shown.items() if vnf}
        steps = requests.termination_steps(service.body["vnfs"], vnfd_ids)
        return self._create(service, NsLcmOperation.TERMINATE, request.dump(), steps)

    def _create(self, service: Document, kind: NsLcmOperation, params: dict[str, Any], steps: list[Step]) -> Document:
        return self._engine.operations.create(service.id, kind, params, steps)

    def _change_step(self, change: ChangeVnfPackageData, profile: str) -> Step:
        body = self._behaviour.vnf_change(change.dump())
        return new_step("CHANGE_VNFPKG", change.vnfInstanceId, profile, change.vnfdId, body)

    def _check_instances(self, changes: list[ChangeVnfPackageData], profiles: dict[str, str]) -> None:
        named = [change.vnfInstanceId for change in changes]
        for instance in named:
            if instance not in profiles:
                raise Problem(422, f"the NS instance has no VNF instance {instance}")
            if named.count(instance) > 1:
                raise Problem(422, f"the VNF instance {instance} is named twice")

    def _check_package(self, vnfd_id: str) -> None:
        """The package is onboarded and enabled, and its content can be read."""
        package = self._packages.usable(vnfd_id)
        self._behaviour.check_package(vnfd_id, self._packages.shown(package) if package else None)
        if package is not None:
            self._packages.content(package)

    def _links(self, nsd: Nsd) -> dict[str, list[dict[str, Any]]]:
        """Per vnfdId the external links on the networks of the configuration."""
        links = {}
        for profile in nsd.profiles if self._networks else ():
            package = self._packages.usable(profile.vnfd_id)
            if package is None:
                continue
            try:
                vnfd = open_package(self._packages.content(package)).vnfd
            except DropError as error:
                raise Problem(409, f"the VNFD {profile.vnfd_id} cannot be read: {error.message}") from error
            links[profile.vnfd_id] = requests.links_of(vnfd, self._networks)
        return links
