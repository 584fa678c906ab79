"""A VNF package: a SOL004 archive with its entry points, manifest, descriptor, images and modification metadata."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography import x509

from nfvcert.drop.archive import Archive
from nfvcert.drop.findings import Finding, errors, fault
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.manifest import Manifest, parse_manifest
from nfvcert.drop.metadata import DEFAULT_PATH, SoftwareModification, parse_metadata
from nfvcert.drop.oci_read import OciImage, read_image
from nfvcert.drop.signature import Signature, SignatureProblem, verify
from nfvcert.drop.toscameta import CLAUSE as META_CLAUSE
from nfvcert.drop.toscameta import PATH as META_PATH
from nfvcert.drop.toscameta import ToscaMeta, parse_meta
from nfvcert.drop.trust import load_certificates
from nfvcert.drop.vnfd import SoftwareImage, Vnfd
from nfvcert.drop.vnfd_read import read_vnfd


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file of the package as its manifest lists it; ``hash`` in lower-case hex."""

    path: str
    algorithm: str
    hash: str


@dataclass(frozen=True)
class PackageImage:
    """A software image of the package: what the descriptor says of it and what the image says of itself."""

    described: SoftwareImage
    oci: OciImage

    @property
    def name(self) -> str:
        """The image's name in the descriptor."""
        return self.described.name

    @property
    def digest(self) -> str:
        """Digest of the image manifest, ``sha256:...``."""
        return self.oci.digest

    def executables(self) -> dict[str, str]:
        """Absolute path of each executable in the image to the SHA-256 digest of its content, in hex."""
        return self.oci.executables()


class Package:
    """A package that may be hostile. Parts are read when they are first asked for.

    Every accessor raises :class:`~nfvcert.errors.DropError` when its part cannot be used;
    :func:`nfvcert.drop.package_check.check_package` says everything wrong at once.
    """

    def __init__(self, archive: Archive, path: Path | None = None) -> None:
        self.archive = archive
        self._path = path
        self._oci: dict[str, OciImage] = {}
        self._digests: dict[tuple[str, str], str] = {}

    @property
    def path(self) -> Path:
        """The file of the package; only for packages opened from a file."""
        if self._path is None:
            raise fault("package.path", "", self.name, "the package is not in a file").error()
        return self._path

    @property
    def name(self) -> str:
        """The package's file name."""
        return self.archive.name

    @property
    def limits(self) -> Limits:
        return self.archive.limits

    @property
    def sha256(self) -> str:
        """Digest of the archive in hex."""
        return self.archive.sha256

    @cached_property
    def _meta(self) -> tuple[ToscaMeta, list[Finding]]:
        if META_PATH in self.archive:
            data = self.archive.read(META_PATH, self.limits.document)
            return parse_meta(data, self.limits.name)
        roots = [name for name in self.archive.names if "/" not in name]
        definitions = [name for name in roots if name.endswith((".yaml", ".yml"))]
        manifests = [name for name in roots if name.endswith(".mf")]
        if len(definitions) == 1 and len(manifests) == 1:
            return ToscaMeta(definitions=definitions[0], manifest=manifests[0]), []
        problem = fault("csar.meta", META_CLAUSE, META_PATH, "the file is missing, and so is one YAML file at the root")
        return ToscaMeta("", ""), [problem]

    @property
    def meta(self) -> ToscaMeta:
        """Entry points of the package."""
        return self._meta[0]

    @property
    def meta_findings(self) -> list[Finding]:
        """What is wrong with TOSCA.meta."""
        return list(self._meta[1])

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest; its own findings are in it, nothing is compared with the archive."""
        path = self.meta.manifest
        return parse_manifest(self.archive.read(path, self.limits.document), path)

    @cached_property
    def signature(self) -> Signature | None:
        """The intact signature of the manifest, None when there is none.

        Raises:
            SignatureProblem: there is a signature that does not show what it should.
        """
        pem = self.manifest.signature
        return None if pem is None else verify(self.manifest.signed, pem, self._certificates())

    @cached_property
    def _read_vnfd(self) -> tuple[Vnfd | None, list[Finding]]:
        entry = self.meta.definitions
        if entry not in self.archive:
            where = entry or META_PATH
            return None, [fault("csar.meta", META_CLAUSE, where, "the entry definitions are not in the archive")]
        return read_vnfd(self._document, self.archive.__contains__, entry, self.limits)

    @property
    def vnfd(self) -> Vnfd:
        """The VNF descriptor.

        Raises:
            FindingError: it has errors; the first one.
        """
        vnfd, findings = self._read_vnfd
        if vnfd is None:
            raise errors(findings)[0].error()
        return vnfd

    @property
    def vnfd_findings(self) -> list[Finding]:
        """What is wrong with the descriptor."""
        return list(self._read_vnfd[1])

    @property
    def vnfd_id(self) -> str:
        """The vnfdId, from the manifest when the descriptor cannot be read."""
        vnfd, _ = self._read_vnfd
        return vnfd.vnfd_id if vnfd is not None else self.manifest.metadata.get("vnfd_id", "")

    @property
    def metadata_path(self) -> str | None:
        """The member with the software modification metadata: the one that the VNFD names, else the usual one."""
        vnfd, _ = self._read_vnfd
        named = vnfd.modification_metadata if vnfd is not None else None
        if named is not None:
            return named
        return DEFAULT_PATH if DEFAULT_PATH in self.archive else None

    @property
    def metadata(self) -> SoftwareModification | None:
        """The software modification metadata, None when the package has none.

        Raises:
            FindingError: they are not in the archive or have errors; the first one.
        """
        path = self.metadata_path
        if path is None:
            return None
        model, _, findings = parse_metadata(self._document(path), path, self.limits)
        if model is None:
            raise findings[0].error()
        return model

    @cached_property
    def images(self) -> tuple[PackageImage, ...]:
        """All software images, in the descriptor's order.

        Raises:
            FindingError: an image is damaged or not what the descriptor says.
        """
        return tuple(self.image(name) for name in self.vnfd.images)

    def image(self, name: str) -> PackageImage:
        """One software image, its checksum and all its digests verified.

        Raises:
            FindingError: it is damaged or not what the descriptor says.
            KeyError: the descriptor knows no such image.
        """
        described = self.vnfd.images[name]
        problem = self.image_problem(described)
        if problem is not None:
            raise problem.error()
        return PackageImage(described, self.read_oci(described.path))

    def read_oci(self, path: str) -> OciImage:
        """The image in a member, read once however many VDUs use it.

        Raises:
            FindingError: it is no image, or one whose digests do not fit.
        """
        if path not in self._oci:
            self._oci[path] = read_image(lambda: self.archive.chunks(path), path, self.limits)
        return self._oci[path]

    def image_problem(self, described: SoftwareImage) -> Finding | None:
        """How size or checksum of an image's file differ from what the descriptor says."""
        clause = "SOL001 6.2.13 (SwImageData)"
        size = self.archive.size(described.path)
        if size != described.size:
            return fault("image.size", clause, described.path, "the image has another size", size, described.size)
        key = (described.path, described.algorithm)
        if key not in self._digests:
            self._digests[key] = self.archive.digest(*key)
        found = self._digests[key]
        if found != described.checksum:
            return fault(
                "image.checksum", clause, described.path, "the image has another checksum", found, described.checksum
            )
        return None

    def extract_image(self, name: str, cache: Path) -> Path:
        """The image as a file in ``cache``, named by its digest; written once, verified while it is written.

        Raises:
            FindingError: the image's checksum is not the one in the descriptor.
        """
        described = self.vnfd.images[name]
        target = cache / f"{described.algorithm}-{described.checksum}.tar"
        if target.exists():
            return target
        cache.mkdir(parents=True, exist_ok=True)
        digest = hashlib.new(described.algorithm)
        handle, temporary = tempfile.mkstemp(prefix=".image-", dir=cache)
        try:
            with os.fdopen(handle, "wb") as file:
                for piece in self.archive.chunks(described.path):
                    digest.update(piece)
                    file.write(piece)
            if digest.hexdigest() != described.checksum:
                found = digest.hexdigest()
                raise fault(
                    "image.checksum", "SOL001 6.2.13", described.path, "wrong checksum", found, described.checksum
                ).error()
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return target

    def artifacts(self) -> list[Artifact]:
        """All files of the package that the manifest lists and the archive has."""
        listed = self.manifest.files.values()
        return [Artifact(f.source, f.algorithm, f.hash) for f in listed if f.source in self.archive]

    def artifact_bytes(self, path: str) -> bytes:
        """A file of the package.

        Raises:
            FindingError: it is not there, damaged, or too large to be held in memory.
        """
        return self.archive.read(path)

    def artifact_chunks(self, path: str) -> Iterator[bytes]:
        """A file of the package in pieces."""
        return self.archive.chunks(path)

    def definitions(self) -> dict[str, bytes]:
        """The files of the descriptor: those under ``Definitions/`` or beside the entry file."""
        folder = self.meta.definitions.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        names = [n for n in self.archive.names if n.startswith(prefix) and n.endswith((".yaml", ".yml"))]
        return {name: self._document(name) for name in names if folder or "/" not in name}

    def _document(self, name: str) -> bytes:
        return self.archive.read(name, self.limits.document)

    def _certificates(self) -> list[x509.Certificate]:
        """Certificates in the package that its signature may refer to."""
        path = self.meta.certificate
        if path not in self.archive:
            return []
        try:
            return load_certificates(self._document(path))
        except ValueError as error:
            raise SignatureProblem("signature.certificate", f"{path} holds no certificate: {error}") from None


def open_package(source: Path | bytes, *, name: str = "", limits: Limits = DEFAULT) -> Package:
    """Open a package without reading more than the archive's structure.

    Neither integrity nor signature are judged: see :func:`nfvcert.drop.package_check.verify_package`.

    Raises:
        DropError: no archive, or one with members that it must not have.
    """
    archive = Archive(source, name=name, limits=limits)
    archive.raise_problems()
    return Package(archive, source if isinstance(source, Path) else None)
