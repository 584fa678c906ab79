"""The coverage check, on a small repository made for it."""

from pathlib import Path

import pytest

from nfvcert.catalogue import Catalogue, Problem, check, discover, load, matrix, render
from nfvcert.catalogue.model import Purpose, TestReference
from nfvcert.catalogue.nonconformities import canonical, undeclared
from nfvcert.catalogue.suites import tests_in as names_in

ROBOT = """*** Settings ***
Documentation    x

*** Test Cases ***
Completed Means Gone
    [Tags]    TP.VNF.01.2
    Log    hello

*** Keywords ***
Not A Test
    No Operation
"""
DEFECT = (
    'COMPONENT = "vnfm"\nPURPOSE = "TP.VNF.01.2"\nREASON = "old VNFC alive after COMPLETED"\n\n\nclass Behaviour: ...\n'
)


def bound(test: TestReference | None, checker: str | None) -> Catalogue:
    catalogue = load()
    changed = []
    for requirement in catalogue.requirements:
        purposes: list[Purpose] = []
        for purpose in requirement.purposes:
            mine = purpose.id == "TP.VNF.01.2"
            purposes.append(
                purpose.model_copy(update={"test": test if mine else None, "checker": checker if mine else None})
            )
        changed.append(requirement.model_copy(update={"purposes": purposes}))
    return Catalogue.model_validate({**catalogue.model_dump(), "requirements": [r.model_dump() for r in changed]})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    suites, defects = tmp_path / "suites" / "vnf", tmp_path / "fixtures" / "nonconformities"
    suites.mkdir(parents=True)
    defects.mkdir(parents=True)
    (suites / "upgrade.robot").write_text(ROBOT)
    (defects / "def_vnf_01_a.py").write_text(DEFECT)
    return tmp_path


TEST = TestReference(backend="robot", suite="suites/vnf/upgrade.robot", name="Completed Means Gone")


def problems(repository: Path, test: TestReference | None = TEST, checker: str | None = "gone") -> list[str]:
    return [str(p) for p in check(bound(test, checker), repository, {"gone"})]


def test_a_covered_purpose_has_no_problem(repository: Path) -> None:
    assert problems(repository) == []


def test_a_missing_suite_case_or_checker_is_found(repository: Path) -> None:
    assert any(
        "does not exist" in p for p in problems(repository, TEST.model_copy(update={"suite": "suites/no.robot"}))
    )
    assert any("has no test 'Other'" in p for p in problems(repository, TEST.model_copy(update={"name": "Other"})))
    assert any("not registered" in p for p in problems(repository, checker="nobody"))
    assert any("no checker" in p for p in problems(repository, checker=None))


def test_tests_and_checkers_that_nobody_names_are_found(repository: Path) -> None:
    found = problems(repository, None, None)
    assert "suites/vnf/upgrade.robot::Completed Means Gone: no purpose names this test" in found
    assert "gone: no purpose names this checker" in found


def test_a_test_without_a_seeded_defect_is_found(repository: Path) -> None:
    (repository / "fixtures/nonconformities/def_vnf_01_a.py").unlink()
    assert any("no seeded defect" in p for p in problems(repository))


def test_defect_files_must_be_in_the_catalogue_and_agree_with_it(repository: Path) -> None:
    folder = repository / "fixtures/nonconformities"
    (folder / "vnf_77_z.py").write_text(DEFECT)
    (folder / "DEF.VNF.01.c.py").write_text(DEFECT)
    (folder / "vnf_08_f.cpp").write_text("int main() {}")
    (folder / "gen_02_a.py").write_text('COMPONENT = "decider"\n')
    found = problems(repository)
    assert any("has no defect DEF.VNF.77.z" in p for p in found)
    assert any("PURPOSE TP.VNF.01.2 is not among TP.VNF.01.3" in p for p in found)
    assert any("no sidecar declares" in p for p in found)
    assert any("PURPOSE is missing" in p for p in found)
    assert any("COMPONENT is 'decider'" in p for p in found)


def test_sidecars_declare_native_and_package_defects(repository: Path) -> None:
    folder = repository / "fixtures/nonconformities"
    (folder / "vnf_08_f.cpp").write_text("int main() {}")
    (folder / "vnf_08_f.yaml").write_text("component: vnf\npurpose: [TP.VNF.01.6]\nreason: lost packets\n")
    (folder / "helper.py").write_text("X = 1\n")
    found = {entry.id: entry for entry in discover(folder)}
    assert set(found) == {"DEF.VNF.01.a", "DEF.VNF.08.f"}
    assert found["DEF.VNF.08.f"].purposes == ("TP.VNF.01.6",)
    assert problems(repository) == []


def test_ids_may_stand_in_the_text(repository: Path) -> None:
    folder = repository / "fixtures/nonconformities"
    (folder / "native").mkdir()
    (folder / "native" / "worker_lossy.cpp").write_text("// DEF.VNF.08.f: drops packets\n")
    sidecar = (
        '"""DEF.VNF.08.f: drops packets."""\nCOMPONENT = "vnf"\nPURPOSE = "TP.VNF.01.6"\nREASON = "lost packets"\n'
    )
    assert undeclared(folder) == [folder / "native" / "worker_lossy.cpp"]
    (folder / "lossy_worker.py").write_text(sidecar)
    assert undeclared(folder) == []
    assert [entry.id for entry in discover(folder)] == ["DEF.VNF.01.a", "DEF.VNF.08.f"]


def test_a_requirement_without_purposes_and_a_double_id_are_found(repository: Path) -> None:
    catalogue = load()
    first, second = catalogue.requirements[:2]
    broken = [first.model_copy(update={"purposes": []}), second, second, *catalogue.requirements[2:]]
    what = [str(p) for p in check(catalogue.model_copy(update={"requirements": broken}), repository, set())]
    assert f"{first.id}: the requirement has no test purpose" in what
    assert f"{second.id}: the id is used 2 times" in what
    assert "REQ.VNF: 15 requirements where the source numbers 14" in what


@pytest.mark.parametrize("name", ["DEF.VNF.01.a", "def_vnf_01_a", "vnf-01-a", "def-vnf_01.A"])
def test_spellings_of_a_defect_id(name: str) -> None:
    assert canonical(name) == "DEF.VNF.01.a"


def test_names_of_pytest_functions(tmp_path: Path) -> None:
    module = tmp_path / "test_x.py"
    module.write_text(
        "def test_a(): ...\nclass TestB:\n    def test_c(self): ...\n    def help(self): ...\ndef b(): ...\n"
    )
    assert names_in(module) == {"test_a", "TestB::test_c"}
    assert names_in(tmp_path / "none.py") == set()


def test_matrix_in_three_formats(repository: Path) -> None:
    rows = matrix(bound(TEST, "gone"), discover(repository / "fixtures/nonconformities"))
    row = next(row for row in rows if row.purpose == "TP.VNF.01.2")
    assert (row.status, row.checker, row.seeded) == ("tested", "gone", "DEF.VNF.01.a")
    assert "upgrade.robot::Completed Means Gone" in render(rows, "text")
    assert render(rows, "csv").splitlines()[0].startswith("document,clause,requirement")
    assert render(rows, "markdown").startswith("| requirement | purpose | title |")
    assert len(render(rows, "csv").splitlines()) == len(rows) + 1


def test_problem_reads_well() -> None:
    assert str(Problem("TP.X", "is wrong")) == "TP.X: is wrong"
