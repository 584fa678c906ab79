"""Building, reading and inspecting a drop as a whole."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from drop_support import KEYS, SAMPLE, rules, zipped

from nfvcert.drop import edits
from nfvcert.drop.build import build_drop
from nfvcert.drop.derive import derive, derive_drop
from nfvcert.drop.findings import render_findings
from nfvcert.drop.inspect import inspect
from nfvcert.drop.package import open_package
from nfvcert.drop.read import read_drop
from nfvcert.drop.signature import Signing
from nfvcert.drop.trust import Trust
from nfvcert.drop.variants import VARIANTS, make_variant
from nfvcert.errors import DropError

AMD64 = "amd64"


def test_a_build_gives_the_same_bytes(sample: Path, tmp_path: Path, binaries: Callable[[str], Path]) -> None:
    again = build_drop(SAMPLE, tmp_path / "again", binaries=binaries, architecture=AMD64)
    names = sorted(path.relative_to(sample) for path in sample.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())
    assert all((sample / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_the_sample_is_without_fault(sample: Path, trust: Trust) -> None:
    assert inspect(sample, architecture=AMD64) == []
    assert inspect(sample / "drop.yaml", trust=trust, architecture=AMD64) == []
    assert inspect(sample / "edge-gateway-2.0.0.csar", trust=trust, architecture=AMD64) == []


def test_a_drop_is_what_it_declares(sample: Path) -> None:
    drop = read_drop(sample)
    assert (drop.id, drop.product, drop.workload) == ("edge-gateway", "edge-gateway", "sharing")
    assert "traffic_decider" in drop.features
    assert drop.policy_parameters["observe"] == 3
    assert drop.in_service.vnfd.software_version == "1.0.0"
    assert drop.candidate.vnfd.software_version == "2.0.0"
    assert drop.traffic is not None and str(drop.traffic.gateway.address) == "198.18.0.1"
    assert drop.trust.certificates and drop.nsd is not None and drop.nsd.is_file()
    assert len(drop.sha256) == 64
    assert drop.in_service.metadata is None


def test_the_versions_differ_where_they_should(sample: Path) -> None:
    drop = read_drop(sample)
    old = {image.name: image for image in drop.in_service.images}
    new = {image.name: image for image in drop.candidate.images}
    assert old["lb-1.0.0"].digest == new["lb-1.0.0"].digest
    assert old["worker-1.0.0"].executables() != new["worker-2.0.0"].executables()


def test_an_image_is_extracted_once_and_by_digest(candidate: Path, tmp_path: Path) -> None:
    package = open_package(candidate)
    path = package.extract_image("worker-2.0.0", tmp_path)
    assert path.name == f"sha256-{package.vnfd.images['worker-2.0.0'].checksum}.tar"
    assert package.extract_image("worker-2.0.0", tmp_path) == path
    assert list(tmp_path.iterdir()) == [path]


def test_a_drop_may_be_an_archive(sample: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "drop.zip", "w") as archive:
        for path in sample.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(sample).as_posix())
    drop = read_drop(tmp_path / "drop.zip")
    assert drop.sha256 == read_drop(sample).sha256
    assert inspect(tmp_path / "drop.zip", architecture=AMD64) == []
    folder = drop.path
    del drop
    assert not folder.exists()


def test_a_hostile_archive_of_a_drop_writes_nothing(tmp_path: Path) -> None:
    from drop_support import raw_info

    path = tmp_path / "drop.zip"
    path.write_bytes(zipped([("drop.yaml", b"drop: {}"), (raw_info("../../escaped"), b"x")]))
    with pytest.raises(DropError, match="leaves the archive"):
        read_drop(path)
    assert rules(inspect(path)) == ["archive.path"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("drop: {}", "is missing"),
        ("nothing: 1", "no mapping 'drop'"),
        ("drop: [", "not valid YAML"),
        ("", "empty"),
    ],
)
def test_broken_declarations_are_told_with_their_line(tmp_path: Path, text: str, part: str) -> None:
    (tmp_path / "drop.yaml").write_text(text)
    with pytest.raises(DropError, match=part):
        read_drop(tmp_path)
    assert inspect(tmp_path)


def test_unknown_keys_and_features_name_the_nearest(sample: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(sample, tmp_path / "copy")
    text = (copy / "drop.yaml").read_text().replace("workload:", "worklod:").replace("- rollback", "- rolback")
    (copy / "drop.yaml").write_text(text)
    found = {f.found: f.expected for f in inspect(copy)}
    assert found["worklod"] == "workload" and found["rolback"] == "rollback"


@pytest.mark.parametrize("value", ["../edge.csar", "/etc/passwd", "a\\b"])
def test_packages_outside_the_drop_are_refused(sample: Path, tmp_path: Path, value: str) -> None:
    copy = shutil.copytree(sample, tmp_path / "copy")
    text = (copy / "drop.yaml").read_text().replace("edge-gateway-2.0.0.csar", value)
    (copy / "drop.yaml").write_text(text)
    with pytest.raises(DropError):
        read_drop(copy)


def test_a_link_out_of_the_drop_is_refused(sample: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(sample, tmp_path / "copy")
    (copy / "edge-gateway-2.0.0.csar").unlink()
    (copy / "edge-gateway-2.0.0.csar").symlink_to(sample / "edge-gateway-2.0.0.csar")
    with pytest.raises(DropError, match="leaves the drop"):
        read_drop(copy)


def test_the_source_of_a_sample_is_no_drop() -> None:
    with pytest.raises(DropError, match="nfvcert drop build"):
        read_drop(SAMPLE)


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(DropError):
            read_drop(path)
        assert len(inspect(path)) == 1


def test_an_image_for_another_machine_is_told(tmp_path: Path, sample: Path) -> None:
    assert rules(inspect(sample, architecture="arm64")) == ["image.architecture"]


def test_a_changed_image_is_told(candidate: Path, tmp_path: Path, vendor: Signing, trust: Trust) -> None:
    image = open_package(candidate).artifact_bytes("Files/Images/worker-2.0.0.tar")
    edit = edits.put("Files/Images/worker-2.0.0.tar", image[:-1] + b"\1")
    out = derive(candidate, tmp_path / "x.csar", edit, signing=vendor)
    assert rules(inspect(out, trust=trust, architecture=AMD64)) == ["image.checksum"]
    with pytest.raises(DropError, match="checksum"):
        open_package(out).image("worker-2.0.0")
    with pytest.raises(DropError, match="checksum"):
        open_package(out).extract_image("worker-2.0.0", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_an_image_may_get_another_program(candidate: Path, tmp_path: Path, vendor: Signing, trust: Trust) -> None:
    edit = edits.replace_program("worker-2.0.0", "/worker", b"another program")
    out = derive(candidate, tmp_path / "x.csar", edit, signing=vendor)
    assert inspect(out, trust=trust, architecture=AMD64) == []
    assert open_package(out).image("worker-2.0.0").digest != open_package(candidate).image("worker-2.0.0").digest


def test_a_drop_with_one_package_changed(sample: Path, tmp_path: Path, vendor: Signing) -> None:
    out = derive_drop(sample, tmp_path / "out", edits.dangling_image(), signing=vendor)
    assert rules(inspect(out, architecture=AMD64)) == ["metadata.dangling_image"]


EXPECTED = {
    "no_metadata": [],
    "flipped_metadata": ["manifest.hash"],
    "unknown_signer": ["signature.untrusted"],
    "unsigned": ["signature.missing"],
    "new_other_base": [],
    "one_new_vnfc": [],
    "two_steps": [],
    "unlisted_metadata": ["manifest.unlisted"],
    "dangling_image": ["metadata.dangling_image"],
    "declares_update": [],
}


@pytest.mark.parametrize("name", VARIANTS)
def test_each_variant_differs_in_what_it_says_and_nothing_else(
    name: str, candidate: Path, tmp_path: Path, vendor: Signing, stranger: Signing, trust: Trust
) -> None:
    out = make_variant(name, candidate, tmp_path / "x.csar", vendor=vendor, stranger=stranger)
    again = make_variant(name, candidate, tmp_path / "y.csar", vendor=vendor, stranger=stranger)
    assert out.read_bytes() == again.read_bytes()
    assert rules(inspect(out, trust=trust, architecture=AMD64)) == EXPECTED[name]
    own = open_package(out).vnfd_id != open_package(candidate).vnfd_id
    assert own is VARIANTS[name].own_id


def test_an_unknown_variant_names_the_known(candidate: Path, tmp_path: Path) -> None:
    with pytest.raises(DropError, match="two_steps"):
        make_variant("three_steps", candidate, tmp_path / "x.csar", vendor=None)


def test_findings_are_rendered_for_people(sample: Path) -> None:
    text = render_findings(inspect(sample, architecture="arm64"), title="edge-gateway")
    assert text.startswith("edge-gateway\nerror   edge-gateway-1.0.0.csar!Files/Images/lb-1.0.0.tar: ")
    assert "found     linux/amd64\n        expected  linux/arm64\n" in text
    assert text.endswith("4 errors, 0 warnings\n")
    assert render_findings([]) == "nothing wrong found\n"


def test_foreign_text_cannot_steer_a_terminal(tmp_path: Path) -> None:
    from drop_support import raw_info

    path = tmp_path / "x.csar"
    path.write_bytes(zipped([(raw_info("a\x1b[2Jb"), b"")]))
    assert "\x1b" not in render_findings(inspect(path))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (("images: {lb: lb-1.0.0", "images: {lb: lb-9"), "not described"),
        (("layers: [common, 1.0.0]", "layers: [common, 9.9.9]"), "missing"),
        (("keys/vendor-TEST-ONLY.key.pem", "keys/none.pem"), "cannot be read"),
        (("workload: sharing", "workload: none"), "workload"),
        (("vnfd_id: 0d6a4c8e", "vnfd_id: 0d6a4c8z"), "not sound"),
    ],
)
def test_sources_that_make_no_drop_say_why(
    tmp_path: Path, binaries: Callable[[str], Path], change: tuple[str, str], part: str
) -> None:
    copy = shutil.copytree(SAMPLE, tmp_path / "drops" / "sample")
    shutil.copytree(KEYS, tmp_path / "drops" / "keys")
    shutil.copytree(SAMPLE.parents[1] / "workloads" / "edge-gateway", tmp_path / "workloads" / "edge-gateway")
    text = (copy / "drop.yaml").read_text()
    assert change[0] in text
    (copy / "drop.yaml").write_text(text.replace(*change))
    with pytest.raises(DropError, match=part):
        build_drop(copy, tmp_path / "out", binaries=binaries, architecture=AMD64)


def test_a_template_with_an_unknown_value_has_a_line(tmp_path: Path, binaries: Callable[[str], Path]) -> None:
    copy = shutil.copytree(SAMPLE, tmp_path / "drops" / "sample")
    shutil.copytree(KEYS, tmp_path / "drops" / "keys")
    shutil.copytree(SAMPLE.parents[1] / "workloads" / "edge-gateway", tmp_path / "workloads" / "edge-gateway")
    path = copy / "1.0.0" / "Definitions" / "edge-gateway.yaml"
    path.write_text(path.read_text().replace("@{product}", "@{produkt}"))
    with pytest.raises(DropError, match=r"edge-gateway\.yaml:\d+: the template names an unknown value; found: produkt"):
        build_drop(copy, tmp_path / "out", binaries=binaries, architecture=AMD64)
