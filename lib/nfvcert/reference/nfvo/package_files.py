"""Files of an onboarded package as HTTP answers: the archive with ranges, descriptor, manifest, artifacts."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from pathlib import Path

from starlette.responses import Response, StreamingResponse

from nfvcert.drop.package import Package, open_package
from nfvcert.drop.vnfd_archive import pack_vnfd
from nfvcert.reference.common.problem import Problem, not_found

ZIP, TEXT, BYTES = "application/zip", "text/plain", "application/octet-stream"
CHUNK = 1 << 18
_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


def content(path: Path, asked: str | None) -> Response:
    """The archive byte by byte: 200, or 206 for one range of it (RFC 9110 14); 416 if it lies outside."""
    size = path.stat().st_size
    headers = {"Accept-Ranges": "bytes"}
    part = _part(asked, size) if asked else None
    if part is None:
        headers["Content-Length"] = str(size)
        return StreamingResponse(_slice(path, 0, size), 200, headers, ZIP)
    first, last = part
    headers |= {"Content-Length": str(last - first + 1), "Content-Range": f"bytes {first}-{last}/{size}"}
    return StreamingResponse(_slice(path, first, last - first + 1), 206, headers, ZIP)


def descriptor(path: Path, accept: str) -> Response:
    """The VNFD: as text if it is one file and text is accepted, else an archive of all its files (SOL005 9.4.4)."""
    package = open_package(path)
    files = package.definitions()
    if len(files) == 1 and _accepts(accept, TEXT):
        return Response(next(iter(files.values())), media_type=TEXT)
    if not _accepts(accept, ZIP):
        what = "one file" if len(files) == 1 else f"{len(files)} files"
        raise Problem(406, f"the VNFD has {what} and cannot be given as {accept}")
    return Response(pack_vnfd(package), media_type=ZIP)


def manifest(path: Path) -> Response:
    """The manifest as text."""
    package = open_package(path)
    return Response(package.artifact_bytes(package.meta.manifest), media_type=TEXT)


def artifact(path: Path, name: str) -> Response:
    """A file of the package; 404 if there is none of that name."""
    package = open_package(path)
    if name not in package.archive:
        raise not_found("artifact", name)
    return _streamed(package, name)


def _streamed(package: Package, name: str) -> Response:
    media_type = mimetypes.guess_type(name)[0] or BYTES
    headers = {"Content-Length": str(package.archive.size(name))}
    return StreamingResponse(package.artifact_chunks(name), 200, headers, media_type)


def _part(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the range asked for; None if the header is not one that has to be obeyed."""
    match = _RANGE.fullmatch(asked)
    if match is None or not any(match.groups()):
        return None
    begin, end = match.groups()
    if not begin:
        first, last = max(0, size - int(end)), size - 1
    else:
        first, last = int(begin), min(int(end), size - 1) if end else size - 1
        if end and int(end) < first:
            return None
    if first > last:
        raise Problem(416, f"the content has {size} bytes", headers={"Content-Range": f"bytes */{size}"})
    return first, last


def _slice(path: Path, first: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        while length > 0 and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk


def _accepts(accept: str, media_type: str) -> bool:
    """Whether an Accept header admits a media type; an absent one admits all."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    return not kinds or any(kind in (media_type, "*/*", media_type.partition("/")[0] + "/*") for kind in kinds)
