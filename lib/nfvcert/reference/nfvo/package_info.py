"""What a package resource shows of the package's content: pure translation from the read package to SOL005."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nfvcert.drop.findings import Finding
from nfvcert.drop.package import Package
from nfvcert.drop.toscameta import PATH as META_PATH
from nfvcert.drop.vnfd import SoftwareImage, Vnfd
from nfvcert.reference.common.problem import Problem
from nfvcert.sol.common import now
from nfvcert.sol.vnfpkgm import (
    Checksum,
    PackageSecurityOption,
    VnfPackageArtifactInfo,
    VnfPackageSoftwareImageInfo,
)

ALGORITHMS = {"sha256": "SHA-256", "sha512": "SHA-512"}
CONTAINER_FORMATS = ("AKI", "AMI", "ARI", "BARE", "DOCKER", "OVA", "OVF")
DISK_FORMATS = ("AKI", "AMI", "ARI", "ISO", "QCOW2", "RAW", "VDI", "VHD", "VHDX", "VMDK")
GIB, MIB = 1024**3, 1024**2
SHOWN_FINDINGS = 20


def describe(package: Package) -> dict[str, Any]:
    """Attributes of VnfPkgInfo that come from the content.

    Raises:
        DropError: descriptor or manifest cannot be used.
    """
    vnfd, manifest = package.vnfd, package.manifest
    described: dict[str, Any] = {
        "vnfdId": vnfd.vnfd_id,
        "vnfProvider": vnfd.provider,
        "vnfProductName": vnfd.product_name,
        "vnfSoftwareVersion": vnfd.software_version,
        "vnfdVersion": vnfd.descriptor_version,
        "checksum": Checksum(algorithm="SHA-256", hash=package.sha256).dump(),
        "softwareImages": [_image(name, image, vnfd).dump() for name, image in vnfd.images.items()],
        "additionalArtifacts": [artifact.dump() for artifact in _additional(package)],
        "vnfmInfo": list(vnfd.vnfm_info),
    }
    versions = manifest.metadata.get("compatible_specification_versions", "")
    if versions:
        described["compatibleSpecificationVersions"] = [version.strip() for version in versions.split(",")]
    if manifest.signature is not None:
        described["packageSecurityOption"] = PackageSecurityOption.OPTION_1
    return described


def sizes(vnfd: Vnfd) -> dict[str, dict[str, float]]:
    """VDU -> what one VNFC of it uses (memory in MiB)."""
    return {vdu.name: {"vnfcs": 1, "vcpus": vdu.vcpus, "memory_mib": vdu.memory_mib} for vdu in vnfd.vdus}


def failure(findings: Sequence[Finding]) -> dict[str, Any]:
    """ProblemDetails that say everything which forbids to onboard a package, the first finding first."""
    texts = [finding.text for finding in findings[:SHOWN_FINDINGS]]
    if len(findings) > SHOWN_FINDINGS:
        texts.append(f"and {len(findings) - SHOWN_FINDINGS} more")
    shown = [{"rule": f.rule, "where": f.where, "message": f.message} for f in findings[:SHOWN_FINDINGS]]
    return Problem(422, "; ".join(texts), title="the package is refused", extra={"findings": shown}).document()


def _image(name: str, image: SoftwareImage, vnfd: Vnfd) -> VnfPackageSoftwareImageInfo:
    return VnfPackageSoftwareImageInfo(
        id=name,
        name=image.name,
        provider=vnfd.provider,
        version=image.version,
        checksum=Checksum(algorithm=ALGORITHMS.get(image.algorithm, image.algorithm), hash=image.checksum),
        containerFormat=_one_of(CONTAINER_FORMATS, image.container_format, "DOCKER"),
        diskFormat=_one_of(DISK_FORMATS, image.disk_format, "RAW"),
        createdAt=now(),
        minDisk=int(image.min_disk_gib * GIB),
        minRam=int(image.min_ram_mib * MIB),
        size=image.size,
        imagePath=image.path,
    )


def _additional(package: Package) -> list[VnfPackageArtifactInfo]:
    """Files that are neither descriptor, nor software image, nor part of the package's own structure."""
    meta = package.meta
    own = {META_PATH, meta.manifest, meta.certificate, *package.definitions()}
    own |= {image.path for image in package.vnfd.images.values()}
    sets = {path: name for name, paths in package.manifest.artifact_sets.items() for path in paths}
    return [
        VnfPackageArtifactInfo(
            artifactPath=artifact.path,
            checksum=Checksum(algorithm=artifact.algorithm, hash=artifact.hash),
            nonManoArtifactSetId=sets.get(artifact.path),
        )
        for artifact in package.artifacts()
        if artifact.path not in own
    ]


def _one_of(known: tuple[str, ...], given: str, default: str) -> str:
    return given.upper() if given.upper() in known else default
