"""Verdicts of requirements and the headline of a run."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_sample import PLANNED, build, judgements

from nfvcert.catalogue import load
from nfvcert.errors import UsageError
from nfvcert.report import read_results, requirement_results, summarise, write_results
from nfvcert.report.results_model import SCHEMA_FILE, MeasureResult, Results, VerdictOrNone, json_schema
from nfvcert.report.summary import requirement_verdict

VERDICTS = ["PASS", "FAIL", "INCONC", "ERROR", "N/A", "not tested"]


def headline(worse: dict[str, tuple[str, str]] | None = None) -> str:
    return summarise(requirement_results(load(), judgements(worse), PLANNED)).headline


def test_the_headline_never_claims_more_than_was_judged() -> None:
    assert headline() == "PASS for 9 of 29 requirements, 20 not tested"


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        ("FAIL", "FAIL: 1 of 29 requirements not met, 8 passed, 20 not tested"),
        ("INCONC", "INCONC: 1 of 29 requirements undecided, 8 passed, 20 not tested"),
        ("ERROR", "ERROR: the tester failed on 1 of 29 requirements, 8 passed, 20 not tested"),
        ("N/A", "PASS for 9 of 29 requirements, 20 not tested"),
    ],
)
def test_headlines_of_worse_runs(verdict: str, text: str) -> None:
    assert headline({"TP.VNF.01.6": (verdict, "why")}) == text


def test_a_requirement_with_nothing_but_na_is_not_counted_as_passed() -> None:
    worse = {id: ("N/A", "excluded") for id in PLANNED if id.startswith("TP.VNF.05.")}
    assert headline(worse) == "PASS for 8 of 29 requirements, 1 not applicable, 20 not tested"


def test_judged_requirements_beyond_the_numbered_ones_are_told_apart() -> None:
    judged = {"TP.MA.01.1": {"verdict": "PASS", "reason": "so"}}
    summary = summarise(requirement_results(load(), judged, ["TP.MA.01.1"]))
    assert summary.headline == "PASS for 1 of 1 further requirements, 29 numbered ones not tested"


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        ("PASS", "PASS for 9 of 29 requirements, 20 not tested; of further requirements 1 PASS"),
        ("FAIL", "FAIL: 0 of 29 requirements not met, 9 passed, 20 not tested; of further requirements 1 FAIL"),
        ("N/A", "PASS for 9 of 29 requirements, 20 not tested"),
    ],
)
def test_further_requirements_stand_beside_the_numbered_ones(verdict: str, text: str) -> None:
    judged = judgements() | {"TP.MA.01.1": {"verdict": verdict, "reason": "so"}}
    assert summarise(requirement_results(load(), judged, [*PLANNED, "TP.MA.01.1"])).headline == text


@pytest.mark.parametrize(("verdict", "found"), [("FAIL", "FAIL"), ("N/A", "INCONC")])
def test_a_run_of_further_requirements_alone_says_so(verdict: str, found: str) -> None:
    summary = summarise(requirement_results(load(), {"TP.MA.01.1": {"verdict": verdict, "reason": "so"}}, []))
    text = f"{found}: 1 {verdict} of 1 further requirements, 29 numbered ones not tested"
    assert (summary.verdict, summary.headline) == (found, text)


def test_a_run_in_which_nothing_was_judged_is_inconclusive() -> None:
    summary = summarise(requirement_results(load(), {}, []))
    assert (summary.verdict, summary.headline) == (
        "INCONC",
        "INCONC: 0 of 29 requirements undecided, 0 passed, 29 not tested",
    )


def test_a_planned_purpose_without_a_judgement_is_inconclusive() -> None:
    judged = judgements()
    del judged["TP.VNF.08.1"]
    results = requirement_results(load(), judged, PLANNED)
    purpose = next(p for r in results for p in r.purposes if p.id == "TP.VNF.08.1")
    assert (purpose.verdict, purpose.reason) == ("INCONC", "planned, but no verdict was given")


def test_an_unplanned_purpose_says_why_it_was_not_tested() -> None:
    results = requirement_results(load(), judgements(), PLANNED)
    assert all(p.reason for r in results for p in r.purposes if p.verdict == "not tested")


@given(st.lists(st.sampled_from(VERDICTS), max_size=6))
def test_a_requirement_has_the_worst_verdict_of_its_judged_purposes(verdicts: list[VerdictOrNone]) -> None:
    judged = [verdict for verdict in verdicts if verdict != "not tested"]
    found = requirement_verdict(verdicts)
    assert (found == "not tested") == (not judged)
    if found == "PASS":
        assert set(judged) <= {"PASS", "N/A"}
    for bad in ("ERROR", "FAIL", "INCONC"):
        if bad in judged:
            assert found == bad
            break


def test_the_committed_schema_is_the_one_of_the_models() -> None:
    assert json.loads(SCHEMA_FILE.read_text()) == json_schema()


def test_results_fit_the_schema_and_survive_a_round_trip(tmp_path: Path) -> None:
    results = build(tmp_path)
    raw = json.loads((tmp_path / "results.json").read_text())
    jsonschema.validate(raw, json.loads(SCHEMA_FILE.read_text()))
    assert read_results(tmp_path) == results
    write_results(tmp_path, results)
    assert read_results(tmp_path / "results.json") == results
    assert raw["schema"] == "nfvcert-results/1"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(raw | {"verdict": "FINE"}, json.loads(SCHEMA_FILE.read_text()))


def test_figures_that_are_no_numbers_are_written_as_null() -> None:
    measure = MeasureResult.model_validate(
        {
            "name": "m", "value": float("nan"), "unit": "s", "interval": (0.0, float("inf")), "limit": "<= 1",
            "rule": "r", "source": "s", "verdict": "INCONC",
        }
    )  # fmt: skip
    assert measure.value is None
    assert measure.interval == (0.0, None)


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("{}", "do not fit"), (None, "no results")])
def test_broken_results_are_refused(text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_results(tmp_path)


def test_results_refuse_unknown_fields(tmp_path: Path) -> None:
    results = build(tmp_path)
    with pytest.raises(ValueError, match="extra"):
        Results.model_validate(results.model_dump(by_alias=True) | {"surprise": 1})
