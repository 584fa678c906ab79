"""Resuming a run: what is left of it, and that no trace of the attempt before gets between."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from nfvcert.catalogue import load
from nfvcert.history import Recorder, marks
from nfvcert.history.recorder import merge_segments
from nfvcert.runner.folder import RunFolder
from nfvcert.runner.plan import SCENARIO_SUITES, Plan, make_plan
from nfvcert.runner.reported import ReportedTest, read_reported
from nfvcert.runner.resuming import left_of

ORDER = list(make_plan(load(), [], []).scenarios)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path)
    run.create()
    return run


@pytest.fixture
def plan() -> Plan:
    """On a testbed without any further feature."""
    return make_plan(load(), [], [])


def record(folder: RunFolder, scenario: str, complete: bool | None) -> None:
    """A scenario that was carried through, broke off, or was killed (None) in the middle of a line."""
    recorder = Recorder(folder.history, scenario, "tester")
    recorder.mark(marks.BEGIN)
    if complete is not None:
        recorder.mark(marks.END, complete=complete, error=None)
    recorder.close()
    if complete is None:
        recorder.path.write_bytes(recorder.path.read_bytes() + b'{"t": 1, "wa')
    else:
        merge_segments(folder.history, scenario)
    (folder.history / f"{scenario}.flows.parquet").write_bytes(b"a table")


def report(folder: RunFolder, plan: Plan) -> None:
    """All tests of all suites were reported."""
    lines = [ReportedTest(p.backend, f"/somewhere/{p.suite}", p.test, p.id, "FAIL", "", 1.0) for p in plan.purposes]
    folder.reported.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines), encoding="utf-8")


def test_nothing_is_left_of_a_run_that_was_carried_through(folder: RunFolder, plan: Plan) -> None:
    for scenario in ORDER:
        record(folder, scenario, True)
    report(folder, plan)
    left = left_of(folder, plan)
    assert (left.scenarios, left.purposes) == ((), plan.purposes)
    assert len(read_reported(folder.reported)) == len(plan.purposes)
    assert len(list(folder.history.iterdir())) == 2 * len(ORDER)


def test_what_was_never_recorded_is_left(folder: RunFolder, plan: Plan) -> None:
    for scenario in ORDER[:-1]:
        record(folder, scenario, True)
    assert left_of(folder, plan).scenarios == (ORDER[-1],)


@pytest.mark.parametrize("ended", [False, None], ids=["broken off", "killed"])
def test_a_scenario_that_was_not_carried_through_is_recorded_anew(
    ended: bool | None, folder: RunFolder, plan: Plan
) -> None:
    """Two attempts in one history would say nothing."""
    for scenario in ORDER:
        record(folder, scenario, ended if scenario == "exposure" else True)
    report(folder, plan)
    assert left_of(folder, plan).scenarios == ("exposure",)
    assert [path.name for path in folder.history.glob("exposure.*")] == []
    assert (folder.history / "upgrade.jsonl").exists()
    kept = {test.purpose for test in read_reported(folder.reported)}
    assert {purpose.id for purpose in plan.purposes} - kept == {"TP.VNF.08.3"}


def test_suites_that_judge_by_a_missing_scenario_run_again(folder: RunFolder, plan: Plan) -> None:
    """A purpose over two scenarios is shown by the suite of the later one; its old report rests on the old history."""
    for scenario in ORDER:
        record(folder, scenario, scenario != "upgrade")
    report(folder, plan)
    left = left_of(folder, plan)
    assert left.scenarios == ("upgrade", "rollback", "refusals")
    again = {purpose.id for purpose in plan.purposes if purpose.suite in left.suites("robot")}
    assert {test.purpose for test in read_reported(folder.reported)} == {p.id for p in plan.purposes} - again


def test_a_run_that_had_not_begun_is_run_as_a_whole(folder: RunFolder, plan: Plan) -> None:
    assert left_of(folder, plan) == plan
    assert read_reported(folder.reported) == []


def test_a_suite_of_the_dataplane_is_run_again_as_a_whole(folder: RunFolder) -> None:
    plan = make_plan(load(), ["REL002.MA"], ["migration_avoidance"])
    for scenario in plan.scenarios:
        record(folder, scenario, scenario != "ma-scale-in")
    report(folder, plan)
    left = left_of(folder, plan)
    assert set(left.scenarios) == {s for s in plan.scenarios if SCENARIO_SUITES[s] == SCENARIO_SUITES["ma-scale-in"]}
    assert left.on("dataplane").suites("pytest") == [SCENARIO_SUITES["ma-scale-in"]]
    reported = {test.purpose for test in read_reported(folder.reported)}
    assert {purpose.id for purpose in plan.purposes} - reported == {"TP.MA.07.1", "TP.MA.07.2"}
