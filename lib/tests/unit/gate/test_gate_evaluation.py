"""What opens and what closes the gate."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from nfvcert.errors import ExitCode, UsageError
from nfvcert.gate import Outcome, Profile, Waiver, evaluate, load_profile, load_waivers, outcome_text
from nfvcert.gate.rundata import PurposeData, RunData

TODAY = date(2026, 11, 21)
PROFILE = Profile(name="test", mandatory=["REQ.VNF.M.01"])


def run(verdicts: dict[str, str], **more: Any) -> RunData:
    """Purposes of REQ.VNF.M.01 by verdict, beside a passing one of an optional requirement."""
    purposes = {
        id: PurposeData(id, "REQ.VNF.M.01", verdict, f"because {id}", more.get("weaker", {}).get(id, ""), ())
        for id, verdict in verdicts.items()
    }
    purposes["TP.VNF.02.1"] = PurposeData("TP.VNF.02.1", "REQ.VNF.M.02", more.get("other", "PASS"), "other", "", ())
    levels = {"REQ.VNF.M.01": more.get("level", "shall"), "REQ.VNF.M.02": "shall"}
    return RunData("r1", "PASS", "headline", levels, purposes, more.get("planned", ()), more.get("interrupted", ""))


def waiver(id: str = "TP.VNF.01.2", **more: Any) -> Waiver:
    raw = {"id": id, "reason": "accepted", "owner": "jane", "expires": "2027-01-01", "ticket": "LAB-1"}
    return Waiver.model_validate(raw | more)


def decide(verdicts: dict[str, str], *waivers: Waiver, profile: Profile = PROFILE, **more: Any) -> Outcome:
    return evaluate(run(verdicts, **more), profile, waivers, today=TODAY)


def test_all_passed_opens_the_gate() -> None:
    outcome = decide({"TP.VNF.01.2": "PASS", "TP.VNF.01.3": "N/A"})
    assert outcome.exit_code == ExitCode.PASS
    assert outcome.violations == ()
    assert outcome_text(outcome).endswith("gate open for r1 by profile test\n")


@pytest.mark.parametrize(
    ("verdict", "code"), [("FAIL", ExitCode.FAIL), ("INCONC", ExitCode.INCONCLUSIVE), ("ERROR", ExitCode.INCONCLUSIVE)]
)
def test_a_bad_verdict_closes_it(verdict: str, code: ExitCode) -> None:
    outcome = decide({"TP.VNF.01.2": verdict, "TP.VNF.01.3": "PASS"})
    assert outcome.exit_code == code
    assert f"TP.VNF.01.2: {verdict}: because TP.VNF.01.2" in outcome_text(outcome)


def test_a_failure_goes_before_something_undecided() -> None:
    assert decide({"TP.VNF.01.2": "INCONC", "TP.VNF.01.3": "FAIL"}).exit_code == ExitCode.FAIL


def test_an_optional_requirement_that_fails_closes_it_too() -> None:
    assert decide({"TP.VNF.01.2": "PASS"}, other="FAIL").exit_code == ExitCode.FAIL
    assert decide({"TP.VNF.01.2": "PASS"}, other="not tested").exit_code == ExitCode.PASS


def test_a_profile_may_only_note_what_is_undecided_but_never_a_tester_error() -> None:
    lenient = PROFILE.model_copy(update={"inconclusive": "noted"})
    outcome = decide({"TP.VNF.01.2": "INCONC"}, profile=lenient)
    assert outcome.exit_code == ExitCode.PASS
    assert [str(note) for note in outcome.notes] == ["TP.VNF.01.2: INCONC: because TP.VNF.01.2"]
    assert decide({"TP.VNF.01.2": "ERROR"}, profile=lenient).exit_code == ExitCode.INCONCLUSIVE


def test_a_mandatory_requirement_must_be_judged() -> None:
    outcome = decide({"TP.VNF.01.2": "not tested", "TP.VNF.01.3": "not tested"})
    assert outcome.exit_code == ExitCode.INCONCLUSIVE
    assert [v.where for v in outcome.violations] == ["REQ.VNF.M.01"]


def test_a_mandatory_requirement_that_is_not_even_listed_closes_the_gate() -> None:
    absent = PROFILE.model_copy(update={"mandatory": ["REQ.GEN"]})
    assert decide({"TP.VNF.01.2": "PASS"}, profile=absent).exit_code == ExitCode.INCONCLUSIVE


def test_purposes_not_tested_are_noted_or_fail_by_profile() -> None:
    verdicts = {"TP.VNF.01.2": "PASS", "TP.VNF.01.3": "not tested"}
    assert decide(verdicts).exit_code == ExitCode.PASS
    assert [v.where for v in decide(verdicts).notes] == ["TP.VNF.01.3"]
    full = PROFILE.model_copy(update={"purpose_not_tested": "fails"})
    assert decide(verdicts, profile=full).exit_code == ExitCode.INCONCLUSIVE


def test_a_shall_with_nothing_but_na_is_not_certified() -> None:
    verdicts = {"TP.VNF.01.2": "N/A", "TP.VNF.01.3": "not tested"}
    assert decide(verdicts).exit_code == ExitCode.INCONCLUSIVE
    assert decide(verdicts, level="should").exit_code == ExitCode.PASS


def test_weaker_bounds_fail_by_profile() -> None:
    full = PROFILE.model_copy(update={"weaker_bounds": "fails"})
    weaker = {"TP.VNF.01.2": "2 s instead of 10 s"}
    assert decide({"TP.VNF.01.2": "PASS"}, weaker=weaker).exit_code == ExitCode.PASS
    assert decide({"TP.VNF.01.2": "PASS"}, weaker=weaker, profile=full).exit_code == ExitCode.INCONCLUSIVE


def test_an_interrupted_run_and_a_planned_purpose_without_verdict_close_it() -> None:
    assert decide({"TP.VNF.01.2": "PASS"}, interrupted="lease lost").exit_code == ExitCode.INCONCLUSIVE
    assert decide({"TP.VNF.01.2": "PASS"}, planned=("TP.VNF.01.9",)).exit_code == ExitCode.INCONCLUSIVE


def test_a_waiver_excuses_a_failure_of_a_purpose_or_requirement() -> None:
    for id in ("TP.VNF.01.2", "REQ.VNF.M.01"):
        outcome = decide({"TP.VNF.01.2": "FAIL", "TP.VNF.01.3": "PASS"}, waiver(id))
        assert outcome.exit_code == ExitCode.PASS
        assert [p.id for p, _ in outcome.waived] == ["TP.VNF.01.2"]
        assert "LAB-1" in outcome_text(outcome)


def test_a_waiver_excuses_only_the_verdicts_it_names() -> None:
    assert decide({"TP.VNF.01.2": "INCONC"}, waiver()).exit_code == ExitCode.FAIL
    assert decide({"TP.VNF.01.2": "INCONC"}, waiver(verdicts=["INCONC"])).exit_code == ExitCode.PASS
    with pytest.raises(ValueError, match="verdicts"):
        waiver(verdicts=["ERROR"])


def test_an_expired_waiver_excuses_nothing_and_closes_the_gate() -> None:
    last_day = waiver(expires="2026-11-21")
    assert decide({"TP.VNF.01.2": "FAIL"}, last_day).exit_code == ExitCode.PASS
    outcome = decide({"TP.VNF.01.2": "FAIL"}, waiver(expires="2026-11-20"))
    assert outcome.exit_code == ExitCode.FAIL
    assert {v.what.split(":")[0] for v in outcome.violations} == {
        "the waiver expired on 2026-11-20 (LAB-1, jane)",
        "FAIL",
    }


def test_a_waiver_that_is_unused_or_passes_closes_the_gate() -> None:
    passing = decide({"TP.VNF.01.2": "PASS"}, waiver())
    assert passing.exit_code == ExitCode.FAIL
    assert "it passes" in str(passing.violations[0])
    assert "excuses nothing" in str(decide({"TP.VNF.01.2": "PASS"}, waiver("TP.VNF.99.9")).violations[0])


def test_two_waivers_about_one_thing_close_the_gate() -> None:
    assert decide({"TP.VNF.01.2": "FAIL"}, waiver(), waiver()).exit_code == ExitCode.FAIL


def test_a_waiver_may_cover_a_requirement_that_is_not_tested() -> None:
    excused = waiver("REQ.VNF.M.01", verdicts=["not tested"])
    assert decide({"TP.VNF.01.2": "not tested"}, excused).exit_code == ExitCode.PASS


@pytest.mark.parametrize("field", ["reason", "owner", "expires", "ticket"])
def test_a_waiver_must_be_complete(field: str, tmp_path: Path) -> None:
    raw = {"id": "TP.VNF.01.2", "reason": "accepted", "owner": "jane", "expires": "2027-01-01", "ticket": "LAB-1"}
    del raw[field]
    file = tmp_path / "waivers.yaml"
    file.write_text("waivers:\n- " + "\n  ".join(f"{key}: {value}" for key, value in raw.items()) + "\n")
    with pytest.raises(UsageError, match=f"waivers.yaml:.*{field}"):
        load_waivers(file)


def test_waivers_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text("waivers:\n- {id: TP.A, reason: yes it is, owner: jane, expires: 2027-01-31, ticket: LAB-2}\n")
    assert load_waivers(file)[0].expires == date(2027, 1, 31)


@pytest.mark.parametrize("name", ["default", "strict"])
def test_shipped_profiles_load(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.demands("REQ.VNF.M.08")
    assert profile.demands("REQ.MANO.M.01") == (name == "strict")


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="default, strict"):
        load_profile("lenient")


def test_a_wrong_key_in_a_profile_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\nmandatry: [REQ]\n")
    with pytest.raises(UsageError, match=r"mine\.yaml:2.*did you mean 'mandatory'"):
        load_profile(file)


def test_ceilings_bound_what_a_drop_declares() -> None:
    profile = Profile(name="x", ceilings={"stateful_loss": 10}, floors={"min_capacity": 0.9})
    assert profile.bounded("stateful_loss", 50) == 10
    assert profile.bounded("stateful_loss", 0) == 0
    assert profile.bounded("min_capacity", 0.5) == 0.9
    assert profile.bounded("anything", 7) == 7
