"""Everything wrong with one package that an orchestrator judges: archive, integrity, signature, descriptor, images."""

from __future__ import annotations

import platform

from nfvcert.drop.findings import Finding, FindingError, fault, finding_of, remark
from nfvcert.drop.manifest import ALGORITHMS
from nfvcert.drop.manifest import CLAUSE as MANIFEST_CLAUSE
from nfvcert.drop.package import Package
from nfvcert.drop.signature import CLAUSE as SIGNATURE_CLAUSE
from nfvcert.drop.signature import SignatureProblem
from nfvcert.drop.toscameta import CLAUSE as META_CLAUSE
from nfvcert.drop.toscameta import PATH as META_PATH
from nfvcert.drop.trust import Trust, distrust, subject
from nfvcert.errors import DropError

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}


def host_architecture() -> str:
    """The architecture of this machine as OCI images name it."""
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def check_package(package: Package, trust: Trust | None = None, architecture: str | None = None) -> list[Finding]:
    """Everything wrong with a package, errors and warnings; modification metadata are judged elsewhere.

    Without ``trust`` signatures are checked for what they cover but signers are not judged. ``architecture`` is the
    one that images have to be for (None: this machine's).
    """
    findings = list(package.archive.problems)
    try:
        findings += package.meta_findings
    except DropError as error:
        return [*findings, finding_of(error)]
    findings += verify_package(package, trust)
    findings += _check_entries(package)
    try:
        findings += package.vnfd_findings
        findings += _check_identity(package)
        findings += check_images(package, architecture or host_architecture())
    except DropError as error:
        if finding_of(error) not in findings:
            findings.append(finding_of(error))
    return list(dict.fromkeys(findings))


def verify_package(package: Package, trust: Trust | None = None) -> list[Finding]:
    """Integrity and authenticity: what does not fit the manifest, and what is wrong with its signature (SOL004 5.1)."""
    if not package.meta.manifest:
        return []
    try:
        manifest = package.manifest
    except DropError as error:
        return [finding_of(error)]
    return [*manifest.findings, *_check_digests(package), *_check_signature(package, trust)]


def check_images(package: Package, architecture: str) -> list[Finding]:
    """Images that are damaged, not what the descriptor says, or for another machine."""
    findings: list[Finding] = []
    try:
        images = package.vnfd.images.values()
    except DropError:
        return []  # told by the descriptor's own findings
    for described in images:
        try:
            problem = package.image_problem(described)
            if problem is not None:
                findings.append(problem)
            path = described.path
            image = package.read_oci(path)
        except FindingError as error:
            findings.append(error.finding)
            continue
        target = f"{image.os}/{image.architecture}"
        if target != f"linux/{architecture}":
            findings.append(
                fault(
                    "image.architecture", "OCI image format 1.0", path, "the image is for another machine", target,
                    f"linux/{architecture}",
                )
            )  # fmt: skip
        if not image.entrypoint:
            findings.append(fault("image.entrypoint", "OCI image format 1.0", path, "the image has no entry point"))
        elif image.entrypoint[0] not in image.files:
            findings.append(
                fault(
                    "image.entrypoint", "OCI image format 1.0", path, "the entry point is no executable of the image",
                    image.entrypoint[0],
                )
            )  # fmt: skip
    return findings


def _check_entries(package: Package) -> list[Finding]:
    meta = package.meta
    findings: list[Finding] = []
    for key, path in (
        ("ETSI-Entry-Manifest", meta.manifest),
        ("ETSI-Entry-Change-Log", meta.change_log),
        ("ETSI-Entry-Certificate", meta.certificate),
    ):
        if path and path not in package.archive and key != "ETSI-Entry-Manifest":
            findings.append(fault("csar.entry", META_CLAUSE, META_PATH, f"{key} is not in the archive", path))
    for key, path in (("ETSI-Entry-Licenses", meta.licenses), ("ETSI-Entry-Tests", meta.tests)):
        inside = path.rstrip("/") + "/"
        if path and path not in package.archive and not any(n.startswith(inside) for n in package.archive.names):
            findings.append(fault("csar.entry", META_CLAUSE, META_PATH, f"{key} is not in the archive", path))
    if META_PATH in package.archive and not meta.change_log:
        findings.append(remark("csar.entry", META_CLAUSE, META_PATH, "the package names no change log"))
    return findings


def _check_digests(package: Package) -> list[Finding]:
    meta, manifest = package.meta, package.manifest
    findings: list[Finding] = []
    optional = {META_PATH, meta.certificate}
    for name in package.archive.names:
        if name == meta.manifest:
            continue
        listed = manifest.files.get(name)
        if listed is None:
            message = "the file is not in the manifest"
            judged = remark if name in optional else fault
            findings.append(judged("manifest.unlisted", MANIFEST_CLAUSE, name, message))
            continue
        if not listed.algorithm:
            continue  # told by the manifest's own findings
        try:
            digest = package.archive.digest(name, ALGORITHMS[listed.algorithm])
        except FindingError as error:
            findings.append(error.finding)
            continue
        if digest != listed.hash:
            message = "the file has another digest than the manifest says"
            findings.append(fault("manifest.hash", MANIFEST_CLAUSE, name, message, digest, listed.hash))
    for source, listed in manifest.files.items():
        if source not in package.archive and "://" not in source:
            where = f"{meta.manifest}:{listed.line}"
            findings.append(fault("manifest.missing_file", MANIFEST_CLAUSE, where, "a listed file is missing", source))
    for set_id, sources in manifest.artifact_sets.items():
        for source in sources:
            if source not in manifest.files:
                message = f"a file of the set {set_id} has no digest"
                findings.append(fault("manifest.unlisted", MANIFEST_CLAUSE, source, message))
    return findings


def _check_signature(package: Package, trust: Trust | None) -> list[Finding]:
    where = package.meta.manifest
    try:
        signature = package.signature
    except SignatureProblem as problem:
        return [fault(problem.rule, SIGNATURE_CLAUSE, where, problem.message)]
    except DropError as error:
        return [finding_of(error)]
    if signature is None:
        judged = fault if trust is not None and trust.required else remark
        return [judged("signature.missing", SIGNATURE_CLAUSE, where, "the manifest is not signed")]
    if trust is None:
        return []
    reason = distrust(signature.signer, signature.others, trust)
    if reason is None:
        return []
    expected = ", ".join(subject(certificate) for certificate in trust.certificates) or "no certificate is trusted"
    found = subject(signature.signer)
    return [
        fault("signature.untrusted", SIGNATURE_CLAUSE, where, f"the signer is not trusted: {reason}", found, expected)
    ]


def _check_identity(package: Package) -> list[Finding]:
    """Manifest and descriptor have to speak of the same VNF."""
    try:
        vnfd, manifest = package.vnfd, package.manifest
    except DropError:
        return []
    pairs = {
        "vnf_product_name": vnfd.product_name,
        "vnf_provider_id": vnfd.provider,
        "vnfd_id": vnfd.vnfd_id,
        "vnf_software_version": vnfd.software_version,
    }
    return [
        fault("manifest.identity", MANIFEST_CLAUSE, package.meta.manifest, f"{key} differs from the VNFD", found, said)
        for key, said in pairs.items()
        if (found := manifest.metadata.get(key, said)) != said
    ]
