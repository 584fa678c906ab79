"""Work and memory stay within bounds whatever a package claims."""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from drop_support import SMALL, rules, zipped

from nfvcert.drop import edits
from nfvcert.drop.archive import Archive
from nfvcert.drop.derive import derive
from nfvcert.drop.layers import Executables
from nfvcert.drop.manifest import parse_manifest
from nfvcert.drop.package import Package, open_package
from nfvcert.drop.signature import SignatureProblem, verify
from nfvcert.drop.tarstream import FILE
from nfvcert.errors import DropError

MIB = 1 << 20


def test_a_large_member_is_hashed_in_small_pieces() -> None:
    data = zipped({"large": bytes(64 * MIB)})
    archive = Archive(data, limits=replace(SMALL, member=64 * MIB, total=64 * MIB, ratio=2000))
    tracemalloc.start()
    try:
        archive.digest("large")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * MIB


def test_a_large_member_is_not_read_as_a_document() -> None:
    data = zipped({"TOSCA-Metadata/TOSCA.meta": random.Random(1).randbytes(SMALL.document + 1)})
    with pytest.raises(DropError, match="too large"):
        _ = Package(Archive(data, limits=SMALL)).meta


def test_the_name_of_a_cached_image_is_not_chosen_by_the_package(candidate: Path, tmp_path: Path) -> None:
    package = open_package(candidate)
    checksum = package.vnfd.images["worker-2.0.0"].checksum
    edit = edits.replace_text("Definitions/components.yaml", checksum, "../../../../../escaped")
    variant = open_package(derive(candidate, tmp_path / "x.csar", edit))
    with pytest.raises(DropError, match="no sha-256 digest"):
        variant.extract_image("worker-2.0.0", tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_lines_of_blanks_do_not_slow_the_reader_down() -> None:
    text = b"metadata:\n  a: " + b" " * 500_000 + b"x\nSource" + b" " * 500_000 + b"x\n"
    assert parse_manifest(text, "m.mf").findings
    with pytest.raises(SignatureProblem):
        verify(b"", b"-----BEGIN CMS-----\n" + b" \n" * 100_000 + b"x")


def test_many_files_and_whiteouts_take_linear_time() -> None:
    executables = Executables()
    executables.lay([(f"/bin/{i}", FILE, "digest") for i in range(50_000)])
    executables.lay([(f"/bin/.wh.{i}", FILE, "") for i in range(49_990)])
    executables.lay([(f"/etc/{i}", FILE, "") for i in range(50_000)])
    assert len(executables.files()) == 10


def test_many_vdus_with_one_image_read_it_once(candidate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = open_package(candidate)
    package.image("worker-2.0.0")
    monkeypatch.setattr(package.archive, "chunks", lambda name: pytest.fail(f"{name} was read again"))
    package.image("worker-2.0.0")


def test_a_damaged_certificate_in_the_package_is_a_finding(candidate: Path, tmp_path: Path) -> None:
    from nfvcert.drop.package_check import verify_package

    name = "Files/Certificates/signing.cert.pem"
    out = derive(candidate, tmp_path / "x.csar", edits.put(name, b"none"), edits.stale_manifest())
    assert rules(verify_package(open_package(out))) == ["manifest.hash", "signature.certificate"]
