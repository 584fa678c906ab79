"""What the VNFM needs to know of a VNF package: components, links, aspects and the modification metadata.

Narrow, frozen and free of I/O; made from the package reader's model in one place (:mod:`.packages`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class ConnectionPoint:
    """A connection point of a VDU, in the order of its interfaces.

    Attributes:
        id: cpdId of the VDU's connection point.
        link: virtual link it is on (``access``, ``internal`` ...).
        external: cpdId of the external connection point that exposes the link; "" for an internal link.
        address: address which the descriptor fixes; "" for none.
    """

    id: str
    link: str
    external: str = ""
    address: str = ""


@dataclass(frozen=True)
class Image:
    """A software image: name, version, digest of the file in hex, and the path of the file in the package."""

    name: str
    version: str
    checksum: str
    path: str
    container_format: str = "docker"
    disk_format: str = "raw"


@dataclass(frozen=True)
class Vdu:
    """A VNFC type."""

    id: str
    image: Image
    vcpus: int
    memory_mib: int
    storage_gib: int = 0
    connection_points: tuple[ConnectionPoint, ...] = ()
    initial: int = 1
    minimum: int = 1
    maximum: int = 1
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """An internal virtual link and the subnet which the VNFM makes for it."""

    id: str
    cidr: str


@dataclass(frozen=True)
class Aspect:
    """A scaling aspect: at level 0 each VDU has its base number, each level adds `delta`."""

    id: str
    initial_level: int
    max_level: int
    delta: Mapping[str, int]


@dataclass(frozen=True)
class AntiAffinity:
    """VDUs whose VNFCs should (soft) or must not share a host."""

    id: str
    vdus: tuple[str, ...]
    soft: bool = True


@dataclass(frozen=True)
class Policy:
    """One selectable way of a modification, by its metadata (REL006 6.3.1.2).

    Attributes:
        name: by which it is chosen.
        steps: cumulative percentages.
        additional_vnfcs: VNFCs that may exist beyond those in service.
        document: all it declares, as given to the element manager.
    """

    name: str
    steps: tuple[int, ...]
    additional_vnfcs: int
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """A version which the package can replace."""

    vnfd_id: str
    software_version: str = ""


@dataclass(frozen=True)
class Modification:
    """Software modification metadata of a package."""

    type: str
    sources: tuple[Source, ...]
    vdus: tuple[str, ...]
    default_policy: str
    policies: Mapping[str, Policy]


@dataclass(frozen=True)
class Descriptor:
    """A VNFD with its package's metadata."""

    vnfd_id: str
    provider: str
    product: str
    software_version: str
    descriptor_version: str
    flavours: tuple[str, ...]
    vdus: Mapping[str, Vdu]
    links: Mapping[str, Link] = field(default_factory=dict)
    aspects: Mapping[str, Aspect] = field(default_factory=dict)
    anti_affinity: tuple[AntiAffinity, ...] = ()
    coordination: frozenset[str] = frozenset()
    modification: Modification | None = None

    def identity(self) -> dict[str, str]:
        """The attributes of a VNF instance record that come from the descriptor."""
        return {
            "vnfdId": self.vnfd_id,
            "vnfProvider": self.provider,
            "vnfProductName": self.product,
            "vnfSoftwareVersion": self.software_version,
            "vnfdVersion": self.descriptor_version,
        }

    def group_of(self, vdu: str) -> AntiAffinity | None:
        """The anti-affinity group a VDU belongs to."""
        return next((group for group in self.anti_affinity if vdu in group.vdus), None)

    def same_but_images(self, other: Descriptor) -> bool:
        """Whether the two differ in software images and identity alone (SOL003 5.4.3.3.4, PATCH of vnfdId)."""
        return self._topology() == other._topology()

    def _topology(self) -> tuple[Any, ...]:
        vdus = {name: _without_image(vdu) for name, vdu in self.vdus.items()}
        return vdus, dict(self.links), dict(self.aspects), self.anti_affinity, self.flavours


def _without_image(vdu: Vdu) -> Vdu:
    return replace(vdu, image=Image("", "", "", ""), config={})
