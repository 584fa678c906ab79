"""Names of archive members: which are safe, and which two are one file on some file system."""

from __future__ import annotations

import posixpath
import unicodedata

SEGMENT = 255
"""Longest part of a path in bytes that common file systems keep."""


def name_problem(name: str, limit: int) -> str | None:
    """Why a relative path with forward slashes must not be used, or None when it may.

    A trailing slash (a directory) is allowed. ``limit`` bounds the length in bytes of UTF-8.
    """
    if not name or name == "/":
        return "the name is empty"
    try:
        length = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        return "the name is no Unicode text"
    if length > limit:
        return f"the name is longer than {limit} bytes"
    if "\\" in name:
        return "the name has a backslash"
    if name.startswith("/"):
        return "the path is absolute"
    if len(name) > 1 and name[1] == ":":
        return "the path has a drive letter"
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in name):
        return "the name has a control or formatting character"
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        return "the path leaves the archive"
    if "." in parts or "" in parts:
        return "the path has an empty or '.' segment"
    if any(len(part.encode("utf-8")) > SEGMENT for part in parts):
        return f"a segment is longer than {SEGMENT} bytes"
    return None


def identity(name: str) -> str:
    """What two names share when some file system takes them for one: case and Unicode form do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name.removesuffix("/")).casefold())


def resolve(base: str, reference: str) -> str | None:
    """A reference made in member ``base`` as a member name, or None when it leaves the archive."""
    if not reference or reference.startswith("/") or "\\" in reference or ":" in reference:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(base), reference))
    return None if path == ".." or path.startswith("../") or path == "." else path
