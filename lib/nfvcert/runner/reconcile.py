"""Reconciling: what was planned, what the back-ends reported, what the checkers say.

A planned purpose whose test was not reported is INCONC, never missing. Where a back-end and the checker disagree the
tester is broken: ERROR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nfvcert.checkers import Declared, Judgement, judge
from nfvcert.history import History
from nfvcert.measure import Verdict
from nfvcert.runner.plan import Plan, PlannedPurpose
from nfvcert.runner.reported import ReportedTest


def judge_all(
    purposes: Sequence[PlannedPurpose], histories: Mapping[str, History], declared: Declared
) -> dict[str, Judgement]:
    """The checkers' judgements, by purpose."""
    return {purpose.id: judge(purpose.id, histories, declared) for purpose in purposes}


def final_judgements(
    plan: Plan, reported: Sequence[ReportedTest], histories: Mapping[str, History], declared: Declared
) -> dict[str, Judgement]:
    """Judgements of everything that was planned, those excluded by a declaration at the end."""
    judged = reconcile(plan.purposes, reported, judge_all(plan.purposes, histories, declared))
    excluded = {e.id: Judgement(e.id, Verdict.NOT_APPLICABLE, e.reason) for e in plan.excluded}
    return judged | excluded


def reconcile(
    purposes: Sequence[PlannedPurpose], reported: Sequence[ReportedTest], judged: Mapping[str, Judgement]
) -> dict[str, Judgement]:
    """Final judgements of all planned purposes."""
    by_purpose: dict[str, list[ReportedTest]] = {}
    for test in reported:
        by_purpose.setdefault(test.purpose, []).append(test)
    final = {}
    for purpose in purposes:
        tests = by_purpose.get(purpose.id, [])
        judgement = judged.get(purpose.id) or Judgement(purpose.id, Verdict.ERROR, "it was not judged")
        if not tests:
            text = f"the {purpose.backend} back-end did not report its test"
            final[purpose.id] = _worsened(judgement, Verdict.INCONC, text)
        elif len(tests) > 1 and len({test.status for test in tests}) > 1:
            final[purpose.id] = _worsened(judgement, Verdict.ERROR, "its test was reported with different outcomes")
        elif not _agree(tests[0], judgement):
            text = (
                f"the back-end reported {tests[0].status} ({tests[0].message[:200]}), the checker {judgement.verdict}"
            )
            final[purpose.id] = _worsened(judgement, Verdict.ERROR, text)
        else:
            final[purpose.id] = judgement
    return final


def _agree(test: ReportedTest, judgement: Judgement) -> bool:
    if judgement.verdict is Verdict.PASS:
        return test.status == "PASS"
    if judgement.verdict is Verdict.NOT_APPLICABLE:
        return test.status == "SKIP"
    return test.status == "FAIL"


def _worsened(judgement: Judgement, verdict: Verdict, reason: str) -> Judgement:
    if judgement.verdict.worse_of(verdict) is judgement.verdict and judgement.verdict is not verdict:
        return replace(judgement, observations=(*judgement.observations, reason))
    return replace(judgement, verdict=verdict, reason=reason, observations=(judgement.reason, *judgement.observations))
