"""The plan: purposes with their tests and the scenarios that they need, in the order of the suites."""

from __future__ import annotations

from pathlib import Path

import pytest

from nfvcert.catalogue import Catalogue, load
from nfvcert.errors import UsageError
from nfvcert.runner.backends import pytest_run, robot_run
from nfvcert.runner.folder import RunFolder
from nfvcert.runner.plan import SCENARIO_SUITES, Plan, make_plan, read_plan

ROOT = Path(__file__).resolve().parents[4]
ORDER = list(SCENARIO_SUITES)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="module")
def whole(catalogue: Catalogue) -> Plan:
    return make_plan(catalogue, [])


def test_everything_tested_is_planned(whole: Plan, catalogue: Catalogue) -> None:
    assert {p.id for p in whole.purposes} == {p.id for p in catalogue.purposes if p.test is not None}
    assert whole.scenarios == tuple(ORDER)


def test_the_suites_exist(whole: Plan) -> None:
    assert all((ROOT / suite).exists() for suite in SCENARIO_SUITES.values())
    assert {p.suite for p in whole.purposes} <= set(SCENARIO_SUITES.values())


def test_a_purpose_is_shown_by_the_suite_of_its_last_scenario(whole: Plan) -> None:
    for purpose in whole.purposes:
        last = max(purpose.scenarios, key=ORDER.index)
        assert purpose.suite == SCENARIO_SUITES[last], purpose.id


def test_purposes_come_in_the_order_of_their_suites(whole: Plan) -> None:
    places = [max(ORDER.index(scenario) for scenario in purpose.scenarios) for purpose in whole.purposes]
    assert places == sorted(places)


def test_a_selection_needs_its_scenarios_only(catalogue: Catalogue) -> None:
    plan = make_plan(catalogue, ["TP.VNF.01.2"])
    assert ([p.id for p in plan.purposes], plan.scenarios) == (["TP.VNF.01.2"], ("upgrade",))
    assert plan.suites("robot") == [SCENARIO_SUITES["upgrade"]]
    assert plan.suites("pytest") == []


def test_a_purpose_over_several_scenarios_has_them_all_recorded(catalogue: Catalogue) -> None:
    plan = make_plan(catalogue, ["TP.VNF.05.3"])
    assert plan.scenarios == ("upgrade", "refusals")
    assert plan.suites("robot") == [SCENARIO_SUITES["upgrade"], SCENARIO_SUITES["refusals"]]


@pytest.mark.parametrize(
    ("selected", "count"), [("REQ.GEN", 3), ("req.vnf.m.13", 4), ("TP.VNF.12", 4), ("DEF.VNF.01.a", 1), ("REL006", 30)]
)
def test_prefixes_select(selected: str, count: int, catalogue: Catalogue) -> None:
    assert len(make_plan(catalogue, [selected]).purposes) == count


@pytest.mark.parametrize(("wrong", "near"), [("REQ.VNF.M.99", "REQ.VNF.M.09"), ("TP.VNF.1.2", "TP.VNF.01.2")])
def test_an_unknown_id_is_told_the_nearest(wrong: str, near: str, catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="no requirement, purpose or defect has this id") as raised:
        make_plan(catalogue, [wrong])
    assert raised.value.found == wrong
    assert "did you mean" in raised.value.hint
    assert near[:6] in raised.value.hint


def test_a_selection_without_any_test_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="nothing that is tested is selected") as raised:
        make_plan(catalogue, ["REQ.VNF.M.02"])
    assert "REQ.VNF.M.02" in raised.value.found


def test_a_plan_comes_back_as_it_was_written(whole: Plan, tmp_path: Path) -> None:
    whole.write(tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == whole


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", '{"purposes": [{"id": 1}], "scenarios": []}', '{"purposes": 7}']
)
def test_a_broken_plan_is_named(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="the plan of the run cannot be read") as raised:
        read_plan(path)
    assert raised.value.where == str(path)


def test_what_is_recorded_already_is_left_out(whole: Plan) -> None:
    rest = whole.without({"upgrade", "packages"})
    assert rest.purposes == whole.purposes
    assert "upgrade" not in rest.scenarios
    assert SCENARIO_SUITES["upgrade"] not in rest.suites("robot")


# back-ends


def test_robot_gets_suites_in_order_and_every_purpose_by_tag(whole: Plan, tmp_path: Path) -> None:
    run = robot_run(RunFolder(tmp_path), ROOT, whole)
    assert run is not None
    suites = [argument for argument in run.argv if argument.endswith(".robot")]
    assert suites == [str(ROOT / suite) for suite in SCENARIO_SUITES.values() if suite.endswith(".robot")]
    tags = [run.argv[i + 1] for i, argument in enumerate(run.argv) if argument == "--include"]
    assert tags == ["procedure", *(purpose.id for purpose in whole.of("robot"))]


def test_pytest_gets_named_tests_only(whole: Plan, tmp_path: Path) -> None:
    run = pytest_run(RunFolder(tmp_path), ROOT, whole)
    assert run is not None
    named = [argument for argument in run.argv if "::" in argument]
    assert named == [f"{ROOT / purpose.suite}::{purpose.test}" for purpose in whole.of("pytest")]


def test_a_back_end_without_work_is_not_started(catalogue: Catalogue, tmp_path: Path) -> None:
    plan = make_plan(catalogue, ["TP.VNF.01.2"])
    assert pytest_run(RunFolder(tmp_path), ROOT, plan) is None
    assert robot_run(RunFolder(tmp_path), ROOT, make_plan(catalogue, ["TP.VNF.06.1"])) is None
