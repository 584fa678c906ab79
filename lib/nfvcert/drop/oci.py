"""OCI images from files, always with the same bytes for the same files (OCI image format 1.0)."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nfvcert.errors import DropError

LAYOUT = "oci-layout"
INDEX = "index.json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"
CAPABILITIES = "org.nfvcert.capabilities"
"""Label with the Linux capabilities that the processes of an image need, separated by commas."""
EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """What goes into an image; ``files`` maps absolute paths in the image to their content, all of them executable."""

    name: str
    files: Mapping[str, bytes]
    entrypoint: Sequence[str]
    capabilities: Sequence[str] = ()
    version: str = ""
    architecture: str = "amd64"


def build_image(spec: ImageSpec, *, created: str = EPOCH) -> bytes:
    """An OCI layout as a tar archive (oci-archive) with one image of one layer.

    Raises:
        DropError: a path is not absolute, or the entry point is not in the image.
    """
    for path in spec.files:
        if not path.startswith("/") or ".." in path.split("/"):
            raise DropError("a path in an image has to be absolute", where=spec.name, found=path)
    if not spec.entrypoint or spec.entrypoint[0] not in spec.files:
        raise DropError("the entry point is not in the image", where=spec.name, found=str(list(spec.entrypoint)))
    layer = _tar({path.lstrip("/"): content for path, content in spec.files.items()}, mode=0o755)
    packed = gzip.compress(layer, compresslevel=9, mtime=0)
    config = {
        "created": created,
        "architecture": spec.architecture,
        "os": "linux",
        "config": {
            "Entrypoint": list(spec.entrypoint),
            "WorkingDir": "/",
            "Labels": {
                "org.opencontainers.image.title": spec.name,
                "org.opencontainers.image.version": spec.version,
                CAPABILITIES: ",".join(spec.capabilities),
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        "history": [{"created": created, "created_by": "nfvcert drop build"}],
    }
    config_data = _json(config)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _descriptor(CONFIG_TYPE, config_data),
        "layers": [_descriptor(f"{LAYER_TYPE}+gzip", packed)],
    }
    manifest_data = _json(manifest)
    entry = {
        **_descriptor(MANIFEST_TYPE, manifest_data),
        "annotations": {REF_NAME: spec.name},
        "platform": {"architecture": spec.architecture, "os": "linux"},
    }
    members = {
        LAYOUT: _json({"imageLayoutVersion": "1.0.0"}),
        INDEX: _json({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}),
    }
    for blob in (config_data, manifest_data, packed):
        members[f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}"] = blob
    return _tar(members, mode=0o644)


def stripped(program: Path) -> bytes:
    """The bytes of a program without symbols; as it is where there is no ``strip`` or the file is no ELF program.

    Raises:
        DropError: the program cannot be read.
    """
    try:
        content = program.read_bytes()
    except OSError as error:
        raise DropError(
            "a program of the image cannot be read",
            where=str(program),
            found=error.strerror or str(error),
            hint="make native",
        ) from error
    tool = shutil.which("strip")
    if tool is None or not content.startswith(b"\x7fELF"):
        return content
    with tempfile.TemporaryDirectory(prefix="nfvcert-strip-") as folder:
        copy = Path(folder) / "program"
        copy.write_bytes(content)
        done = subprocess.run([tool, "--strip-all", str(copy)], capture_output=True, check=False, timeout=60)
        return copy.read_bytes() if done.returncode == 0 else content


def _tar(members: Mapping[str, bytes], mode: int) -> bytes:
    """A tar archive with sorted members, owned by root, without times."""
    directories = {"/".join(name.split("/")[:depth]) for name in members for depth in range(1, name.count("/") + 1)}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted({*members, *directories}):
            info = tarfile.TarInfo(name)
            info.mtime = 0
            if name in members:
                info.size, info.mode = len(members[name]), mode
                archive.addfile(info, io.BytesIO(members[name]))
            else:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
    return buffer.getvalue()


def _descriptor(media_type: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(data), "size": len(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
