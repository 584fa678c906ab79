"""A ZIP archive from a stranger, read in place: nothing is ever extracted under a name that it chooses."""

from __future__ import annotations

import hashlib
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from nfvcert.drop.findings import Finding, FindingError, fault
from nfvcert.drop.limits import DEFAULT, Limits
from nfvcert.drop.names import identity, name_problem
from nfvcert.drop.zipstructure import (
    CLAUSE,
    DEFLATED,
    ENCRYPTED,
    MASKED,
    STORED,
    STRONG_ENCRYPTION,
    UTF8,
    Entry,
    read_entries,
)

CHUNK = 1 << 16


class Archive:
    """The members of a ZIP archive.

    ``problems`` holds what is wrong with single members; an archive with problems must not be used, but the members
    that are sound can still be looked at so that everything wrong is said at once.

    Raises:
        FindingError: the archive as a whole cannot be read.
    """

    def __init__(self, source: Path | bytes, *, name: str = "", limits: Limits = DEFAULT) -> None:
        self._source = source
        self.limits = limits
        self.name = name or (source.name if isinstance(source, Path) else "archive")
        with self._open() as file:
            entries = read_entries(file, self.name, limits)
        self.problems: list[Finding] = []
        self._entries: dict[str, Entry] = {}
        self._take(entries)

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def names(self) -> list[str]:
        """Names of all usable files, sorted."""
        return sorted(self._entries)

    def size(self, name: str) -> int:
        """Uncompressed size of a file in bytes."""
        return self._entry(name).size

    def read(self, name: str, limit: int | None = None) -> bytes:
        """A whole file.

        Raises:
            FindingError: there is no such file, it is damaged, or larger than ``limit`` bytes.
        """
        most = self.limits.artifact if limit is None else limit
        if self.size(name) > most:
            raise self._fault(
                name, "archive.size", "the file is too large", f"{self.size(name)} bytes", f"at most {most}"
            )
        return b"".join(self.chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of a file in pieces of bounded size; its length and CRC are checked on the way.

        Raises:
            FindingError: there is no such file, or its data are not what its header says.
        """
        entry = self._entry(name)
        produced, crc = 0, 0
        with self._open() as file:
            for piece in _inflate(file, entry):
                produced += len(piece)
                if produced > entry.size:
                    raise self._fault(
                        name, "archive.bomb", "the file is larger than its header says", f"> {entry.size}"
                    )
                crc = zlib.crc32(piece, crc)
                yield piece
        if produced != entry.size or crc != entry.crc:
            raise self._fault(name, "archive.damaged", "the file is damaged: length or CRC differ from its header")

    def digest(self, name: str, algorithm: str = "sha256") -> str:
        """Digest of a file in lower-case hex."""
        result = hashlib.new(algorithm)
        for piece in self.chunks(name):
            result.update(piece)
        return result.hexdigest()

    @cached_property
    def sha256(self) -> str:
        """Digest of the archive itself."""
        with self._open() as file:
            result = hashlib.sha256()
            while piece := file.read(CHUNK):
                result.update(piece)
            return result.hexdigest()

    def raise_problems(self) -> None:
        """Refuse an archive that has members it must not have."""
        if self.problems:
            raise self.problems[0].error()

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        if isinstance(self._source, bytes):
            yield io.BytesIO(self._source)
            return
        try:
            file = self._source.open("rb")
        except OSError as failure:
            reason = failure.strerror or str(failure)
            raise fault(
                "archive.unreadable", "", str(self._source), "the archive cannot be read", reason
            ).error() from None
        with file:
            yield file

    def _entry(self, name: str) -> Entry:
        found = self._entries.get(name)
        if found is None:
            raise self._fault(name, "archive.missing", "the file is not in the archive")
        return found

    def _fault(self, name: str, rule: str, message: str, found: object = "", expected: object = "") -> FindingError:
        return fault(rule, CLAUSE, name, message, found, expected).error()

    def _take(self, entries: list[Entry]) -> None:
        seen: dict[str, str] = {}
        directories: set[str] = set()
        total = 0
        for entry in entries:
            label = entry.raw_name.decode("utf-8", "backslashreplace")
            try:
                name = self._checked_name(entry, label)
                same = identity(name)
                if same in seen:
                    raise self._fault(label, "archive.duplicate", "two members have the same name", seen[same])
                seen[same] = name
                self._check_kind(entry, name)
            except FindingError as error:
                self.problems.append(error.finding)
                continue
            total += entry.size
            if name.endswith("/"):
                directories.add(same)
            else:
                self._entries[name] = entry
        if total > self.limits.total:
            self.problems.append(
                fault("archive.bomb", CLAUSE, self.name, "the archive unpacks to too much", f"{total} bytes")
            )
        files = {identity(name): name for name in self._entries}
        for name in self._entries:
            parts = identity(name).split("/")
            inside = next((p for i in range(1, len(parts)) if (p := "/".join(parts[:i])) in files), None)
            if inside is not None:
                self.problems.append(
                    fault("archive.duplicate", CLAUSE, name, "the path goes through a file", files[inside])
                )

    def _checked_name(self, entry: Entry, label: str) -> str:
        try:
            name = entry.raw_name.decode("utf-8" if entry.flags & UTF8 else "ascii")
        except UnicodeDecodeError:
            raise self._fault(label, "archive.name", "the name is neither ASCII nor marked UTF-8") from None
        problem = name_problem(name, self.limits.name)
        if problem is not None:
            raise self._fault(label, "archive.path", f"the member must not be used: {problem}")
        return name

    def _check_kind(self, entry: Entry, name: str) -> None:
        if entry.flags & (ENCRYPTED | STRONG_ENCRYPTION | MASKED):
            raise self._fault(name, "archive.encrypted", "the member is encrypted")
        kind = stat.S_IFMT(entry.mode)
        if kind == stat.S_IFLNK:
            raise self._fault(name, "archive.symlink", "the member is a symbolic link")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self._fault(name, "archive.kind", "the member is neither file nor directory", oct(kind))
        if (name.endswith("/") and (entry.size or kind == stat.S_IFREG)) or (
            kind == stat.S_IFDIR and not name.endswith("/")
        ):
            raise self._fault(name, "archive.kind", "the member is a file and a directory at once")
        if entry.method not in (STORED, DEFLATED):
            raise self._fault(name, "archive.method", "unknown compression", entry.method, "stored or deflated")
        if entry.method == STORED and entry.size != entry.compressed:
            raise self._fault(name, "archive.structure", "a stored member has two sizes", entry.compressed, entry.size)
        if entry.size > self.limits.member:
            raise self._fault(name, "archive.size", "the member is too large", f"{entry.size} bytes")
        if entry.size > self.limits.ratio_floor and entry.size > self.limits.ratio * max(entry.compressed, 1):
            found = f"{entry.size} bytes from {entry.compressed}"
            raise self._fault(
                name, "archive.bomb", "the member expands too much", found, f"at most {self.limits.ratio}:1"
            )


def _inflate(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """Uncompressed pieces of at most ``CHUNK`` bytes."""
    label = entry.raw_name.decode("utf-8", "backslashreplace")
    file.seek(entry.data)
    left = entry.compressed
    inflater = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == DEFLATED else None
    pending = b""
    while left or pending:
        if not pending:
            pending = file.read(min(CHUNK, left))
            if not pending:
                raise fault("archive.truncated", CLAUSE, label, "the archive is truncated").error()
            left -= len(pending)
        if inflater is None:
            yield pending
            pending = b""
            continue
        try:
            piece = inflater.decompress(pending, CHUNK)
        except zlib.error as error:
            raise fault("archive.damaged", CLAUSE, label, "the file is damaged", error).error() from None
        pending = inflater.unconsumed_tail
        if piece:
            yield piece
        if inflater.eof:
            if left or inflater.unused_data:
                raise fault("archive.damaged", CLAUSE, label, "data follow the end of the compressed file").error()
            return
    if inflater is not None and not inflater.eof:
        # Output that the window still holds, then the end of the stream, or damage.
        while piece := _flush(inflater, label):
            yield piece
        if not inflater.eof:
            raise fault("archive.damaged", CLAUSE, label, "the compressed file has no end").error()


def _flush(inflater: zlib._Decompress, label: str) -> bytes:
    try:
        return inflater.decompress(b"", CHUNK)
    except zlib.error as error:
        raise fault("archive.damaged", CLAUSE, label, "the file is damaged", error).error() from None
