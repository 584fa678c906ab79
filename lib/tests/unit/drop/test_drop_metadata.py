"""Software modification metadata: every field that the declared type needs, and nothing that dangles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from drop_support import rules

from nfvcert.drop import edits
from nfvcert.drop.derive import Edit, derive
from nfvcert.drop.findings import Finding, Severity
from nfvcert.drop.metadata_check import check_metadata, check_own_metadata
from nfvcert.drop.package import open_package
from nfvcert.errors import DropError


def checked(candidate: Path, in_service: Path, folder: Path, *changes: Edit) -> list[Finding]:
    variant = derive(candidate, folder / "variant.csar", *changes)
    return check_metadata(open_package(variant), open_package(in_service))


def test_the_sample_has_all_fields(candidate: Path, in_service: Path) -> None:
    assert check_metadata(open_package(candidate), open_package(in_service)) == []


def test_policies_are_chosen_by_name_and_never_replaced(candidate: Path) -> None:
    metadata = open_package(candidate).metadata
    assert metadata is not None
    assert metadata.policy()[0] == "staged"
    assert metadata.policy("frugal")[1].steps == (50, 100)
    assert metadata.policy("staged")[1].additional_resources.vnfcs == 2
    with pytest.raises(KeyError):
        metadata.policy("Staged")


@pytest.mark.parametrize(
    "location",
    [
        "type",
        "vnf",
        "vnf.vnfd_id",
        "source",
        "source.software_version",
        "destination.vnfd_id",
        "policies",
        "default_policy",
        "policies.frugal.additional_resources",
        "policies.frugal.additional_resources.storage_gib",
        "policies.staged.method",
        "images.0.source",
    ],
)
def test_absence_is_told_with_a_line(candidate: Path, in_service: Path, tmp_path: Path, location: str) -> None:
    findings = checked(candidate, in_service, tmp_path, edits.drop_metadata(location))
    assert rules(findings) == ["metadata.missing"]
    assert location.rsplit(".", 1)[-1] in findings[0].message
    assert findings[0].where.startswith("Files/software-modification.yaml:")


@pytest.mark.parametrize(
    ("location", "value", "rule"),
    [
        ("type", "refit", "metadata.invalid"),
        ("default_policy", "other", "metadata.invalid"),
        ("policies", {}, "metadata.invalid"),
        ("policies.staged.steps", [30, 10, 100], "metadata.invalid"),
        ("policies.staged.steps", [10, 30], "metadata.invalid"),
        ("policies.staged.steps", [], "metadata.invalid"),
        ("policies.staged.steps", "all", "metadata.invalid"),
        ("policies.staged.additional_resources.vcpus", -1, "metadata.invalid"),
        ("policies.staged.drain.remaining", "kill", "metadata.invalid"),
        ("sources", [], "metadata.unknown"),
        ("vnf.provider", "somebody else", "metadata.identity"),
        ("vnf.vnfd_id", "x", "metadata.identity"),
        ("destination.software_version", "2.0.1", "metadata.identity"),
        ("source.vnfd_id", "x", "metadata.source"),
        ("source.software_version", "0.9", "metadata.source"),
        ("images.0.destination", "worker-9", "metadata.dangling_image"),
        ("images.0.source", "worker-9", "metadata.dangling_image"),
        ("images.0.vdu", "engine", "metadata.dangling_image"),
        ("images.0.source", "lb-1.0.0", "metadata.dangling_image"),
    ],
)
def test_wrong_values_are_told(
    candidate: Path, in_service: Path, tmp_path: Path, location: str, value: Any, rule: str
) -> None:
    assert rule in rules(checked(candidate, in_service, tmp_path, edits.set_metadata(location, value)))


def test_an_image_that_differs_needs_a_pair(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    pair = [{"vdu": "lb", "source": "lb-1.0.0", "destination": "lb-1.0.0"}]
    findings = checked(candidate, in_service, tmp_path, edits.set_metadata("images", pair))
    assert rules(findings) == ["metadata.unpaired_image"]
    assert "worker" in findings[0].message


def test_a_component_upgrade_names_images(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    findings = checked(candidate, in_service, tmp_path, edits.set_metadata("images", []))
    assert rules(findings) == ["metadata.missing", "metadata.unpaired_image"]


def test_an_update_names_files_that_are_there(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    update = [edits.declare_type("update"), edits.set_metadata("images", [])]
    assert "metadata.missing" in rules(checked(candidate, in_service, tmp_path, *update))
    files = [{"path": "Files/none.sh"}, {"path": "Artifacts/ChangeLog.txt"}]
    findings = checked(candidate, in_service, tmp_path, *update, edits.set_metadata("files", files))
    assert [f.found for f in findings if f.rule == "metadata.dangling_file"] == ["Files/none.sh"]
    assert rules(findings, Severity.WARNING) == ["metadata.update_with_image"]


def test_several_faults_are_told_together(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    changes = [
        edits.set_metadata("source.vnfd_id", "x"),
        edits.dangling_image(),
        edits.set_metadata("vnf.product", "y"),
    ]
    assert rules(checked(candidate, in_service, tmp_path, *changes)) == [
        "metadata.dangling_image", "metadata.identity", "metadata.source",
    ]  # fmt: skip


def test_no_metadata_is_one_clear_finding(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    findings = checked(candidate, in_service, tmp_path, edits.remove_metadata())
    assert rules(findings) == ["metadata.absent"]
    assert open_package(tmp_path / "variant.csar").metadata is None


def test_a_package_of_another_base_does_not_fit(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    findings = checked(candidate, in_service, tmp_path, edits.other_base())
    assert rules(findings) == ["metadata.package_change", "metadata.source"]


def test_metadata_that_are_named_but_missing(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    edit = edits.remove("Files/software-modification.yaml")
    assert rules(checked(candidate, in_service, tmp_path, edit)) == ["metadata.absent"]
    with pytest.raises(DropError):
        _ = open_package(tmp_path / "variant.csar").metadata


def test_a_package_alone_is_judged_by_what_it_says_of_itself(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    assert check_own_metadata(open_package(candidate)) == []
    assert check_own_metadata(open_package(in_service)) == []
    changes = [
        edits.set_metadata("source.vnfd_id", "x"),
        edits.dangling_image(),
        edits.set_metadata("vnf.product", "y"),
    ]
    variant = open_package(derive(candidate, tmp_path / "x.csar", *changes))
    assert rules(check_own_metadata(variant)) == ["metadata.dangling_image", "metadata.identity"]


def test_an_upgrade_of_the_whole_vnf_needs_no_pairs(candidate: Path, in_service: Path, tmp_path: Path) -> None:
    changes = [edits.declare_type("vnf_upgrade"), edits.set_metadata("images", [])]
    assert checked(candidate, in_service, tmp_path, *changes) == []
    assert rules(
        checked(candidate, in_service, tmp_path, edits.declare_type("vnf_upgrade"), edits.dangling_image())
    ) == ["metadata.dangling_image"]
