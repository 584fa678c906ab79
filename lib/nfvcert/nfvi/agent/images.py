"""Images: verified blob by blob against the manifest, then unpacked once by umoci."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from nfvcert.nfvi.agent.models import Image, ImageSpec
from nfvcert.nfvi.agent.refusal import NotFound, Refusal
from nfvcert.nfvi.process import spawn

REF_NAME = "org.opencontainers.image.ref.name"
INDEX_TYPES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}
DOCUMENT_LIMIT = 4 * 1024 * 1024
"""Largest index, manifest or configuration that is read into memory."""
OWN_TAG = "image"
RECORD = "image.json"


class Layout(Protocol):
    """An OCI image layout, wherever it lies."""

    def open(self, name: str) -> IO[bytes]:
        """A file of the layout by its relative name; raises KeyError or FileNotFoundError."""


class DirectoryLayout:
    """A layout in a directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")


class ArchiveLayout:
    """A layout in a tar archive, read in place: nothing of it is ever extracted under a name it chooses."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self.archive = archive
        self.members = {member.name.removeprefix("./"): member for member in archive.getmembers() if member.isreg()}

    def open(self, name: str) -> IO[bytes]:
        found = self.archive.extractfile(self.members[name])
        assert found is not None
        return found


@dataclass(frozen=True)
class Unpacked:
    """An image ready to run."""

    image: Image
    rootfs: Path
    process: dict[str, Any]


class ImageStore:
    """The images of one host, below one directory, found by the id they were put under or by manifest digest."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        self._images: dict[str, Unpacked] = {}
        self._restore()

    def put(self, identifier: str, spec: ImageSpec) -> Image:
        """Verify and unpack; harmless when the host has it already.

        Raises:
            Refusal: not an image layout, digests that do not match, another architecture.
        """
        expected = spec.digest or (identifier if identifier.startswith("sha256:") else None)
        with self._lock, _open_layout(spec.path) as layout:
            descriptor, manifest = _select(layout, spec, expected)
            digest = descriptor["digest"]
            known = self._images.get(digest)
            if known is None:
                known = self._unpack(layout, descriptor, manifest, spec.path)
                self._images[digest] = known
            image = known.image.model_copy(update={"id": identifier})
            self._images[identifier] = Unpacked(image, known.rootfs, known.process)
            self._remember(known)
            return image

    def get(self, identifier: str) -> Unpacked:
        """The image, or :class:`NotFound`."""
        found = self._images.get(identifier)
        if found is None:
            raise NotFound("this host does not have the image", where=identifier, hint="put it first")
        return found

    def list(self) -> list[Image]:
        """All images by the ids they were put under."""
        return [entry.image for key, entry in sorted(self._images.items()) if key == entry.image.id]

    def _remember(self, unpacked: Unpacked) -> None:
        """Write down what an agent started later has to know of an image; absent while it is being unpacked."""
        digest = unpacked.image.digest
        names = sorted(key for key, entry in self._images.items() if entry.image.digest == digest)
        record = {"image": unpacked.image.model_dump(), "process": unpacked.process, "names": names}
        place = unpacked.rootfs.parent.parent / RECORD
        fresh = place.with_suffix(".tmp")
        fresh.write_text(json.dumps(record))
        fresh.replace(place)

    def _restore(self) -> None:
        for place in sorted(self.directory.glob(f"*/{RECORD}")):
            record = json.loads(place.read_text())
            for name in record["names"]:
                image = Image.model_validate(record["image"] | {"id": name})
                self._images[name] = Unpacked(image, place.parent / "bundle" / "rootfs", record["process"])

    def _unpack(self, layout: Layout, descriptor: dict[str, Any], manifest: dict[str, Any], source: Path) -> Unpacked:
        place = self.directory / descriptor["digest"].removeprefix("sha256:")
        shutil.rmtree(place, ignore_errors=True)
        own = place / "layout"
        (own / "blobs" / "sha256").mkdir(parents=True)
        size = 0
        for blob in (descriptor, manifest["config"], *manifest["layers"]):
            size += _copy_blob(layout, blob, own, source)
        config = json.loads((own / _blob_name(manifest["config"])).read_bytes())
        _check_platform(config, source)
        (own / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        entry = {key: descriptor[key] for key in ("mediaType", "digest", "size")}
        entry["annotations"] = {REF_NAME: OWN_TAG}
        (own / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        bundle = place / "bundle"
        _umoci_unpack(own, bundle, place / "umoci.log")
        process = json.loads((bundle / "config.json").read_text())["process"]
        image = Image(
            id=descriptor["digest"],
            digest=descriptor["digest"],
            architecture=config["architecture"],
            os=config["os"],
            size=size,
            args=process.get("args") or [],
        )
        shutil.rmtree(own)
        return Unpacked(image, bundle / "rootfs", process)


@contextmanager
def _open_layout(path: Path) -> Iterator[Layout]:
    try:
        if path.is_dir():
            yield DirectoryLayout(path)
        else:
            with tarfile.open(path, "r:*") as archive:
                yield ArchiveLayout(archive)
    except (FileNotFoundError, KeyError, tarfile.TarError, json.JSONDecodeError) as error:
        raise Refusal(
            "this is not an OCI image layout", where=str(path), found=f"{type(error).__name__}: {error}"
        ) from error


def _select(layout: Layout, spec: ImageSpec, expected: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Descriptor and manifest of the wanted image; a nested index is searched for this machine's architecture."""
    where = str(spec.path)
    with layout.open("index.json") as file:
        index = json.loads(file.read(DOCUMENT_LIMIT))
    candidates = index.get("manifests", [])
    if spec.tag is not None:
        candidates = [entry for entry in candidates if entry.get("annotations", {}).get(REF_NAME) == spec.tag]
    elif expected is not None and any(entry["digest"] == expected for entry in candidates):
        candidates = [entry for entry in candidates if entry["digest"] == expected]
    if len(candidates) != 1:
        tags = [entry.get("annotations", {}).get(REF_NAME, "no tag") for entry in index.get("manifests", [])]
        raise Refusal(f"{len(candidates)} images match", where=where, found=", ".join(tags), hint="name one by its tag")
    descriptor = candidates[0]
    if descriptor.get("mediaType") in INDEX_TYPES:
        inner = _document(layout, descriptor, where)
        own = [entry for entry in inner.get("manifests", []) if _platform_of(entry) == ("linux", _architecture())]
        if not own:
            found = ", ".join("/".join(_platform_of(entry)) for entry in inner.get("manifests", []))
            raise _wrong_platform(where, found)
        descriptor = own[0]
    if expected is not None and descriptor["digest"] != expected:
        raise Refusal(
            "the manifest digest is not the expected one",
            where=where,
            found=descriptor["digest"],
            hint=f"is {expected} meant?",
        )
    return descriptor, _document(layout, descriptor, where)


def _document(layout: Layout, descriptor: dict[str, Any], where: str) -> dict[str, Any]:
    """A JSON blob, verified."""
    with layout.open(_blob_name(descriptor)) as file:
        data = file.read(DOCUMENT_LIMIT + 1)
    if len(data) > DOCUMENT_LIMIT:
        raise Refusal("a document of the image is too large", where=where, found=f"more than {DOCUMENT_LIMIT} bytes")
    _check_digest(descriptor, f"sha256:{hashlib.sha256(data).hexdigest()}", len(data), where)
    document = json.loads(data)
    if not isinstance(document, dict):
        raise Refusal("a document of the image is not an object", where=f"{where}: {descriptor['digest']}")
    return document


def _copy_blob(layout: Layout, descriptor: dict[str, Any], target: Path, source: Path) -> int:
    """Copy a blob while hashing it, so that what is used is what was verified. Answers its size."""
    digest, size = hashlib.sha256(), 0
    with layout.open(_blob_name(descriptor)) as file, (target / _blob_name(descriptor)).open("wb") as copy:
        while chunk := file.read(1 << 20):
            size += len(chunk)
            if size > int(descriptor["size"]):
                break
            digest.update(chunk)
            copy.write(chunk)
    _check_digest(descriptor, f"sha256:{digest.hexdigest()}", size, str(source))
    return size


def _check_digest(descriptor: dict[str, Any], found: str, size: int, where: str) -> None:
    if size != descriptor["size"]:
        raise Refusal(
            "the size of a blob is not that of its descriptor",
            where=f"{where}: {descriptor['digest']}",
            found=f"{size}",
        )
    if found != descriptor["digest"]:
        raise Refusal("a blob does not match its digest", where=f"{where}: {descriptor['digest']}", found=found)


def _blob_name(descriptor: dict[str, Any]) -> str:
    algorithm, _, value = str(descriptor.get("digest", "")).partition(":")
    if algorithm != "sha256" or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise Refusal("a descriptor has no usable digest", found=str(descriptor.get("digest")), hint="sha256 is needed")
    return f"blobs/sha256/{value}"


def _platform_of(entry: dict[str, Any]) -> tuple[str, str]:
    found = entry.get("platform", {})
    return found.get("os", "?"), found.get("architecture", "?")


def _architecture() -> str:
    return ARCHITECTURES.get(platform.machine(), platform.machine())


def _check_platform(config: dict[str, Any], source: Path) -> None:
    found = (config.get("os"), config.get("architecture"))
    if found != ("linux", _architecture()):
        raise _wrong_platform(str(source), f"{found[0]}/{found[1]}")


def _wrong_platform(where: str, found: str) -> Refusal:
    return Refusal(
        "the image is made for another platform",
        where=where,
        found=found,
        hint=f"this host runs linux/{_architecture()}",
    )


def _umoci_unpack(layout: Path, bundle: Path, log: Path) -> None:
    child = spawn(["umoci", "unpack", "--image", f"{layout}:{OWN_TAG}", bundle], log=log)
    try:
        status = child.wait(120)
    except subprocess.TimeoutExpired:
        status = child.terminate(0)
    if status != 0:
        raise Refusal("umoci cannot unpack the image", where=str(layout), found=child.log_tail(3))
