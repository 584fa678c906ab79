"""The data that ship with nfvcert."""

from collections import Counter
from pathlib import Path

import pytest

from nfvcert.catalogue import Catalogue, check, load
from nfvcert.catalogue.coverage import NUMBERED
from nfvcert.catalogue.loader import reason_for
from nfvcert.catalogue.model import Binding


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def test_all_29_requirements_of_rel006_are_there(catalogue: Catalogue) -> None:
    counted = [r for r in catalogue.requirements if r.counted]
    assert len(counted) == 29
    assert Counter(".".join(r.id.split(".")[:2]) for r in counted) == Counter(NUMBERED)
    assert {r.document for r in counted} == {"ETSI GS NFV-REL 006 V3.1.1"}


def test_every_family_of_the_sources_is_there(catalogue: Catalogue) -> None:
    families = Counter(r.family for r in catalogue.requirements)
    assert families == {
        "VNF": 14, "MANO": 4, "NFVLM": 10, "GEN": 5, "TST001": 12, "MA": 7, "RR": 13, "POL": 7, "ELA": 9,
    }  # fmt: skip


def test_every_requirement_has_purposes_and_defects(catalogue: Catalogue) -> None:
    for requirement in catalogue.requirements:
        assert requirement.purposes, requirement.id
        assert requirement.defects, requirement.id
        for purpose in requirement.purposes:
            assert purpose.requirement == requirement.id
            assert purpose.then, purpose.id
            assert purpose.measures, purpose.id


def test_structure_has_no_loose_end(catalogue: Catalogue, tmp_path: Path) -> None:
    structural = [p for p in check(catalogue, tmp_path, set()) if "suite" not in p.what and "defect has" not in p.what]
    assert [p for p in structural if "checker" not in p.what] == []


def test_a_purpose_without_a_test_says_why(catalogue: Catalogue) -> None:
    for purpose in catalogue.purposes:
        assert (purpose.status == "tested") == (purpose.test is not None)
        assert bool(purpose.not_tested_reason) == (purpose.test is None), purpose.id


def test_the_load_sharing_purpose_and_its_defects(catalogue: Catalogue) -> None:
    assert catalogue.purpose("TP.VNF.01.6").workloads == ["sharing"]
    assert "TP.VNF.01.6" in catalogue.defect("DEF.VNF.01.b").caught_by
    assert catalogue.defect("DEF.VNF.08.i").reason == "state jumped at the move"


def test_policy_parameters_have_defaults(catalogue: Catalogue) -> None:
    assert catalogue.parameter("stateful_loss") == 0
    assert catalogue.parameter("steps") == [10, 30, 100]


def test_guards_are_found(catalogue: Catalogue) -> None:
    assert any("forwarded packets" in guard for guard in catalogue.purpose("TP.VNF.01.6").guards)


def test_reason_of_the_longest_prefix_wins() -> None:
    reasons = {"TP.VNF": "family", "TP.VNF.02": "requirement", "TP.VNF.02.1": "purpose"}
    assert reason_for("TP.VNF.02.1", reasons) == "purpose"
    assert reason_for("TP.VNF.02.12", reasons) == "requirement"
    assert reason_for("TP.VNF.03.1", reasons) == "family"
    assert reason_for("TP.GEN.03.1", reasons) == "no test in this edition"


def test_only_scenarios_of_a_purpose_are_repeated() -> None:
    with pytest.raises(ValueError, match="only scenarios of the purpose can be repeated, found ma-idle"):
        Binding(scenarios=["ma-plain"], repeated=["ma-plain", "ma-idle"])
