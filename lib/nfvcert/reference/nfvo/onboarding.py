"""Onboarding of VNF packages: the upload as a stream to disk, then verification apart from the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from nfvcert.drop.archive import Archive
from nfvcert.drop.findings import Finding, fault, finding_of
from nfvcert.drop.package import Package
from nfvcert.drop.package_check import check_package
from nfvcert.drop.trust import Trust
from nfvcert.errors import DropError
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.package_info import describe, failure, sizes
from nfvcert.reference.nfvo.packages import KIND, Packages
from nfvcert.sol.vnfpkgm import PackageOnboardingState, PackageOperationalState

log = logging.getLogger(__name__)

NOT_MINE = ("image.architecture",)
"""Rules of the package check that are not for an NFVO to judge: it does not know the hosts."""


class Refused(Exception):
    """A package must not be onboarded; `findings` say why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.text for finding in findings))
        self.findings = findings


class Onboarding:
    """Takes uploads and onboards them.

    Args:
        packages: the package resources.
        behaviour: decides what forbids a package.
        trust: whose signatures count; None judges no signer.
        largest: bytes of an upload.
    """

    def __init__(self, packages: Packages, behaviour: NfvoBehaviour, trust: Trust | None, largest: int) -> None:
        self._packages = packages
        self._behaviour = behaviour
        self._trust = trust
        self._largest = largest
        self._one_at_a_time = asyncio.Lock()

    def resume(self) -> None:
        """What an earlier process left half done: uploads and checks did not survive it."""
        for document in self._packages.all():
            state = document.body["info"]["onboardingState"]
            if state in (PackageOnboardingState.UPLOADING, PackageOnboardingState.PROCESSING):
                problem = Problem(500, f"the NFVO was restarted while onboardingState was {state}")
                self._fail(document.id, problem.document())
        for left in self._packages.directory.glob("*.part"):
            left.unlink(missing_ok=True)

    async def receive(self, identifier: str, stream: AsyncIterator[bytes]) -> Path:
        """Write an upload to disk; the package is PROCESSING then.

        Raises:
            Problem: 409 the package has content, 413 the upload is too long.
        """
        self._begin_upload(identifier)
        partial = self._packages.directory / f"{identifier}.part"
        try:
            self._packages.directory.mkdir(parents=True, exist_ok=True)
            size = 0
            with partial.open("wb") as file:
                async for chunk in stream:
                    size += len(chunk)
                    if size > self._largest:
                        raise Problem(413, f"a package may have at most {self._largest} bytes")
                    file.write(chunk)
        except BaseException:
            partial.unlink(missing_ok=True)
            self._packages.change(identifier, onboardingState=PackageOnboardingState.CREATED)
            raise
        self._packages.change(identifier, onboardingState=PackageOnboardingState.PROCESSING)
        return partial

    async def process(self, identifier: str, partial: Path) -> None:
        """Verify an upload; the package is ONBOARDED and ENABLED or in ERROR then."""
        try:
            async with self._one_at_a_time:
                info, used = await asyncio.to_thread(self._verified, partial)
                self._onboard(identifier, partial, info, used)
        except Refused as refused:
            log.warning("package %s is refused: %s", identifier, refused)
            self._fail(identifier, failure(refused.findings))
        except Exception as error:
            log.exception("onboarding of package %s failed", identifier)
            self._fail(identifier, Problem(500, f"the package cannot be processed: {error!r}").document())
        finally:
            partial.unlink(missing_ok=True)

    def _verified(self, partial: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the package resource shall show, and what its VNFCs use."""
        try:
            package = Package(Archive(partial, name="package"), partial)
            found = [finding for finding in check_package(package, self._trust) if finding.rule not in NOT_MINE]
        except DropError as error:
            raise Refused([finding_of(error)]) from error
        forbidding = self._behaviour.forbidding(found)
        if forbidding:
            raise Refused(forbidding)
        try:
            return describe(package), sizes(package.vnfd)
        except DropError as error:
            raise Refused([finding_of(error)]) from error

    def _onboard(self, identifier: str, partial: Path, info: dict[str, Any], used: dict[str, Any]) -> None:
        vnfd_id = info["vnfdId"]
        others = [document.id for document in self._packages.of_vnfd(vnfd_id)]
        if self._behaviour.refuses_second(vnfd_id, others):
            message = "a package with the same vnfdId is onboarded already"
            raise Refused([fault("package.second", "SOL005 9.4.5", "", message, vnfd_id)])
        self._behaviour.keep(partial, self._packages.place(identifier))
        states = {
            "onboardingState": PackageOnboardingState.ONBOARDED,
            "operationalState": PackageOperationalState.ENABLED,
        }
        with self._packages.store.transaction():
            self._packages.set_sizes(identifier, used)
            document = self._packages.change(identifier, **info, **states)
            self._packages.notices.onboarded(identifier, document.body["info"])

    def _begin_upload(self, identifier: str) -> None:
        with self._packages.store.transaction():
            document = self._packages.find(identifier)
            state = document.body["info"]["onboardingState"]
            if state != PackageOnboardingState.CREATED:
                raise Problem(409, f"the package takes no content while onboardingState is {state}")
            info = document.body["info"] | {"onboardingState": PackageOnboardingState.UPLOADING}
            self._packages.store.put(KIND, identifier, document.body | {"info": info})

    def _fail(self, identifier: str, problem: dict[str, Any]) -> None:
        self._packages.change(
            identifier, onboardingState=PackageOnboardingState.ERROR, onboardingFailureDetails=problem
        )
