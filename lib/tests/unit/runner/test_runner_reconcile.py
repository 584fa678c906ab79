"""Reconciling plan, reports and judgements: nothing planned goes missing, no disagreement passes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.checkers import Judgement
from nfvcert.history import History
from nfvcert.measure import Verdict
from nfvcert.runner.plan import PlannedPurpose
from nfvcert.runner.reconcile import judge_all, reconcile
from nfvcert.runner.reported import ReportedTest

PURPOSE = PlannedPurpose("TP.VNF.01.2", "REQ.VNF.M.01", "title", "robot", "suite.robot", "test", ("upgrade",))
STATUS_OF = {
    Verdict.PASS: "PASS",
    Verdict.FAIL: "FAIL",
    Verdict.INCONC: "FAIL",
    Verdict.ERROR: "FAIL",
    Verdict.NOT_APPLICABLE: "SKIP",
}


def told(status: str, message: str = "", purpose: str = PURPOSE.id) -> ReportedTest:
    return ReportedTest("robot", "suite.robot", "test", purpose, status, message, 1.0)


def judged(verdict: Verdict, reason: str = "so it is") -> dict[str, Judgement]:
    return {PURPOSE.id: Judgement(PURPOSE.id, verdict, reason, {"upgrade": [1]}, (), ("by the way",))}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_where_both_agree_the_judgement_stays(verdict: Verdict) -> None:
    assert reconcile([PURPOSE], [told(STATUS_OF[verdict])], judged(verdict)) == judged(verdict)


@pytest.mark.parametrize(
    ("verdict", "status"),
    [pair for pair in itertools.product(Verdict, ("PASS", "FAIL", "SKIP")) if STATUS_OF[pair[0]] != pair[1]],
)
def test_a_disagreement_is_an_error_of_the_tester(verdict: Verdict, status: str) -> None:
    final = reconcile([PURPOSE], [told(status, "because")], judged(verdict))[PURPOSE.id]
    assert final.verdict is Verdict.ERROR
    texts = (final.reason, *final.observations)
    assert any(f"the back-end reported {status} (because), the checker {verdict}" in text for text in texts)
    assert "so it is" in texts
    assert "by the way" in texts
    assert final.evidence == {"upgrade": [1]}


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.PASS, Verdict.INCONC),
        (Verdict.NOT_APPLICABLE, Verdict.INCONC),
        (Verdict.INCONC, Verdict.INCONC),
        (Verdict.FAIL, Verdict.FAIL),
        (Verdict.ERROR, Verdict.ERROR),
    ],
)
def test_a_test_that_was_not_reported_never_passes(verdict: Verdict, expected: Verdict) -> None:
    final = reconcile([PURPOSE], [], judged(verdict))[PURPOSE.id]
    assert final.verdict is expected
    assert any("did not report its test" in text for text in (final.reason, *final.observations))


def test_different_outcomes_of_one_test_are_an_error() -> None:
    final = reconcile([PURPOSE], [told("FAIL"), told("PASS")], judged(Verdict.PASS))[PURPOSE.id]
    assert (final.verdict, final.reason) == (Verdict.ERROR, "its test was reported with different outcomes")


def test_a_test_reported_twice_alike_counts_once() -> None:
    assert reconcile([PURPOSE], [told("PASS"), told("PASS")], judged(Verdict.PASS)) == judged(Verdict.PASS)


def test_a_purpose_that_was_not_judged_is_an_error() -> None:
    assert reconcile([PURPOSE], [told("FAIL")], {})[PURPOSE.id].verdict is Verdict.ERROR


def test_reports_of_what_was_not_planned_change_nothing() -> None:
    extra = [told("FAIL", purpose="TP.VNF.99.9"), told("FAIL", purpose="")]
    assert reconcile([PURPOSE], [told("PASS"), *extra], judged(Verdict.PASS)) == judged(Verdict.PASS)


@given(
    verdict=st.sampled_from(list(Verdict)),
    statuses=st.lists(st.sampled_from(["PASS", "FAIL", "SKIP"]), max_size=4),
)
def test_reconciling_only_worsens(verdict: Verdict, statuses: list[str]) -> None:
    final = reconcile([PURPOSE], [told(status) for status in statuses], judged(verdict))
    assert set(final) == {PURPOSE.id}
    assert final[PURPOSE.id].verdict.rank >= verdict.rank
    if final[PURPOSE.id].verdict is Verdict.PASS:
        assert statuses
        assert set(statuses) == {"PASS"}


def test_judging_all_calls_every_checker() -> None:
    other = PlannedPurpose("TP.NONE", "REQ", "t", "robot", "s", "t", ())
    empty: dict[str, History] = {}
    found = judge_all([PURPOSE, other], empty, None)  # type: ignore[arg-type]
    assert {purpose: judgement.verdict for purpose, judgement in found.items()} == {
        PURPOSE.id: Verdict.INCONC,
        "TP.NONE": Verdict.ERROR,
    }
