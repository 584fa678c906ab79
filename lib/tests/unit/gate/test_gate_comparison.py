"""Comparing two runs, and the gate against an earlier one."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nfvcert.errors import ExitCode, UsageError
from nfvcert.gate import Profile, compare, comparison_text, evaluate, outcome_text, read_run
from nfvcert.gate.comparison import move
from nfvcert.gate.rundata import MeasureData, RunData, run_data

PROFILE = Profile(name="test")


def results(name: str, verdicts: dict[str, str], measure: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    package = {"version": "1.0.0", "sha256": "a" * 64}
    purposes = [
        {"id": id, "verdict": verdict, "reason": "r", "measures": [measure] if measure else []}
        for id, verdict in verdicts.items()
    ]
    return {
        "schema": "nfvcert-results/1", "run": name, "verdict": "PASS", "headline": "h", "profile": "default",
        "drop": {"vendor": "v", "product": "p", "in_service": package, "candidate": package},
        "testbed": {"name": more.get("testbed", "embedded"), "sha256": "b" * 64}, "tool": {"version": "0.1.0"},
        "machine": {"cpu": "c", "cores": 2, "kernel": "6.1"},
        "requirements": [{"id": "REQ.VNF.M.01", "level": "shall", "purposes": purposes}],
    }  # fmt: skip


def run(name: str, verdicts: dict[str, str], measure: dict[str, Any] | None = None, **more: Any) -> RunData:
    return run_data(results(name, verdicts, measure, **more))


def figure(value: float, low: float | None = None, high: float | None = None, limit: str = "<= 10") -> MeasureData:
    return MeasureData("m", value, value if low is None else low, value if high is None else high, "ms", limit)


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        (figure(5, 4, 6), figure(5.5, 4.5, 6.5), "same"),
        (figure(5, 4, 6), figure(9, 7, 11), "worse"),
        (figure(9, 7, 11), figure(5, 4, 6), "better"),
        (figure(5, 4, 6, ">= 1"), figure(2, 1, 3, ">= 1"), "worse"),
        (figure(2, 1, 3, ">= 1"), figure(5, 4, 6, ">= 1"), "better"),
        (figure(0, limit="= 0"), figure(3, limit="= 0"), "worse"),
        (figure(3, limit="= 0"), figure(1, limit="= 0"), "better"),
        (figure(5, 4, 6, "reported"), figure(50, 40, 60, "reported"), "same"),
        (MeasureData("m", None, None, None, "ms", "<= 1"), figure(5), "same"),
        (MeasureData("m", 1, 1, 1, "s", "<= 9"), figure(5), "same"),
    ],
)
def test_which_way_a_measure_moved(old: MeasureData, new: MeasureData, way: str) -> None:
    assert move(old, new) == way


def test_changes_of_verdict_are_sorted_into_better_and_worse() -> None:
    found = compare(
        run("a", {"TP.1": "PASS", "TP.2": "FAIL", "TP.3": "PASS", "TP.4": "PASS", "TP.5": "not tested"}),
        run("b", {"TP.1": "INCONC", "TP.2": "PASS", "TP.3": "PASS", "TP.4": "not tested", "TP.5": "PASS"}),
    )
    assert [str(c) for c in found.regressions] == ["TP.1: PASS -> INCONC (r)"]
    assert [c.purpose for c in found.improvements] == ["TP.2"]
    assert found.removed == ("TP.4",)
    assert found.added == ("TP.5",)


def test_other_surroundings_are_named() -> None:
    found = compare(run("a", {"TP.1": "PASS"}), run("b", {"TP.1": "PASS"}, testbed="lab"))
    assert [text.split(":")[0] for text in found.surroundings] == ["testbed"]
    assert "embedded" in comparison_text(found)


def test_equal_runs_say_so() -> None:
    assert "nothing changed" in comparison_text(compare(run("a", {"TP.1": "PASS"}), run("b", {"TP.1": "PASS"})))


MEASURE = {"name": "gap", "value": 5.0, "unit": "ms", "limit": "<= 10", "interval": [4.0, 6.0]}
WORSE = MEASURE | {"value": 8.0, "interval": [7.0, 9.0]}


def test_the_gate_against_an_earlier_run() -> None:
    old = run("a", {"TP.1": "PASS", "TP.2": "PASS"}, MEASURE)
    today = date(2026, 11, 21)
    same = evaluate(run("b", {"TP.1": "PASS", "TP.2": "PASS"}, MEASURE), PROFILE, today=today, against=old)
    assert same.exit_code == ExitCode.PASS
    gone = evaluate(run("b", {"TP.1": "PASS"}, MEASURE), PROFILE, today=today, against=old)
    assert gone.exit_code == ExitCode.INCONCLUSIVE
    worse = run("b", {"TP.1": "PASS", "TP.2": "PASS"}, WORSE)
    assert evaluate(worse, PROFILE, today=today, against=old).exit_code == ExitCode.PASS
    demanding = PROFILE.model_copy(update={"worsened_measures": "fails"})
    closed = evaluate(worse, demanding, today=today, against=old)
    assert closed.exit_code == ExitCode.FAIL
    assert "worse than before: TP.1 gap: 5 ms (4 to 6) -> 8 ms (7 to 9), limit <= 10" in outcome_text(closed)


def test_a_regression_to_not_applicable_closes_the_gate() -> None:
    old, new = run("a", {"TP.1": "PASS", "TP.2": "PASS"}), run("b", {"TP.1": "N/A", "TP.2": "PASS"})
    assert evaluate(new, PROFILE, today=date(2026, 1, 1), against=old).exit_code == ExitCode.INCONCLUSIVE


def test_reading_a_run(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results("a", {"TP.1": "PASS"}, MEASURE)))
    assert read_run(tmp_path).purposes["TP.1"].measures[0].high == 6.0
    assert read_run(tmp_path / "results.json").run == "a"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not of schema"),
        ('{"schema": "x"}', "not of schema"),
        ('{"schema": "nfvcert-results/1"}', "lack"),
    ],
)
def test_broken_results_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_run(tmp_path)
    with pytest.raises(UsageError, match="no results"):
        read_run(tmp_path / "nowhere")
