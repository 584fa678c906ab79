"""Hostile archives: each is refused with one clear finding, and nothing is ever written."""

from __future__ import annotations

import random
import stat
import struct
import zipfile
import zlib

import pytest
from drop_support import SMALL, central_offsets, raw_info, rules, zipped

from nfvcert.drop.archive import Archive
from nfvcert.drop.findings import FindingError
from nfvcert.drop.limits import Limits
from nfvcert.drop.package import open_package
from nfvcert.errors import DropError


def problems(data: bytes) -> list[str]:
    return rules(Archive(data, limits=SMALL).problems)


def refused(data: bytes) -> str:
    with pytest.raises(FindingError) as caught:
        Archive(data, limits=SMALL)
    return caught.value.finding.rule


def test_sound_members_are_read() -> None:
    archive = Archive(zipped({"a/b.txt": b"hello" * 1000, "c": b"", "d/": b""}))
    assert archive.names == ["a/b.txt", "c"]
    assert archive.read("a/b.txt") == b"hello" * 1000
    assert archive.read("c") == b""
    assert archive.problems == []


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/etc/passwd",
        "a\\b",
        "..\\evil",
        "C:evil",
        "a//b",
        "./a",
        "a/./b",
        "a\x07b",
        "a\u202eb",
        "x" * 600,
        "d/" + "x" * 300,
    ],
)
def test_names_that_leave_or_deceive_are_refused(name: str) -> None:
    data = zipped([(raw_info(name), b"x"), ("good", b"y")])
    assert problems(data) == ["archive.path"]
    with pytest.raises(DropError, match="must not be used"):
        open_package(data)
    assert Archive(data, limits=SMALL).names == ["good"]


def test_nul_in_a_name_does_not_hide_the_rest() -> None:
    data = zipped({"harmless.txt#.sh": b"x"}).replace(b"harmless.txt#.sh", b"harmless.txt\0.sh")
    assert problems(data) == ["archive.path"]


@pytest.mark.parametrize(
    ("mode", "rule"),
    [(stat.S_IFLNK | 0o777, "archive.symlink"), (stat.S_IFIFO, "archive.kind"), (stat.S_IFCHR, "archive.kind")],
)
def test_links_and_devices_are_refused(mode: int, rule: str) -> None:
    assert problems(zipped([(raw_info("Files/link", mode), b"/etc/passwd")])) == [rule]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("other", ["Files/a.txt", "files/A.TXT", "Files/\uff41.txt", "Files/a.txt/"])
def test_members_that_some_file_system_takes_for_one_are_refused(other: str) -> None:
    assert "archive.duplicate" in problems(zipped([("Files/a.txt", b"1"), (raw_info(other), b"")]))


def test_composed_and_decomposed_letters_are_one_name() -> None:
    assert problems(zipped({"\u00e9": b"1", "e\u0301": b"2"})) == ["archive.duplicate"]


def test_a_path_through_a_file_is_refused() -> None:
    assert problems(zipped({"a": b"1", "a/b": b"2"})) == ["archive.duplicate"]


def test_a_bomb_is_refused_by_its_header() -> None:
    assert problems(zipped({"bomb": b"\0" * (1 << 17)})) == ["archive.bomb"]


def test_a_bomb_whose_header_lies_is_stopped_while_it_unpacks() -> None:
    data = bytearray(zipped({"bomb": b"\0" * (1 << 17)}))
    for offset in central_offsets(bytes(data)):
        struct.pack_into("<L", data, offset + 24, 100)
    struct.pack_into("<L", data, 22, 100)
    archive = Archive(bytes(data), limits=SMALL)
    with pytest.raises(DropError, match="larger than its header says"):
        archive.read("bomb")


def test_many_members_that_are_too_large_together_are_refused() -> None:
    noise = random.Random(1).randbytes(1 << 17)
    data = zipped({f"f{i}": noise for i in range(5)})
    assert problems(data) == ["archive.bomb"]


def test_too_many_members_are_refused() -> None:
    assert refused(zipped({f"f{i}": b"" for i in range(65)})) == "archive.members"


def test_too_large_an_archive_is_refused() -> None:
    with pytest.raises(FindingError, match="too large"):
        Archive(zipped({"a": b"1"}), limits=Limits(archive=10))


def test_members_that_share_bytes_are_refused() -> None:
    data = bytearray(zipped({"aa": b"hello", "bb": b"hello"}))
    first, second = central_offsets(bytes(data))
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    data[second + 46 : second + 48] = b"aa"
    assert refused(bytes(data)) == "archive.overlap"


def test_encrypted_members_are_refused() -> None:
    data = bytearray(zipped({"a": b"secret"}))
    data[6] |= 1
    for offset in central_offsets(bytes(data)):
        data[offset + 8] |= 1
    assert problems(bytes(data)) == ["archive.encrypted"]


def test_unknown_compression_is_refused() -> None:
    data = bytearray(zipped({"a": b"text"}))
    struct.pack_into("<H", data, 8, 99)
    for offset in central_offsets(bytes(data)):
        struct.pack_into("<H", data, offset + 10, 99)
    assert problems(bytes(data)) == ["archive.method"]


def test_header_and_directory_have_to_agree_on_the_name() -> None:
    data = bytearray(zipped({"aaaa": b"text"}))
    data[30:34] = b"bbbb"
    assert refused(bytes(data)) == "archive.structure"


def test_every_truncation_is_refused() -> None:
    data = zipped({"a": b"text" * 50, "b": b"more"})
    for length in range(len(data)):
        assert refused(data[:length]) in ("archive.truncated", "archive.format", "archive.structure")


@pytest.mark.parametrize("data", [b"", b"PK", b"no archive at all", b"PK\x05\x06"])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    assert refused(data) == "archive.format"


def test_bytes_after_the_end_are_refused() -> None:
    assert refused(zipped({"a": b"1"}) + b"extra") == "archive.truncated"


def test_bytes_before_the_start_are_refused() -> None:
    assert refused(b"#!/bin/sh\n" + zipped({"a": b"1"})) == "archive.structure"


def test_damage_is_found_while_reading() -> None:
    data = bytearray(zipped({"a": random.Random(1).randbytes(500)}))
    data[40] ^= 0xFF
    with pytest.raises(DropError, match="damaged"):
        Archive(bytes(data)).read("a")


def test_a_compressed_file_with_data_after_its_end_is_refused() -> None:
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(b"visible") + packed.flush() + b"hidden"
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, zlib.crc32(b"visible"), len(body), 7, 1, 0) + b"a"
    central = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, zlib.crc32(b"visible"), len(body), 7, 1, 0, 0, 0, 0, 0, 0
    )
    directory = central + b"a"
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), len(local) + len(body), 0)
    with pytest.raises(DropError, match="follow the end"):
        Archive(local + body + directory + end).read("a")


def test_zip64_archives_are_read() -> None:
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(b"text")
    assert Archive(buffer.getvalue()).read("a") == b"text"


def test_streamed_archives_with_data_descriptors_are_read() -> None:
    import io

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
        archive.writestr("a", b"text" * 100)
        archive.writestr("b", b"more")
    assert Archive(pipe.data).read("a") == b"text" * 100


def test_all_problems_are_told_not_only_the_first() -> None:
    data = zipped([(raw_info("../a"), b""), (raw_info("l", stat.S_IFLNK), b"x"), (raw_info("/b"), b"")])
    found = Archive(data).problems
    assert [finding.rule for finding in found] == ["archive.path", "archive.symlink", "archive.path"]


def test_a_missing_file_says_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DropError, match="cannot be read"):
        open_package(tmp_path / "none.csar")
