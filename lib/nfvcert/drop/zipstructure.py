"""The structure of a ZIP archive, read strictly: what two readers could understand differently is refused.

Layout after the .ZIP file format specification (APPNOTE 4.3). Only the structure is read here, no member data.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from nfvcert.drop.findings import FindingError, fault
from nfvcert.drop.limits import Limits

CLAUSE = "SOL004 4.1 (ZIP archive)"
STORED, DEFLATED = 0, 8
ENCRYPTED, DATA_DESCRIPTOR, STRONG_ENCRYPTION, UTF8, MASKED = 1, 1 << 3, 1 << 6, 1 << 11, 1 << 13

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_UNSET32, _UNSET16 = 0xFFFFFFFF, 0xFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One member as the central directory describes it; ``data`` is the offset of its first compressed byte."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    header: int
    data: int
    mode: int

    @property
    def end(self) -> int:
        """Offset after the last compressed byte."""
        return self.data + self.compressed


def read_entries(file: BinaryIO, where: str, limits: Limits) -> list[Entry]:
    """All members in order of the central directory.

    Raises:
        FindingError: no ZIP archive, truncated, too large, or headers that contradict each other.
    """
    length = file.seek(0, os.SEEK_END)
    if length > limits.archive:
        raise _bad(where, "archive.size", "the archive is too large", f"{length} bytes", f"at most {limits.archive}")
    count, size, offset, directory_end = _find_directory(file, length, where)
    if count > limits.members:
        raise _bad(where, "archive.members", "the archive has too many members", count, f"at most {limits.members}")
    if size > limits.directory:
        raise _bad(where, "archive.members", "the archive's directory is too large", f"{size} bytes")
    if offset + size != directory_end:
        raise _bad(
            where,
            "archive.structure",
            "the directory does not lie where the archive says",
            f"{offset} + {size}",
            f"an end at {directory_end}",
        )
    file.seek(offset)
    directory = file.read(size)
    entries: list[Entry] = []
    position = 0
    for _ in range(count):
        entry, position = _central_entry(file, directory, position, offset, where)
        entries.append(entry)
    if position != len(directory):
        raise _bad(
            where,
            "archive.structure",
            "the directory holds more than its members",
            f"{len(directory) - position} bytes",
        )
    _check_overlap(entries, offset, where)
    return entries


def _find_directory(file: BinaryIO, length: int, where: str) -> tuple[int, int, int, int]:
    """Number of members, size and offset of the central directory, and where it has to end."""
    tail_length = min(length, _END.size + 0xFFFF)
    file.seek(length - tail_length)
    tail = file.read(tail_length)
    position = tail.rfind(b"PK\x05\x06")
    while position >= 0:
        if position + _END.size <= len(tail):
            fields = _END.unpack_from(tail, position)
            if position + _END.size + fields[7] == len(tail):
                break
        position = tail.rfind(b"PK\x05\x06", 0, position)
    else:
        start = b"" if length < 4 else _at(file, 0, 4)
        what = "the ZIP archive is truncated or has data after its end" if start == b"PK\x03\x04" else "no ZIP archive"
        raise _bad(where, "archive.truncated" if start == b"PK\x03\x04" else "archive.format", what, f"{length} bytes")
    _, disk, directory_disk, here, count, size, offset, _ = fields
    end = length - tail_length + position
    if _UNSET16 in (here, count) or _UNSET32 in (size, offset):
        locator = end - _END64_LOCATOR.size
        found = _END64_LOCATOR.unpack(_at(file, locator, _END64_LOCATOR.size)) if locator >= 0 else (b"", 0, 0, 0)
        if found[0] == b"PK\x06\x07":
            return _find_directory64(file, found[2], locator, where)
    if disk or directory_disk or here != count:
        raise _bad(where, "archive.structure", "the archive is spread over several files")
    return count, size, offset, end


def _find_directory64(file: BinaryIO, record: int, locator: int, where: str) -> tuple[int, int, int, int]:
    if record + _END64.size > locator:
        raise _bad(where, "archive.structure", "the ZIP64 end record does not lie before its locator", record)
    fields = _END64.unpack(_at(file, record, _END64.size))
    if fields[0] != b"PK\x06\x06" or record + 12 + fields[1] != locator:
        raise _bad(where, "archive.structure", "the ZIP64 end record is malformed")
    if fields[4] or fields[5] or fields[6] != fields[7]:
        raise _bad(where, "archive.structure", "the archive is spread over several files")
    return fields[7], fields[8], fields[9], record


def _central_entry(
    file: BinaryIO, directory: bytes, position: int, directory_offset: int, where: str
) -> tuple[Entry, int]:
    if position + _CENTRAL.size > len(directory):
        raise _bad(where, "archive.truncated", "the directory of the archive is truncated")
    (signature, made_by, _, flags, method, _, _, crc, compressed, size, name_length, extra_length, comment_length) = (
        _CENTRAL.unpack_from(directory, position)[:13]
    )
    disk, _, attributes, header = _CENTRAL.unpack_from(directory, position)[13:]
    name_at = position + _CENTRAL.size
    extra_at = name_at + name_length
    after = extra_at + extra_length + comment_length
    if signature != b"PK\x01\x02" or after > len(directory):
        raise _bad(where, "archive.structure", "the directory of the archive is malformed", f"at byte {position}")
    name = directory[name_at:extra_at]
    size, compressed, header = _zip64(
        directory[extra_at : extra_at + extra_length], size, compressed, header, f"{where}!{_label(name)}"
    )
    if disk not in (0, _UNSET16):
        raise _bad(where, "archive.structure", "the archive is spread over several files")
    mode = attributes >> 16 if made_by >> 8 in (3, 19) else 0
    data = _check_local(file, header, directory_offset, (name, flags, method, crc, compressed, size), where)
    return Entry(name, flags, method, crc, compressed, size, header, data, mode), after


def _zip64(extra: bytes, size: int, compressed: int, header: int, where: str) -> tuple[int, int, int]:
    """Sizes and offset with the 64-bit values of the extra field where the short ones are unset."""
    values = {"size": size, "compressed": compressed, "header": header}
    wanted = [key for key in ("size", "compressed", "header") if values[key] == _UNSET32]
    position = 0
    while wanted and position + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, position)
        if kind == 1:
            if length < 8 * len(wanted) or position + 4 + 8 * len(wanted) > len(extra):
                raise _bad(where, "archive.structure", "the ZIP64 field is too short")
            numbers = struct.unpack_from(f"<{len(wanted)}Q", extra, position + 4)
            values.update(zip(wanted, numbers, strict=True))
            break
        position += 4 + length
    return values["size"], values["compressed"], values["header"]


def _check_local(
    file: BinaryIO, header: int, directory_offset: int, central: tuple[bytes, int, int, int, int, int], where: str
) -> int:
    """Offset of the member's data; the local header has to say what the directory says."""
    name, flags, method, crc, compressed, size = central
    place = f"{where}!{_label(name)}"
    if header + _LOCAL.size > directory_offset:
        raise _bad(place, "archive.structure", "the member's header lies outside the archive", header)
    fields = _LOCAL.unpack(_at(file, header, _LOCAL.size))
    signature, _, local_flags, local_method, _, _, local_crc, local_compressed, local_size, names, extras = fields
    if signature != b"PK\x03\x04":
        raise _bad(place, "archive.structure", "there is no member where the directory says", f"at byte {header}")
    local_name = _at(file, header + _LOCAL.size, names)
    if (local_name, local_method, local_flags & ENCRYPTED) != (name, method, flags & ENCRYPTED):
        raise _bad(place, "archive.structure", "the member's header contradicts the directory", _label(local_name))
    given = (local_crc, local_compressed, local_size)
    expected = (crc, compressed, size)
    for mine, theirs in zip(given, expected, strict=True):
        if mine != theirs and not (local_flags & DATA_DESCRIPTOR and mine == 0) and mine != _UNSET32:
            raise _bad(place, "archive.structure", "the member's sizes contradict the directory", given, expected)
    data = header + _LOCAL.size + names + extras
    if data + compressed > directory_offset:
        raise _bad(place, "archive.truncated", "the member's data reach beyond the archive")
    return data


def _check_overlap(entries: list[Entry], directory_offset: int, where: str) -> None:
    """Members that share bytes make a small archive large."""
    ordered = sorted(entries, key=lambda entry: entry.header)
    previous = 0
    for entry in ordered:
        if entry.header < previous:
            place = f"{where}!{_label(entry.raw_name)}"
            raise _bad(place, "archive.overlap", "the member shares bytes with another", f"at byte {entry.header}")
        previous = entry.end
    if previous > directory_offset:
        raise _bad(where, "archive.overlap", "members reach into the directory")


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise _bad("", "archive.truncated", "the archive is truncated", f"at byte {offset}")
    return data


def _label(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _bad(where: str, rule: str, message: str, found: object = "", expected: object = "") -> FindingError:
    return fault(rule, CLAUSE, where, message, found, expected).error()
