"""Helpers of the tests of the room drop."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from nfvcert.drop.findings import Finding, Severity
from nfvcert.drop.limits import Limits

ROOT = Path(__file__).parents[4]
SAMPLE = ROOT / "fixtures" / "drops" / "edge-gateway"
KEYS = ROOT / "fixtures" / "drops" / "keys"
SMALL = Limits(
    archive=1 << 20, members=64, directory=1 << 16, member=1 << 18, total=1 << 19, ratio=50, ratio_floor=1 << 12,
    document=1 << 16, artifact=1 << 18, nodes=20_000, imports=8, image_files=100, image_bytes=1 << 18,
    image_document=1 << 14,
)  # fmt: skip
"""Limits small enough to be reached quickly and large enough for the sample."""


def fake_binaries(folder: Path) -> Callable[[str], Path]:
    """Programs that are small files, different for each name."""

    def binary(name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_bytes(b"#! not a program: " + name.encode() + b"\n")
        return path

    return binary


def rules(findings: Iterable[Finding], severity: Severity = Severity.ERROR) -> list[str]:
    """The rules broken, sorted."""
    return sorted({finding.rule for finding in findings if finding.severity is severity})


def zipped(members: Mapping[str, bytes] | list[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    """An archive with these members, whatever their names."""
    buffer = io.BytesIO()
    pairs = list(members.items()) if isinstance(members, Mapping) else members
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in pairs:
            if isinstance(name, zipfile.ZipInfo):
                name.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(name, data)
    return buffer.getvalue()


def raw_info(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    """A member whose name zipfile does not tidy up."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def tarred(members: list[tuple[tarfile.TarInfo | str, bytes]], format: int = tarfile.USTAR_FORMAT) -> bytes:
    """A tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, data in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def central_offsets(data: bytes) -> list[int]:
    """Where the entries of the central directory begin."""
    end = data.rfind(b"PK\x05\x06")
    count, _, offset = struct.unpack_from("<HLL", data, end + 10)
    found = []
    for _ in range(count):
        found.append(offset)
        names, extras, comments = struct.unpack_from("<HHH", data, offset + 28)
        offset += 46 + names + extras + comments
    return found
