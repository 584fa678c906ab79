"""The plan: purposes with their tests and the scenarios that they need, in the order of the suites."""

from __future__ import annotations

from pathlib import Path

import pytest

from nfvcert.catalogue import Catalogue, load
from nfvcert.catalogue.model import TestReference
from nfvcert.errors import UsageError
from nfvcert.runner.backends import pytest_run, robot_run
from nfvcert.runner.folder import RunFolder
from nfvcert.runner.known import DATAPLANE_SUITES, SCENARIOS, expected_s, part_of, title_of
from nfvcert.runner.plan import SCENARIO_SUITES, Excluded, Plan, make_plan, read_plan

ROOT = Path(__file__).resolve().parents[4]
ORDER = list(SCENARIO_SUITES)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


MIGRATION = "TP.MA.05.1"
MIGRATION_SUITE = f"{DATAPLANE_SUITES}/test_annex_a1.py"


@pytest.fixture(scope="module")
def with_migration(catalogue: Catalogue) -> Catalogue:
    """The catalogue in which one purpose of the dataplane is bound to a test, whatever is bound by now."""
    test = TestReference(backend="pytest", suite=MIGRATION_SUITE, name="test_annex_a1")
    update = {"test": test, "scenarios": ["ma-sub-ranges", "ma-heavy-tailed"], "checker": MIGRATION}
    requirements = [
        r.model_copy(
            update={
                "purposes": [
                    p.model_copy(update=update)
                    if p.id == MIGRATION
                    else p.model_copy(update={"test": None, "scenarios": []})
                    if p.id.startswith("TP.MA")
                    else p
                    for p in r.purposes
                ]
            }
        )
        for r in catalogue.requirements
    ]
    return Catalogue(
        requirements=requirements,
        rules=catalogue.rules,
        workloads=catalogue.workloads,
        conventions=catalogue.conventions,
        bindings=catalogue.bindings,
    )


@pytest.fixture(scope="module")
def whole(catalogue: Catalogue) -> Plan:
    return make_plan(catalogue, [])


def test_everything_tested_is_planned(whole: Plan, catalogue: Catalogue) -> None:
    assert {p.id for p in whole.purposes} == {p.id for p in catalogue.purposes if p.test is not None}
    needed = {scenario for purpose in whole.purposes for scenario in purpose.scenarios} | {"lifecycle"}
    assert whole.scenarios == tuple(scenario for scenario in ORDER if scenario in needed)
    assert whole.excluded == ()


def test_the_suites_exist(whole: Plan) -> None:
    assert all((ROOT / SCENARIO_SUITES[scenario]).exists() for scenario in whole.scenarios)
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
    wanted = dict.fromkeys(SCENARIO_SUITES[scenario] for scenario in whole.scenarios)
    assert suites == [str(ROOT / suite) for suite in wanted if suite.endswith(".robot")]
    tags = [run.argv[i + 1] for i, argument in enumerate(run.argv) if argument == "--include"]
    assert tags == ["procedure", *(purpose.id for purpose in whole.of("robot"))]


def test_pytest_gets_named_tests_only(whole: Plan, tmp_path: Path) -> None:
    run = pytest_run(RunFolder(tmp_path), ROOT, whole)
    assert run is not None
    named = [argument for argument in run.argv if "::" in argument]
    assert named == [f"{ROOT / purpose.suite}::{purpose.test}" for purpose in whole.on("stack").of("pytest")]
    assert not any(DATAPLANE_SUITES in argument for argument in run.argv)


def test_a_back_end_without_work_is_not_started(catalogue: Catalogue, tmp_path: Path) -> None:
    plan = make_plan(catalogue, ["TP.VNF.01.2"])
    assert pytest_run(RunFolder(tmp_path), ROOT, plan) is None
    assert robot_run(RunFolder(tmp_path), ROOT, make_plan(catalogue, ["TP.VNF.06.1"])) is None


# the dataplane


def test_what_the_testbed_does_not_declare_is_excluded_with_the_reason(with_migration: Catalogue) -> None:
    plan = make_plan(with_migration, [], ["hosts", "port_observer"])
    assert plan.excluded == (Excluded(MIGRATION, "the testbed does not declare migration_avoidance"),)
    assert MIGRATION not in [purpose.id for purpose in plan.purposes]
    assert MIGRATION in plan.ids
    assert plan.on("dataplane") == Plan((), ())


def test_an_excluded_selection_has_nothing_to_run(with_migration: Catalogue, tmp_path: Path) -> None:
    plan = make_plan(with_migration, ["REL002.MA"], [])
    assert (plan.purposes, plan.scenarios, len(plan.excluded)) == ((), (), 1)
    plan.write(tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


def test_a_declared_feature_is_planned_on_its_part_of_the_testbed(with_migration: Catalogue, tmp_path: Path) -> None:
    plan = make_plan(with_migration, ["REL002.MA", "TP.VNF.05.1"], ["migration_avoidance"])
    assert plan.excluded == ()
    assert plan.scenarios == ("packages", "ma-sub-ranges", "ma-heavy-tailed")
    assert [purpose.id for purpose in plan.on("dataplane").purposes] == [MIGRATION]
    assert plan.on("dataplane").suites("pytest") == [MIGRATION_SUITE]
    assert plan.on("stack").scenarios == ("packages",)
    stack, dataplane = (pytest_run(RunFolder(tmp_path), ROOT, plan, part) for part in ("stack", "dataplane"))
    assert stack is not None
    assert dataplane is not None
    assert dataplane.argv[-1] == f"{ROOT / MIGRATION_SUITE}::test_annex_a1"
    assert stack.log != dataplane.log
    assert stack.timeout_s < dataplane.timeout_s


def test_a_resumed_run_shows_only_what_is_left(with_migration: Catalogue, tmp_path: Path) -> None:
    plan = make_plan(with_migration, ["REL002.MA", "TP.VNF.05.1"], ["migration_avoidance"])
    left = plan.without({"packages"})
    assert pytest_run(RunFolder(tmp_path), ROOT, left) is None
    assert pytest_run(RunFolder(tmp_path), ROOT, left, "dataplane") is not None


def test_a_plan_of_an_earlier_version_excludes_nothing(whole: Plan, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    whole.write(path)
    path.write_text(path.read_text(encoding="utf-8").replace('"excluded"', '"else"'), encoding="utf-8")
    assert read_plan(path).excluded == ()


def test_every_scenario_says_what_it_is() -> None:
    assert all(known.title and known.expected_s > 0 for known in SCENARIOS.values())
    assert {part_of(known.suite) for known in SCENARIOS.values()} == {"stack", "dataplane"}
    assert (title_of("unheard"), expected_s("unheard")) == ("unheard", 10.0)


def test_a_profile_repeats_what_the_catalogue_lets_it_repeat(catalogue: Catalogue, tmp_path: Path) -> None:
    plan = make_plan(catalogue, ["TP.MA.03.1", MIGRATION], repeats=3)
    asked = {purpose.id: purpose.scenarios for purpose in plan.purposes}
    once = ("ma-plain", "ma-sub-ranges", "ma-heavy-tailed")
    again = ("ma-plain-r2", "ma-sub-ranges-r2", "ma-plain-r3", "ma-sub-ranges-r3")
    assert asked == {"TP.MA.03.1": ("ma-plain",), MIGRATION: (*once, *again)}
    assert set(plan.scenarios) == {*once, *again}
    assert plan.on("dataplane").scenarios == plan.scenarios
    assert MIGRATION_SUITE in plan.without(set(plan.scenarios) - {"ma-sub-ranges-r3"}).suites("pytest")
    plan.write(tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


def test_many_repeats_get_the_time_they_take(catalogue: Catalogue, tmp_path: Path) -> None:
    limits = []
    for repeats in (1, 20):
        run = pytest_run(RunFolder(tmp_path), ROOT, make_plan(catalogue, [MIGRATION], repeats=repeats), "dataplane")
        assert run is not None
        limits.append((int(run.argv[run.argv.index("--timeout") + 1]), run.timeout_s))
    assert limits == [(600, 3600.0), (41 * 150, 41 * 150.0)]


def test_a_repeat_is_titled_and_estimated_as_its_scenario() -> None:
    assert title_of("ma-plain-r2") == f"{title_of('ma-plain')}, repeat 2"
    assert expected_s("ma-plain-r2") == expected_s("ma-plain")
