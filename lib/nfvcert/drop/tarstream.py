"""A TAR archive read once from front to back with bounded memory (POSIX ustar, pax paths, GNU long names)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nfvcert.drop.findings import FindingError, fault

CLAUSE = "POSIX.1 pax (tar)"
BLOCK = 512
EXTENSION_LIMIT = 64 * 1024
"""Largest extended header in bytes."""
LONGEST_NAME = 4096
FILE, HARD_LINK, SYMBOLIC_LINK, DIRECTORY = "file", "hard link", "symbolic link", "directory"
_KINDS = {b"0": FILE, b"\0": FILE, b"7": FILE, b"1": HARD_LINK, b"2": SYMBOLIC_LINK, b"5": DIRECTORY}
_PAX = re.compile(rb"([1-9][0-9]{0,6}) ")


class Feed:
    """Pieces of a stream, taken in the sizes that a reader wants."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def take(self, most: int) -> bytes:
        """At least one and at most ``most`` bytes; empty only at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece
        taken, self._rest = self._rest[:most], self._rest[most:]
        return taken

    def exactly(self, length: int, where: str) -> bytes:
        """Exactly ``length`` bytes.

        Raises:
            FindingError: the stream ends before.
        """
        parts = list(self.pieces(length, where))
        return b"".join(parts)

    def pieces(self, length: int, where: str) -> Iterator[bytes]:
        """Exactly ``length`` bytes in pieces."""
        while length:
            piece = self.take(min(length, 1 << 16))
            if not piece:
                raise fault("tar.truncated", CLAUSE, where, "the tar archive is truncated").error()
            length -= len(piece)
            yield piece


@dataclass(slots=True)
class TarMember:
    """A member; :meth:`pieces` may be used once, before the next member is asked for."""

    name: str
    kind: str
    mode: int
    size: int
    link: str
    _feed: Feed
    _where: str
    _left: int

    def pieces(self) -> Iterator[bytes]:
        """The content in pieces."""
        while self._left:
            piece = self._feed.take(min(self._left, 1 << 16))
            if not piece:
                raise fault("tar.truncated", CLAUSE, self._where, "the tar archive is truncated").error()
            self._left -= len(piece)
            yield piece


def members(pieces: Iterator[bytes], where: str, limit: int) -> Iterator[TarMember]:
    """The members in order; names are as written, without a leading ``./``.

    Raises:
        FindingError: no tar archive, truncated, damaged, or more than ``limit`` members.
    """
    feed = Feed(pieces)
    path = link = ""
    count = 0
    while True:
        header = feed.take(BLOCK)
        if not header:
            return
        if len(header) < BLOCK:
            header += feed.exactly(BLOCK - len(header), where)
        if not header.strip(b"\0"):
            return
        count += 1
        if count > limit:
            raise _bad(where, "tar.members", "the tar archive has too many members", count)
        if _number(header[148:156], where) != sum(header[:148]) + 8 * 0x20 + sum(header[156:]):
            raise _bad(where, "tar.damaged", "a header of the tar archive is damaged, or this is no tar archive")
        size, kind = _number(header[124:136], where), header[156:157]
        if kind in (b"x", b"g", b"L", b"K"):
            if size > EXTENSION_LIMIT:
                raise _bad(where, "tar.header", "an extended header is too large", f"{size} bytes")
            data = feed.exactly(size, where)
            feed.exactly(-size % BLOCK, where)
            if kind == b"x":
                records = _pax(data, where)
                path, link = records.get("path", path), records.get("linkpath", link)
                if "size" in records or any(key.startswith("GNU.sparse") for key in records):
                    raise _bad(where, "tar.header", "sparse or oversized members are not supported")
            elif kind == b"L":
                path = _text(data, where)
            elif kind == b"K":
                link = _text(data, where)
            continue
        name = path or _ustar_name(header, where)
        if len(name) > LONGEST_NAME or len(link) > LONGEST_NAME:
            raise _bad(where, "tar.name", "a name in the tar archive is too long", f"{len(name)} characters")
        has_data = kind not in (b"1", b"2", b"3", b"4", b"5", b"6")
        member = TarMember(
            name=name.removeprefix("./"),
            kind=_KINDS.get(kind, f"type {kind!r}"),
            mode=_number(header[100:108], where),
            size=size if has_data else 0,
            link=link or _text(header[157:257], where),
            _feed=feed,
            _where=where,
            _left=size if has_data else 0,
        )
        path = link = ""
        yield member
        for _ in member.pieces():
            pass
        feed.exactly(-member.size % BLOCK, where)


def _ustar_name(header: bytes, where: str) -> str:
    name = _text(header[:100], where)
    if header[257:263] == b"ustar\0":
        prefix = _text(header[345:500], where)
        return f"{prefix}/{name}" if prefix else name
    return name


def _number(data: bytes, where: str) -> int:
    """An octal number, or the base-256 form of GNU tar."""
    if data[0] == 0x80:
        return int.from_bytes(data[1:], "big")
    text = data.strip(b" \0")
    if not text:
        return 0
    if not set(text) <= set(b"01234567"):
        raise _bad(where, "tar.damaged", "a header of the tar archive is damaged, or this is no tar archive")
    return int(text, 8)


def _text(data: bytes, where: str) -> str:
    try:
        return data.split(b"\0", 1)[0].decode("utf-8")
    except UnicodeDecodeError:
        raise _bad(where, "tar.name", "a name in the tar archive is not UTF-8") from None


def _pax(data: bytes, where: str) -> dict[str, str]:
    records: dict[str, str] = {}
    position = 0
    while position < len(data):
        match = _PAX.match(data, position)
        end = position + int(match.group(1)) if match else 0
        if match is None or end > len(data) or end <= match.end() or data[end - 1 : end] != b"\n":
            raise _bad(where, "tar.damaged", "an extended header of the tar archive is damaged")
        key, equals, value = data[match.end() : end - 1].partition(b"=")
        if (equals and key in (b"path", b"linkpath", b"size")) or key.startswith(b"GNU.sparse"):
            records[_text(key, where)] = _text(value, where)
        position = end
    return records


def _bad(where: str, rule: str, message: str, found: object = "") -> FindingError:
    return fault(rule, CLAUSE, where, message, found).error()
