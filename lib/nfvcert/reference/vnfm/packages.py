"""VNF packages of the NFVO as the VNFM uses them: looked up by vnfdId, fetched once, read into descriptors."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any, Protocol

from nfvcert.reference.common.peer import Peer
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.descriptor import Descriptor, Image
from nfvcert.sol.vnfpkgm import API_PATH

log = logging.getLogger(__name__)

PACKAGES = f"{API_PATH}/vnf_packages"


class Reader(Protocol):
    """Reads package archives; the default is :mod:`nfvcert.reference.vnfm.csar`."""

    def descriptor(self, archive: Path) -> Descriptor:
        """The descriptor with modification metadata; a Problem if the package is not usable."""

    def image(self, archive: Path, image: Image) -> Path:
        """The file of a software image."""


class Packages:
    """Cache of packages.

    A fetched package is kept by the id of the package resource, whose content never changes once onboarded.

    Args:
        peer: the NFVO.
        directory: where fetched archives are kept.
        reader: reads them.
    """

    def __init__(self, peer: Peer, directory: Path, reader: Reader) -> None:
        self._peer = peer
        self._directory = directory
        self._reader = reader
        self._descriptors: dict[str, Descriptor] = {}
        self._archives: dict[str, Path] = {}
        self._lock = asyncio.Lock()

    async def usable(self, vnfd_id: str) -> Descriptor:
        """The descriptor of a package that may be used for new things.

        Raises:
            Problem: 400 there is no onboarded package, 409 it is disabled, 422 it cannot be read.
            PeerError: the NFVO does not answer.
        """
        return await self._load(vnfd_id, await self._find(vnfd_id, enabled=True))

    async def known(self, vnfd_id: str) -> Descriptor:
        """The descriptor of a package in use, whether enabled or not; not looked up again once it was read."""
        if vnfd_id in self._descriptors:
            return self._descriptors[vnfd_id]
        return await self._load(vnfd_id, await self._find(vnfd_id, enabled=False))

    def cached(self, vnfd_id: str) -> Descriptor | None:
        """The descriptor if it was read before."""
        return self._descriptors.get(vnfd_id)

    async def image_file(self, vnfd_id: str, image: Image) -> Path:
        """The file of a software image of a package."""
        await self.known(vnfd_id)
        return await asyncio.to_thread(self._reader.image, self._archives[vnfd_id], image)

    async def _find(self, vnfd_id: str, *, enabled: bool) -> dict[str, Any]:
        if "'" in vnfd_id:
            raise Problem(400, f"there is no VNF package with vnfdId {vnfd_id}")
        found = await self._peer.get_list(PACKAGES, params={"filter": f"(eq,vnfdId,'{vnfd_id}')"})
        packages = [package for package in found if package.get("vnfdId") == vnfd_id]
        onboarded = [package for package in packages if package.get("onboardingState") == "ONBOARDED"]
        if not onboarded:
            raise Problem(400, f"there is no onboarded VNF package with vnfdId {vnfd_id}")
        if enabled and onboarded[0].get("operationalState") != "ENABLED":
            raise Problem(409, f"the VNF package with vnfdId {vnfd_id} is not enabled")
        return dict(onboarded[0])

    async def _load(self, vnfd_id: str, package: dict[str, Any]) -> Descriptor:
        archive = self._directory / f"{package['id']}.csar"
        async with self._lock:
            if self._archives.get(vnfd_id) == archive:
                return self._descriptors[vnfd_id]
            if not archive.exists():
                await self._fetch(str(package["id"]), archive)
            descriptor = await asyncio.to_thread(self._reader.descriptor, archive)
            if descriptor.vnfd_id != vnfd_id:
                raise Problem(422, f"the package says vnfdId {descriptor.vnfd_id}, the NFVO {vnfd_id}")
            self._descriptors[vnfd_id], self._archives[vnfd_id] = descriptor, archive
        return descriptor

    async def _fetch(self, package: str, archive: Path) -> None:
        response = await self._peer.call(
            "GET", f"{PACKAGES}/{package}/package_content", headers={"Accept": "application/zip"}, timeout=60.0
        )
        self._directory.mkdir(parents=True, exist_ok=True)
        partial = archive.with_suffix(".part")
        await asyncio.to_thread(partial.write_bytes, response.content)
        partial.rename(archive)
