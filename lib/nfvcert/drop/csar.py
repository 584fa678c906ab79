"""Writing packages: always the same bytes for the same content (SOL004 4.1)."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from nfvcert.drop.manifest import format_manifest
from nfvcert.drop.signature import Signing, sign
from nfvcert.drop.toscameta import PATH as META_PATH
from nfvcert.drop.toscameta import ToscaMeta, format_meta

CREATED_BY = "nfvcert drop build"
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Content:
    """A package before it is written: its files without TOSCA.meta and manifest, and what goes into those two."""

    files: Mapping[str, bytes]
    meta: ToscaMeta
    manifest_metadata: Mapping[str, str]
    artifact_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def with_file(self, name: str, data: bytes) -> Content:
        """A copy with one file added or replaced."""
        return replace(self, files={**self.files, name: data})


def write_package(content: Content, signing: Signing | None) -> bytes:
    """The archive of a package, signed or not."""
    members = dict(content.files)
    members[META_PATH] = format_meta(content.meta, CREATED_BY)
    manifest = manifest_for(members, content)
    members[content.meta.manifest] = manifest + (sign(manifest, signing) if signing is not None else b"")
    return write_zip(members)


def manifest_for(members: Mapping[str, bytes], content: Content, unlisted: Iterable[str] = ()) -> bytes:
    """The part of the manifest that is signed, with a digest of every member but itself and those ``unlisted``."""
    left_out = {content.meta.manifest, *unlisted}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name not in left_out}
    sets = {key: tuple(s for s in sources if s in hashes) for key, sources in content.artifact_sets.items()}
    return format_manifest(
        content.manifest_metadata, hashes, {key: sources for key, sources in sets.items() if sources}
    )


def write_zip(members: Mapping[str, bytes]) -> bytes:
    """A ZIP archive with fixed times and modes: TOSCA.meta first, then by name; images are packed already."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(members, key=lambda name: (name != META_PATH, name)):
            info = zipfile.ZipInfo(name, _FIRST_DATE)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_STORED if name.endswith((".tar", ".gz")) else zipfile.ZIP_DEFLATED
            archive.writestr(info, members[name], compresslevel=9)
    return buffer.getvalue()
