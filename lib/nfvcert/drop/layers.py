"""Layers of an image: unpacked with bounded memory, laid over each other (OCI image layer specification)."""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Iterator
from typing import Any

from nfvcert.drop import tarstream
from nfvcert.drop.findings import FindingError, fault

CLAUSE = "OCI image format 1.0"


class Executables:
    """The executables of an image as a tree of names, so that each change costs no more than its path is long."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}

    def lay(self, layer: list[tuple[str, str, str]]) -> None:
        """Put a layer over the executables below it; whiteouts remove them."""
        for path, kind, value in layer:
            folder, base = posixpath.split(path)
            if base == ".wh..wh..opq":
                self._set(folder, None)
            elif base.startswith(".wh."):
                self._set(posixpath.join(folder, base.removeprefix(".wh.")), None)
            elif kind == tarstream.FILE and value:
                self._set(path, value)
            elif kind == tarstream.HARD_LINK:
                self._set(path, self._get(value))
            elif kind != tarstream.DIRECTORY:
                self._set(path, None)

    def files(self) -> dict[str, str]:
        """Absolute path to digest, sorted."""
        found: dict[str, str] = {}
        left = [("", self._root)]
        while left:
            prefix, folder = left.pop()
            for name, value in folder.items():
                if isinstance(value, dict):
                    left.append((f"{prefix}/{name}", value))
                else:
                    found[f"{prefix}/{name}"] = value
        return dict(sorted(found.items()))

    def _get(self, path: str) -> str | None:
        node: Any = self._root
        for name in path.strip("/").split("/"):
            node = node.get(name) if isinstance(node, dict) else None
        return node if isinstance(node, str) else None

    def _set(self, path: str, value: str | None) -> None:
        *folders, base = path.strip("/").split("/")
        node = self._root
        for name in folders:
            child = node.get(name)
            if not isinstance(child, dict):
                if value is None:
                    return
                child = node[name] = {}
            node = child
        if not base:
            node.clear()
        elif value is None:
            node.pop(base, None)
        else:
            node[base] = value


def gunzip(pieces: Iterator[bytes], where: str, limit: int) -> Iterator[bytes]:
    """Uncompressed pieces of bounded size; several gzip members may follow each other.

    Raises:
        FindingError: damaged, truncated, or more than ``limit`` bytes.
    """
    produced = 0
    inflater = zlib.decompressobj(wbits=31)
    for packed in pieces:
        pending = packed
        while pending:
            if inflater.eof:
                inflater = zlib.decompressobj(wbits=31)
            try:
                piece = inflater.decompress(pending, 1 << 16)
            except zlib.error as error:
                raise _bad(where, "image.layer", "a layer is damaged", error) from None
            pending = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            produced += len(piece)
            if produced > limit:
                raise _bad(where, "image.bomb", "a layer unpacks to too much", f"> {limit} bytes")
            if piece:
                yield piece
    while not inflater.eof:
        try:
            piece = inflater.decompress(b"", 1 << 16)
        except zlib.error as error:
            raise _bad(where, "image.layer", "a layer is damaged", error) from None
        if not piece:
            raise _bad(where, "image.layer", "a layer is truncated")
        produced += len(piece)
        if produced > limit:
            raise _bad(where, "image.bomb", "a layer unpacks to too much", f"> {limit} bytes")
        yield piece


def _bad(where: str, rule: str, message: str, found: object = "") -> FindingError:
    return fault(rule, CLAUSE, where, message, found).error()
