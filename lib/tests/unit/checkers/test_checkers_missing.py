"""Evidence that is missing or not valid is INCONC, an exception in a checker is ERROR; none of them passes."""

from __future__ import annotations

import operator
from functools import partial

import pytest
from altering import doing, flows, is_mark, setting, with_data, without
from evidence_kinds import dropped, needs
from good_histories import told
from history_builder import Story
from synthetic_traffic import Flow
from synthetic_world import declared

from nfvcert.catalogue import load
from nfvcert.checkers import Case, Judgement, judge, registered, registry
from nfvcert.history import EventKind, History, marks
from nfvcert.measure import Verdict

PURPOSES = sorted(purpose for purpose in registered() if not purpose.startswith("TP.MA."))
SCENARIOS = {purpose.id: list(purpose.scenarios) for purpose in load().purposes if purpose.test is not None}
UNDER_TRAFFIC = [purpose for purpose in PURPOSES if "pkt" in needs(purpose)]
WITHOUT_TRIAL = {"TP.VNF.01.2", "TP.VNF.03.1", "TP.VNF.05.3", "TP.VNF.12.1", "TP.GEN.02.3"}
"""They look at single packets only, and at no measure of the trial."""
WITHOUT_TABLES = {"TP.VNF.01.3", "TP.VNF.09.1", "TP.GEN.02.4"}
"""They look at the intervals only."""
GUARDED = [purpose for purpose in UNDER_TRAFFIC if purpose not in WITHOUT_TRIAL]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_without_histories_nothing_is_said(purpose: str) -> None:
    assert judge(purpose, {}, declared()).verdict is Verdict.INCONC


@pytest.mark.parametrize("purpose", PURPOSES)
def test_empty_histories_say_nothing(purpose: str) -> None:
    empty = {scenario: History(scenario, []) for scenario in SCENARIOS[purpose]}
    judgement = judge(purpose, empty, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "was not recorded" in judgement.reason


@pytest.mark.parametrize(
    ("purpose", "scenario"), [(purpose, scenario) for purpose in PURPOSES for scenario in SCENARIOS[purpose]]
)
def test_each_scenario_is_needed(purpose: str, scenario: str, good: dict[str, History]) -> None:
    judgement = judge(purpose, {name: good[name] for name in good if name != scenario}, declared())
    assert judgement.verdict is Verdict.INCONC
    assert scenario in judgement.reason


@pytest.mark.parametrize(("purpose", "kind"), [(purpose, kind) for purpose in PURPOSES for kind in needs(purpose)])
def test_each_kind_of_evidence_is_needed(purpose: str, kind: str, good: dict[str, History]) -> None:
    judgement = judge(purpose, dropped(good, kind), declared())
    assert judgement.verdict in (Verdict.INCONC, Verdict.ERROR), judgement.reason


@pytest.mark.parametrize("purpose", [purpose for purpose in UNDER_TRAFFIC if purpose not in WITHOUT_TABLES])
def test_tables_are_needed(purpose: str, good: dict[str, History]) -> None:
    bare = {name: without(history, lambda event: False, tables=False) for name, history in good.items()}
    judgement = judge(purpose, bare, declared())
    assert judgement.verdict is Verdict.INCONC, judgement.reason


INVALID = [
    ({"sent": 1}, "packets where"),
    ({"duration": 99.0}, "were intended"),
    ({"send_errors": 3}, "could not be sent"),
    ({"receiver_drops": 7}, "the receiver itself dropped 7 packets"),
    ({"observer_blind": 5}, "the port taps missed 5 packets"),
    ({"sent": 0}, "nothing was sent"),
]


@pytest.mark.parametrize(
    ("purpose", "change", "why"),
    [(purpose, *INVALID[4]) for purpose in GUARDED] + [("TP.VNF.01.6", *invalid) for invalid in INVALID],
)
def test_an_invalid_trial_says_nothing(
    purpose: str, change: dict[str, float], why: str, good: dict[str, History]
) -> None:
    spoilt = {scenario: with_data(good[scenario], is_mark(marks.TRIAL), **change) for scenario in SCENARIOS[purpose]}
    judgement = judge(purpose, spoilt, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "the traffic trial is invalid" in judgement.reason
    assert why in judgement.reason


@pytest.mark.parametrize("purpose", GUARDED)
def test_a_missing_interval_spoils_the_trial(purpose: str, good: dict[str, History]) -> None:
    """Losses within an interval that was not recorded would not be seen."""
    histories = dict(good)
    for scenario in SCENARIOS[purpose]:
        one = good[scenario].of(EventKind.PACKET_INTERVAL)[40]
        histories[scenario] = without(good[scenario], partial(operator.is_, one))
    judgement = judge(purpose, histories, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "the interval records tell of" in judgement.reason


def test_a_control_run_that_loses_packets_fails_the_comparison() -> None:
    def lose(found: list[Flow]) -> None:
        for flow in found:
            flow.lost = [t for t in flow.packets if 2.0 <= t < 2.2]

    judgement = judge("TP.VNF.01.6", {"upgrade": told("upgrade", flows(lose))}, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "control_run_failed" in judgement.reason


def test_without_control_run_nothing_is_compared(good: dict[str, History]) -> None:
    bare = {"upgrade": without(good["upgrade"], is_mark(marks.CONTROL_BEGIN))}
    judgement = judge("TP.VNF.01.6", bare, declared())
    assert judgement.verdict is Verdict.INCONC
    assert judgement.reason == "there was no control run"


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_scenario_that_was_broken_off_cannot_pass(purpose: str, good: dict[str, History]) -> None:
    end = is_mark(marks.END)
    killed = {scenario: without(good[scenario], end) for scenario in SCENARIOS[purpose]}
    ended = {scenario: with_data(good[scenario], end, complete=False, error="x") for scenario in SCENARIOS[purpose]}
    for histories in (killed, ended):
        judgement = judge(purpose, histories, declared())
        assert judgement.verdict is Verdict.INCONC
        assert "was not carried through to its end" in judgement.reason


def test_a_scenario_that_was_broken_off_still_fails(good: dict[str, History]) -> None:
    """What was seen until then counts: a defect does not hide behind a procedure that ended early."""

    def live_on(story: Story) -> None:
        story.vnfc("old-2").end = 16.2

    broken = told("upgrade", live_on, setting(is_mark(marks.END), complete=False, error="StackError"))
    assert judge("TP.VNF.01.2", {**good, "upgrade": broken}, declared()).verdict is Verdict.FAIL


def test_too_few_users_with_several_flows_show_no_affinity() -> None:
    def few(story: Story) -> None:
        assert story.traffic is not None
        story.traffic.users_per_s = 1.0

    judgement = judge("TP.VNF.08.2", {"upgrade": told("upgrade", few)}, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "users had more than one flow" in judgement.reason


def test_too_few_new_users_show_no_exposure() -> None:
    def few(story: Story) -> None:
        assert story.traffic is not None
        story.traffic.users_per_s = 20.0

    judgement = judge("TP.VNF.08.3", {"exposure": told("exposure", few)}, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "new users only" in judgement.reason


def test_a_refusal_for_a_missing_version_header_says_nothing(good: dict[str, History]) -> None:
    """A general 400 is no refusal for the reason under test."""
    problem = {"title": "Bad Request", "status": 400, "detail": "the Version header is missing"}
    general = told("refusals", setting(is_mark(marks.REQUEST, "unknown_vnfd"), problem=problem))
    judgement = judge("TP.VNF.01.3", {**good, "refusals": general}, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "Version header" in judgement.reason


def test_witnesses_that_disagree_say_nothing() -> None:
    history = told("upgrade")
    table = history.tables["flows"]
    place = table.column_names.index("first_dscp")
    history.tables["flows"] = table.set_column(place, "first_dscp", [[46] * table.num_rows])
    judgement = judge("TP.VNF.08.1", {"upgrade": history}, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "port taps and wire marker disagree" in judgement.reason


@pytest.mark.parametrize("purpose", PURPOSES)
def test_an_exception_inside_a_checker_is_an_error(
    purpose: str, good: dict[str, History], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Judgement:
        raise ZeroDivisionError("an accident")

    monkeypatch.setitem(registry._CHECKERS, purpose, broken)
    judgement = judge(purpose, good, declared())
    assert judgement.verdict is Verdict.ERROR
    assert "ZeroDivisionError: an accident" in judgement.reason
    assert "broken, line" in judgement.reason


def test_rubbish_in_an_event_is_an_error_of_the_tester_not_a_pass(good: dict[str, History]) -> None:
    spoilt = told("upgrade", doing(is_mark(marks.TRIAL), lambda data: data.pop("intended")))
    judgement = judge("TP.VNF.01.6", {**good, "upgrade": spoilt}, declared())
    assert judgement.verdict is Verdict.ERROR
    assert "KeyError" in judgement.reason


def test_an_unknown_purpose_is_an_error(good: dict[str, History]) -> None:
    assert judge("TP.VNF.99.9", good, declared()).verdict is Verdict.ERROR


def test_a_checker_that_passes_without_evidence_is_an_error(
    good: dict[str, History], monkeypatch: pytest.MonkeyPatch
) -> None:
    def generous(purpose: str, *_: object) -> Judgement:
        case = Case(purpose)
        case.expect(True, "")
        return case.judge("all is well")

    monkeypatch.setitem(registry._CHECKERS, "TP.VNF.01.2", generous)
    judgement = judge("TP.VNF.01.2", good, declared())
    assert judgement.verdict is Verdict.ERROR
    assert judgement.reason == "the checker passed without naming evidence"
