"""The package scenario: the candidate as delivered, as onboarded, and as fetched again by OSS and VNFM."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from nfvcert.drop.findings import errors
from nfvcert.drop.metadata_check import check_metadata
from nfvcert.drop.package import Package
from nfvcert.drop.signature import SignatureProblem
from nfvcert.drop.trust import Trust, distrust
from nfvcert.errors import DropError
from nfvcert.history import marks
from nfvcert.testbed.drivers.nfvo import PACKAGES

if TYPE_CHECKING:
    from nfvcert.scenarios.bench import Bench

READERS = ("oss", "vnfm")
WHOLE = "package"
IMAGE_FOLDER = "Files/Images/"


def record_packages(bench: Bench) -> None:
    """Read, check, onboard and fetch the candidate; everything found is recorded."""
    drop, recorder = bench.drop, bench.recording.recorder
    package = drop.candidate
    bench.recording.step("reading the package as delivered")
    delivered = {WHOLE: package.sha256, **_digests(package)}
    recorder.mark(
        marks.PACKAGE,
        label="delivered",
        action="read",
        vnfd_id=package.vnfd_id,
        metadata_forms=_forms(package),
        outside_manifest=_outside(package),
        signature_valid=_signed(package, drop.trust),
        digests=delivered,
    )
    findings = errors(check_metadata(package, drop.in_service))
    recorder.mark(
        marks.PACKAGE,
        label="metadata",
        action="check",
        findings=[{"where": f.where, "message": f.message, "rule": f.rule} for f in findings],
        fields_checked=_fields(package) or len(findings),
    )
    bench.recording.step("onboarding the package and fetching it again")
    bench.service.onboard(drop.in_service.path, "in_service")
    use = bench.service.onboard(package.path, "candidate")
    for reader in READERS:
        recorder.mark(
            marks.PACKAGE,
            label="fetched",
            action="fetch",
            reader=reader,
            vnfd_id=use.vnfd_id,
            digests=_fetched(bench, use.id, delivered, reader),
        )


def _digests(package: Package) -> dict[str, str]:
    """SHA-256 of every file that tells how to modify the software, and of what else comes with it but the images."""
    listed = package.archive.names
    wanted = [
        name for name in listed if name.startswith(("Files/", "Artifacts/")) and not name.startswith(IMAGE_FOLDER)
    ]
    images = {image.path for image in package.vnfd.images.values()}
    return {name: hashlib.sha256(package.artifact_bytes(name)).hexdigest() for name in wanted if name not in images}


def _fields(package: Package) -> int:
    """How many fields the metadata have; 0 when they cannot be read."""
    try:
        metadata = package.metadata
    except DropError:
        return 0
    return len(metadata.model_dump()) if metadata else 0


def _forms(package: Package) -> list[str]:
    forms = []
    if package.vnfd.package_changes:
        forms.append("VnfPackageChange")
    if package.vnfd.coordination_actions:
        forms.append("LcmCoordinationAction")
    if package.metadata_path is not None:
        forms.append(package.metadata_path)
    return forms


def _outside(package: Package) -> list[str]:
    """Files with metadata that the manifest does not list."""
    concerned = [package.meta.definitions, *([package.metadata_path] if package.metadata_path else [])]
    return [name for name in concerned if name not in package.manifest.files]


def _signed(package: Package, trust: Trust) -> bool:
    try:
        signature = package.signature
    except SignatureProblem:
        return False
    return signature is not None and distrust(signature.signer, signature.others, trust) is None


def _fetched(bench: Bench, package: str, delivered: dict[str, str], reader: str) -> dict[str, Any]:
    client = bench.package_reader(reader)
    got: dict[str, Any] = {}
    for name in delivered:
        path = f"{PACKAGES}/{package}/package_content" if name == WHOLE else f"{PACKAGES}/{package}/artifacts/{name}"
        answer = client.request("GET", path, expect="bytes")
        got[name] = (
            hashlib.sha256(answer.body).hexdigest() if isinstance(answer.body, bytes) else f"status {answer.status}"
        )
    return got
