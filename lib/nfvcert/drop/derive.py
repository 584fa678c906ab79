"""Deriving variants of a package: edits composed in order, then manifest and signature made anew or left stale."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.serialization import Encoding

from nfvcert.drop.csar import Content, manifest_for, write_zip
from nfvcert.drop.declaration import FILE
from nfvcert.drop.manifest import Manifest
from nfvcert.drop.package import Package, open_package
from nfvcert.drop.read import member, read_drop
from nfvcert.drop.signature import Signing, sign
from nfvcert.drop.toscameta import ToscaMeta
from nfvcert.errors import DropError


@dataclass
class Draft:
    """A package being edited: ``files`` are all members but the manifest.

    With ``stale`` the manifest keeps the bytes and the signature that it had; files in ``unlisted`` are left out of it.
    ``metadata_path`` is where the modification metadata are, None when the package has none.
    """

    files: dict[str, bytes]
    meta: ToscaMeta
    manifest_metadata: dict[str, str]
    artifact_sets: dict[str, tuple[str, ...]]
    metadata_path: str | None
    old_manifest: bytes
    vnfd_id: str
    unlisted: set[str] = field(default_factory=set)
    stale: bool = False

    def require(self, name: str) -> bytes:
        """A file that an edit needs.

        Raises:
            DropError: the package does not have it.
        """
        if name not in self.files:
            raise DropError("the package to derive from lacks a file", where=name)
        return self.files[name]

    @property
    def metadata_file(self) -> str:
        """The member with the modification metadata.

        Raises:
            DropError: the package has none.
        """
        if self.metadata_path is None:
            raise DropError("the package to derive from has no modification metadata")
        return self.metadata_path

    def definitions(self) -> list[str]:
        """The YAML files of the descriptor."""
        folder = self.meta.definitions.rpartition("/")[0] + "/"
        return sorted(name for name in self.files if name.startswith(folder) and name.endswith((".yaml", ".yml")))


Edit = Callable[[Draft], None]


def derive(source: Path | bytes, output: Path, *edits: Edit, signing: Signing | None = None) -> Path:
    """Write a variant of a package to ``output``, always the same bytes for the same arguments; answers ``output``.

    Unless an edit leaves the manifest stale it is recomputed over the edited files, and signed with ``signing``; with
    None the variant is unsigned.

    Raises:
        DropError: the package cannot be read, or an edit does not apply to it.
    """
    draft = draft_of(open_package(source))
    for edit in edits:
        edit(draft)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(finish(draft, signing))
    return output


def derive_drop(
    source: Path,
    output: Path,
    *edits: Edit,
    signing: Signing | None,
    side: Literal["in_service", "candidate"] = "candidate",
) -> Path:
    """Write a whole drop to the folder ``output`` in which one package is a variant; answers ``output``.

    Raises:
        DropError: the drop or its package cannot be read, or an edit does not apply.
    """
    drop = read_drop(source)
    output.mkdir(parents=True, exist_ok=True)
    declaration = drop.declaration
    names = [declaration.in_service, declaration.candidate, *declaration.trusted]
    names += [declaration.nsd] if declaration.nsd else []
    for name in (FILE, *names):
        target = output / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(member(drop.path, name), target)
    changed = declaration.candidate if side == "candidate" else declaration.in_service
    derive(drop.path / changed, output / changed, *edits, signing=signing)
    return output


def draft_of(package: Package) -> Draft:
    """The package as a draft."""
    manifest_path = package.meta.manifest
    manifest: Manifest = package.manifest
    return Draft(
        files={name: package.artifact_bytes(name) for name in package.archive.names if name != manifest_path},
        meta=package.meta,
        manifest_metadata=dict(manifest.metadata),
        artifact_sets=dict(manifest.artifact_sets),
        metadata_path=package.metadata_path,
        old_manifest=package.artifact_bytes(manifest_path),
        vnfd_id=package.vnfd_id,
    )


def finish(draft: Draft, signing: Signing | None) -> bytes:
    """The archive of a draft."""
    members = dict(draft.files)
    if draft.stale:
        members[draft.meta.manifest] = draft.old_manifest
        return write_zip(members)
    if signing is not None and draft.meta.certificate in members:
        members[draft.meta.certificate] = signing.certificate.public_bytes(Encoding.PEM)
    content = Content(members, draft.meta, draft.manifest_metadata, draft.artifact_sets)
    manifest = manifest_for(members, content, draft.unlisted)
    members[draft.meta.manifest] = manifest + (sign(manifest, signing) if signing is not None else b"")
    return write_zip(members)


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()
