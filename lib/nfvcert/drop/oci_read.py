"""Reading an OCI image from an oci-archive: every digest checked, nothing unpacked to disk (OCI image format 1.0)."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from nfvcert.drop import tarstream
from nfvcert.drop.findings import FindingError, fault
from nfvcert.drop.layers import Executables, gunzip
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.oci import INDEX, LAYER_TYPE, LAYOUT, MANIFEST_TYPE, REF_NAME

CLAUSE = "OCI image format 1.0"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_LAYER_TYPES = {LAYER_TYPE: False, f"{LAYER_TYPE}+gzip": True, DOCKER_LAYER: True}
Pieces = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class OciImage:
    """An image whose digests fit.

    ``digest`` is that of the image manifest, ``files`` maps each executable's absolute path in the image to the
    SHA-256 digest (hex) of its content.
    """

    tag: str
    digest: str
    config_digest: str
    architecture: str
    os: str
    entrypoint: tuple[str, ...]
    labels: dict[str, str]
    files: dict[str, str] = field(repr=False)

    def executables(self) -> dict[str, str]:
        """Absolute path of each executable file to the SHA-256 digest of its content, in hex."""
        return dict(self.files)


def read_image(content: Pieces, where: str, limits: Limits = DEFAULT) -> OciImage:
    """Read and check an image; ``content`` gives the archive's bytes from the start, each time it is called.

    Raises:
        FindingError: no OCI layout, a digest or size that does not fit, or a limit exceeded.
    """
    layout = _Layout(content, where, limits)
    index = layout.document_at(INDEX)
    entries = _list(index, "manifests", where)
    if len(entries) != 1:
        raise _bad(where, "image.index", "the image archive has to hold exactly one image", len(entries), 1)
    descriptor = entries[0]
    if not isinstance(descriptor, dict) or descriptor.get("mediaType") not in (MANIFEST_TYPE, DOCKER_MANIFEST):
        raise _bad(where, "image.index", "the image has no manifest of a known type", _get(descriptor, "mediaType"))
    manifest = layout.document(descriptor)
    config = layout.document(_object(manifest, "config", where))
    layers = _list(manifest, "layers", where)
    diff_ids = _list(_object(config, "rootfs", where), "diff_ids", where)
    if len(layers) != len(diff_ids):
        raise _bad(where, "image.config", "configuration and manifest differ in the layers", len(diff_ids), len(layers))
    executables = Executables()
    for layer, diff_id in zip(layers, diff_ids, strict=True):
        if not isinstance(layer, dict) or layer.get("mediaType") not in _LAYER_TYPES:
            raise _bad(where, "image.layer", "unknown type of layer", _get(layer, "mediaType"))
        executables.lay(_scan_layer(layout, layer, str(diff_id), where, limits))
    settings = _optional(config, "config")
    labels, annotations = _optional(settings, "Labels"), _optional(descriptor, "annotations")
    entrypoint = settings.get("Entrypoint")
    return OciImage(
        tag=str(annotations.get(REF_NAME, "")),
        digest=str(descriptor["digest"]),
        config_digest=str(manifest["config"]["digest"]),
        architecture=str(config.get("architecture", "")),
        os=str(config.get("os", "")),
        entrypoint=tuple(str(word) for word in entrypoint) if isinstance(entrypoint, list) else (),
        labels={str(key): str(value) for key, value in labels.items()},
        files=executables.files(),
    )


class _Layout:
    """The members of an oci-archive; documents are kept, layers are read again when they are needed."""

    def __init__(self, content: Pieces, where: str, limits: Limits) -> None:
        self._content = content
        self._where = where
        self._limits = limits
        self._sizes: dict[str, int] = {}
        self._digests: dict[str, str] = {}
        self._documents: dict[str, bytes] = {}
        kept = 0
        for member in tarstream.members(content(), where, limits.members):
            if member.kind == tarstream.DIRECTORY:
                continue
            if member.kind != tarstream.FILE or member.name in self._sizes:
                what = "occurs twice" if member.name in self._sizes else f"is a {member.kind}"
                raise _bad(where, "image.archive", f"a member of the image archive {what}", member.name)
            keep = member.size <= limits.image_document and kept + member.size <= 4 * limits.image_document
            digest, data = hashlib.sha256(), bytearray()
            for piece in member.pieces():
                digest.update(piece)
                if keep:
                    data += piece
            self._sizes[member.name] = member.size
            self._digests[member.name] = digest.hexdigest()
            if keep:
                kept += member.size
                self._documents[member.name] = bytes(data)
        for name in (LAYOUT, INDEX):
            if name not in self._sizes:
                raise _bad(where, "image.archive", f"no OCI image archive: {name} is missing")

    def document_at(self, name: str) -> dict[str, Any]:
        """A JSON object by its member name."""
        data = self._documents.get(name)
        if data is None:
            raise _bad(self._where, "image.size", "a document of the image is too large", name)
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise _bad(self._where, "image.json", "a document of the image is not JSON", name) from None
        if not isinstance(document, dict):
            raise _bad(self._where, "image.json", "a document of the image is no JSON object", name)
        return document

    def document(self, descriptor: dict[str, Any]) -> dict[str, Any]:
        """A JSON object by its descriptor."""
        return self.document_at(self.blob(descriptor))

    def blob(self, descriptor: dict[str, Any]) -> str:
        """Member name of a blob, once its digest and size fit."""
        digest = descriptor.get("digest")
        kind, _, value = digest.partition(":") if isinstance(digest, str) else ("", "", "")
        name = f"blobs/{kind}/{value}"
        if kind != "sha256" or len(value) != 64:
            raise _bad(self._where, "image.digest", "the image names no SHA-256 digest", digest)
        if name not in self._sizes:
            raise _bad(self._where, "image.missing", "a blob of the image is missing", digest)
        if self._digests[name] != value:
            found = f"sha256:{self._digests[name]}"
            raise _bad(self._where, "image.digest", "a blob of the image has another digest", found, digest)
        if descriptor.get("size") != self._sizes[name]:
            raise _bad(
                self._where,
                "image.digest",
                "a blob of the image has another size",
                self._sizes[name],
                descriptor.get("size"),
            )
        return name

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a member."""
        for member in tarstream.members(self._content(), self._where, self._limits.members):
            if member.name == name:
                yield from member.pieces()
                return


def _scan_layer(
    layout: _Layout, layer: dict[str, Any], diff_id: str, where: str, limits: Limits
) -> list[tuple[str, str, str]]:
    """What a layer does to files: (path, kind, digest of an executable or empty), in order."""
    name = layout.blob(layer)
    content = layout.pieces(name)
    if _LAYER_TYPES[layer["mediaType"]]:
        content = gunzip(content, where, limits.image_bytes)
    digest = hashlib.sha256()

    def watched() -> Iterator[bytes]:
        for piece in content:
            digest.update(piece)
            yield piece

    stream = watched()
    found: list[tuple[str, str, str]] = []
    for member in tarstream.members(stream, where, limits.image_files):
        path = posixpath.normpath("/" + member.name)
        if ".." in member.name.split("/"):
            raise _bad(where, "image.path", "a path in a layer leaves the image", member.name)
        executable = member.kind == tarstream.FILE and member.mode & 0o111
        content_digest = hashlib.sha256()
        for piece in member.pieces():
            content_digest.update(piece)
        target = posixpath.normpath("/" + member.link) if member.kind == tarstream.HARD_LINK else ""
        found.append((path, member.kind, content_digest.hexdigest() if executable else target))
    for _ in stream:
        pass
    if f"sha256:{digest.hexdigest()}" != diff_id:
        raise _bad(where, "image.digest", "a layer is not the one of the configuration", digest.hexdigest(), diff_id)
    return found


def _object(document: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    value = document.get(key)
    if not isinstance(value, dict):
        raise _bad(where, "image.json", f"the image has no {key}")
    return value


def _optional(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def _list(document: dict[str, Any], key: str, where: str) -> list[Any]:
    value = document.get(key)
    if not isinstance(value, list):
        raise _bad(where, "image.json", f"the image has no {key}")
    return value


def _get(document: object, key: str) -> object:
    return document.get(key) if isinstance(document, dict) else document


def _bad(where: str, rule: str, message: str, found: object = "", expected: object = "") -> FindingError:
    return fault(rule, CLAUSE, where, message, found, expected).error()
