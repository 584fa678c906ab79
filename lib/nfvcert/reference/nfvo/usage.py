"""Usage state of packages, kept in step with the VNF instances that are based on them (SOL005 9.5.4.5)."""

from __future__ import annotations

from collections.abc import Callable

from nfvcert.reference.nfvo.behaviour import NfvoBehaviour
from nfvcert.reference.nfvo.packages import Packages
from nfvcert.sol.vnfpkgm import PackageUsageState

Users = Callable[[str], list[str]]


class Usage:
    """Marks packages as used.

    Args:
        packages: the packages.
        behaviour: decides what is left when an instance leaves a package.
        users: vnfdId -> VNF instances based on it or about to be.
    """

    def __init__(self, packages: Packages, behaviour: NfvoBehaviour, users: Users) -> None:
        self._packages = packages
        self._behaviour = behaviour
        self._users = users

    def taken(self, vnfd_id: str) -> None:
        """A VNF instance uses a package now, or an operation is about to make one do so."""
        self._set(vnfd_id, PackageUsageState.IN_USE)

    def released(self, vnfd_id: str) -> None:
        """A VNF instance has left a package."""
        self._set(vnfd_id, self._behaviour.usage_after_release(vnfd_id, self._users(vnfd_id)))

    def _set(self, vnfd_id: str, state: PackageUsageState) -> None:
        for document in self._packages.of_vnfd(vnfd_id):
            self._packages.change(document.id, usageState=state)
