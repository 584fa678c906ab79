"""Any damage to a valid package is a finding: no crash, nothing written, bounded work."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest
from drop_support import SMALL, raw_info, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from nfvcert.drop.archive import Archive
from nfvcert.drop.declaration import Declaration, parse_declaration
from nfvcert.drop.findings import Finding, finding_of
from nfvcert.drop.inspect import inspect
from nfvcert.drop.manifest import parse_manifest
from nfvcert.drop.metadata import parse_metadata
from nfvcert.drop.metadata_check import check_metadata, check_own_metadata
from nfvcert.drop.names import name_problem
from nfvcert.drop.oci_read import read_image
from nfvcert.drop.package import Package, open_package
from nfvcert.drop.package_check import check_package
from nfvcert.drop.signature import SignatureProblem, verify
from nfvcert.drop.vnfd_read import read_vnfd
from nfvcert.drop.yamltree import parse_yaml
from nfvcert.errors import DropError

EXAMPLES = int(os.environ.get("NFVCERT_EXAMPLES", "0"))
"""More examples, chosen at random, for a long run; by default few and always the same ones."""
RUN = settings(max_examples=EXAMPLES or 120, derandomize=not EXAMPLES, database=None)
damage = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "repeat", "zero"]),
        st.integers(0, 1 << 20),
        st.binary(min_size=1, max_size=64),
    ),
    min_size=1,
    max_size=6,
)
words = st.sampled_from(
    [
        "",
        "~",
        "[]",
        "{}",
        "-1",
        "1e999",
        "0x",
        "[[[[",
        "*a",
        "&a [*a]",
        "!!binary x",
        "\x00",
        "\u202e",
        "../..",
        "a: b",
        "|",
        "- -",
    ]
)


def damaged(data: bytes, steps: list[tuple[str, int, bytes]]) -> bytes:
    out = bytearray(data)
    for kind, position, noise in steps:
        at = position % (len(out) + 1)
        if kind == "flip" and out:
            for index, byte in enumerate(noise):
                out[(at + index) % len(out)] ^= byte
        elif kind == "cut":
            del out[at : at + len(noise) * 8]
        elif kind == "insert":
            out[at:at] = noise
        elif kind == "repeat":
            out[at:at] = out[at : at + 200]
        elif kind == "zero":
            out[at : at + len(noise)] = bytes(min(len(noise), max(len(out) - at, 0)))
    return bytes(out)


def everything(data: bytes) -> list[Finding]:
    """Every accessor of a package; what it raises has to be a DropError."""
    try:
        package = Package(Archive(data, name="p.csar", limits=SMALL))
    except DropError as error:
        return [finding_of(error)]
    findings = [*check_package(package, None, "amd64"), *check_own_metadata(package)]
    for use in (
        lambda: package.vnfd,
        lambda: package.metadata,
        lambda: package.images,
        lambda: package.artifacts(),
        lambda: package.definitions(),
        lambda: package.vnfd_id,
        lambda: check_metadata(package, package),
    ):
        try:
            use()
        except DropError:
            pass
    return findings


class Sample(bytes):
    """Bytes that do not fill the screen when an example fails."""

    def __repr__(self) -> str:
        return "<sample>"


@pytest.fixture(scope="module")
def small(candidate: Path) -> bytes:
    """The candidate as bytes."""
    return Sample(candidate.read_bytes())


@pytest.fixture(autouse=True)
def nothing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Readers of packages open no file for writing and make none."""
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.parent.iterdir())
    yield
    assert list(tmp_path.iterdir()) == []
    assert set(tmp_path.parent.iterdir()) == before


@RUN
@given(steps=damage)
def test_any_damage_to_the_archive_is_a_finding(small: bytes, steps: list[tuple[str, int, bytes]]) -> None:
    data = damaged(small, steps)
    if data != small:
        everything(data)
        try:
            open_package(data, limits=SMALL)
        except DropError as error:
            assert "\n" not in error.message


@RUN
@given(data=st.data(), steps=damage)
def test_any_damage_to_a_member_is_a_finding(
    small: bytes, data: st.DataObject, steps: list[tuple[str, int, bytes]]
) -> None:
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(members)))
    changed = damaged(members[name], steps)
    if changed == members[name]:
        return
    members[name] = changed
    findings = everything(zipped(members))
    assert findings, f"a change of {name} went unnoticed"


@RUN
@given(data=st.data(), word=words)
def test_any_change_of_a_line_of_yaml_is_survived(small: bytes, data: st.DataObject, word: str) -> None:
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(n for n in members if n.endswith(".yaml"))))
    lines = members[name].decode().splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    key, colon, _ = lines[index].partition(":")
    lines[index] = f"{key}{colon} {word}"
    members[name] = "\n".join(lines).encode()
    everything(zipped(members))


@RUN
@given(names=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5, unique=True))
def test_whatever_a_member_is_called_it_is_safe_or_refused(names: list[str]) -> None:
    try:
        data = zipped([(raw_info(name), b"x") for name in names])
    except (UnicodeEncodeError, ValueError):
        return
    archive = Archive(data, limits=SMALL)
    for name in archive.names:
        assert name_problem(name, SMALL.name) is None
        assert not Path(name).is_absolute() and ".." not in Path(name).parts
    assert len(archive.names) + len(archive.problems) >= len({name for name in names if not name.endswith("/")}) - 1


@RUN
@given(data=st.binary(max_size=400))
def test_noise_is_never_more_than_a_finding(data: bytes) -> None:
    everything(data)
    parse_manifest(data, "m.mf")
    parse_metadata(data, "m.yaml", SMALL)
    parse_declaration(data, "d.yaml", Declaration, SMALL)
    read_vnfd(lambda _: data, lambda _: True, "v.yaml", SMALL)
    for read in (lambda: parse_yaml(data, "y.yaml", SMALL), lambda: read_image(lambda: iter([data]), "i.tar", SMALL)):
        try:
            read()
        except DropError:
            pass


@RUN
@given(steps=damage)
def test_any_damage_to_an_image_is_survived(candidate: Path, steps: list[tuple[str, int, bytes]]) -> None:
    image = open_package(candidate).artifact_bytes("Files/Images/worker-2.0.0.tar")
    data = damaged(image, steps)
    try:
        read_image(lambda: iter([data]), "image.tar", SMALL)
    except DropError:
        pass


@RUN
@given(steps=damage)
def test_any_damage_to_a_signature_is_refused_or_harmless(small: bytes, steps: list[tuple[str, int, bytes]]) -> None:
    manifest = open_package(small).manifest
    assert manifest.signature is not None
    signer = verify(manifest.signed, manifest.signature).signer
    try:
        found = verify(manifest.signed, damaged(manifest.signature, steps)).signer
    except SignatureProblem:
        return
    assert found.public_key() == signer.public_key()


@RUN
@given(text=st.text(alphabet="ab:-[]{}&*!|>#'\"\n 01~<", max_size=120))
def test_text_that_looks_like_yaml_is_read_or_refused(text: str) -> None:
    try:
        node = parse_yaml(text.encode(), "t.yaml", SMALL)
    except DropError:
        return
    assert node.weight <= SMALL.nodes
    node.plain()


def test_inspecting_a_package_on_disk_leaves_nothing_beside_it(candidate: Path) -> None:
    before = set(candidate.parent.iterdir())
    assert inspect(candidate, architecture="amd64", limits=SMALL) == []
    assert set(candidate.parent.iterdir()) == before
