"""Package archives read with the drop reader, reduced to what the VNFM needs."""

from __future__ import annotations

import logging
from pathlib import Path

from nfvcert.drop.package import Package, open_package
from nfvcert.drop.vnfd import Port, SoftwareImage, Vnfd
from nfvcert.drop.vnfd import Vdu as VnfdVdu
from nfvcert.errors import DropError
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.vnfm.descriptor import (
    AntiAffinity,
    Aspect,
    ConnectionPoint,
    Descriptor,
    Image,
    Link,
    Modification,
    Policy,
    Source,
    Vdu,
)

log = logging.getLogger(__name__)


class CsarReader:
    """Reads SOL004 archives; extracted images are kept in `cache`."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def descriptor(self, archive: Path) -> Descriptor:
        """The descriptor with modification metadata.

        Raises:
            Problem: 422, the archive or its VNFD cannot be used.
        """
        try:
            package = open_package(archive)
            return descriptor_of(package.vnfd, modification_of(package))
        except DropError as error:
            raise Problem(422, f"the VNF package cannot be used: {error.message}") from error

    def image(self, archive: Path, image: Image) -> Path:
        """The file of a software image, its checksum verified.

        Raises:
            Problem: 422, the image is not what the VNFD says.
        """
        try:
            return open_package(archive).extract_image(image.name, self._cache)
        except DropError as error:
            raise Problem(422, f"the software image {image.name} cannot be used: {error.message}") from error


def modification_of(package: Package) -> Modification | None:
    """The modification metadata; None if there are none, or they cannot be used."""
    try:
        metadata = package.metadata
    except DropError as error:
        log.warning("the modification metadata of %s cannot be used: %s", package.name, error.message)
        return None
    if metadata is None:
        return None
    policies = {
        name: Policy(
            name=name,
            steps=tuple(policy.steps) or (100,),
            additional_vnfcs=policy.additional_resources.vnfcs,
            document=policy.model_dump(mode="json", exclude_none=True),
        )
        for name, policy in metadata.policies.items()
    }
    return Modification(
        type=metadata.type,
        sources=(Source(metadata.source.vnfd_id, metadata.source.software_version),),
        vdus=tuple(dict.fromkeys(pair.vdu for pair in metadata.images)),
        default_policy=metadata.default_policy,
        policies=policies,
    )


def descriptor_of(vnfd: Vnfd, modification: Modification | None) -> Descriptor:
    """The VNFM's view of a VNFD."""
    return Descriptor(
        vnfd_id=vnfd.vnfd_id,
        provider=vnfd.provider,
        product=vnfd.product_name,
        software_version=vnfd.software_version,
        descriptor_version=vnfd.descriptor_version,
        flavours=tuple(flavour.id for flavour in vnfd.flavours),
        vdus={vdu.name: _vdu(vdu, vnfd) for vdu in vnfd.vdus},
        links={link.name: Link(link.name, link.cidr or "") for link in vnfd.virtual_links if not link.external},
        aspects={
            aspect.name: Aspect(aspect.name, aspect.initial_level, aspect.max_scale_level, dict(aspect.deltas))
            for aspect in vnfd.scaling_aspects
        },
        anti_affinity=tuple(
            AntiAffinity(rule.name, rule.targets, rule.soft)
            for rule in vnfd.affinity_rules
            if rule.kind == "anti_affinity"
        ),
        coordination=frozenset(action.name for action in vnfd.coordination_actions),
        modification=modification,
    )


def _vdu(vdu: VnfdVdu, vnfd: Vnfd) -> Vdu:
    if vdu.image not in vnfd.images:
        raise Problem(422, f"the VNFD has no software image for the VDU {vdu.name}")
    return Vdu(
        id=vdu.name,
        image=_image(vnfd.images[vdu.image]),
        vcpus=vdu.vcpus,
        memory_mib=round(vdu.memory_mib),
        storage_gib=round(vdu.storage_gib),
        connection_points=tuple(_port(port, vnfd) for port in sorted(vdu.ports, key=lambda port: port.order)),
        initial=vdu.initial_instances,
        minimum=vdu.min_instances,
        maximum=vdu.max_instances,
        config=dict(vdu.boot_data),
    )


def _image(image: SoftwareImage) -> Image:
    return Image(
        name=image.name,
        version=image.version,
        checksum=image.checksum,
        path=image.path,
        container_format=image.container_format.lower() or "docker",
        disk_format=image.disk_format.lower() or "raw",
    )


def _port(port: Port, vnfd: Vnfd) -> ConnectionPoint:
    external = next((cp.name for cp in vnfd.ext_cps if cp.network == port.network), "")
    return ConnectionPoint(port.name, port.network, external, port.fixed_ip or "")
