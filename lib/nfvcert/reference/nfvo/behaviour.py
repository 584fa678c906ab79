"""The decisions of the reference NFVO: published extension points, one small method each.

A file given with ``--extension`` may define ``class Behaviour(NfvoBehaviour)`` that replaces some. The default of each
method is what the specifications ask for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nfvcert.drop.findings import Finding, errors
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.nfvo import granting, steps
from nfvcert.reference.nfvo.steps import Decision, Phase
from nfvcert.sol.common import LcmOperationState
from nfvcert.sol.vnfpkgm import PackageOnboardingState, PackageOperationalState, PackageUsageState

if TYPE_CHECKING:
    from nfvcert.sol.grant import GrantRequest

Document = dict[str, Any]


class NfvoBehaviour:
    """Default decisions."""

    # --- onboarding ---

    def forbidding(self, findings: Sequence[Finding]) -> list[Finding]:
        """Those findings about an uploaded package that forbid to onboard it: all errors."""
        return errors(findings)

    def refuses_second(self, vnfd_id: str, onboarded: Sequence[str]) -> bool:
        """Whether a package is refused because packages (their ids) with the same vnfdId are onboarded already."""
        return bool(onboarded)

    def keep(self, delivered: Path, place: Path) -> None:
        """Move an uploaded and verified archive to where it stays: byte by byte as it was delivered."""
        delivered.replace(place)

    # --- use of packages ---

    def check_package(self, vnfd_id: str, package: Document | None) -> None:
        """Whether a package (a VnfPkgInfo, None if there is none) may be used for something new.

        Raises:
            Problem: 400 it is not onboarded, 409 it is disabled.
        """
        if package is None or package["onboardingState"] != PackageOnboardingState.ONBOARDED:
            raise Problem(400, f"there is no onboarded VNF package with vnfdId {vnfd_id}")
        if package["operationalState"] != PackageOperationalState.ENABLED:
            raise Problem(409, f"the VNF package with vnfdId {vnfd_id} is not enabled")

    def usage_after_release(self, vnfd_id: str, users: Sequence[str]) -> PackageUsageState:
        """The usage state of a package that a VNF instance has just left; `users` are instances that still use it."""
        return PackageUsageState.IN_USE if users else PackageUsageState.NOT_IN_USE

    # --- service operations ---

    def vnf_change(self, data: Document) -> Document:
        """The ChangeCurrentVnfPkgRequest for one ChangeVnfPackageData: all its attributes but the instance's id."""
        return {name: value for name, value in data.items() if name != "vnfInstanceId"}

    async def submit(
        self, kind: str, vnfd_id: str, package: Document | None, send: Callable[[], Awaitable[str]]
    ) -> str:
        """Send a checked request for a VNF operation to the VNFM; returns the id of the VNF operation."""
        return await send()

    def phase_of(self, kind: str, state: LcmOperationState) -> Phase:
        """What the state of a VNF operation of this kind means for the service operation that it belongs to."""
        return steps.OF_STATE[state]

    def decide(self, phases: Sequence[Phase], carry_on: bool) -> Decision:
        """The state of a service operation, given how far its VNFs have come, and which to begin next.

        `carry_on`: the operation goes on although a VNF was given up (task "continue").
        """
        return steps.decide(phases, carry_on=carry_on)

    def refreshed(self, recorded: Document | None, found: Document) -> Document:
        """The VNF instance as service records show it after a change; `recorded` is how they showed it before."""
        return found

    # --- grants ---

    def refusal(self, request: GrantRequest, situation: granting.Situation) -> str:
        """Why a grant is refused; empty if it is given."""
        return granting.refusal(request, situation)
