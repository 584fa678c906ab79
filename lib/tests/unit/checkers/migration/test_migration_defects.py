"""Every seeded defect of dynamic scaling fails the purpose that has to catch it, for the reason that its file names."""

from __future__ import annotations

from pathlib import Path

import pytest
from scaling_defects import STORIES, no_dump_sees_exceptions
from scaling_stories import told
from synthetic_world import declared

from nfvcert.catalogue import Nonconformity, discover
from nfvcert.checkers import judge, registered
from nfvcert.history import History
from nfvcert.measure import Verdict

NONCONFORMITIES = Path(__file__).resolve().parents[5] / "fixtures" / "nonconformities"
PURPOSES = {purpose for purpose in registered() if purpose.startswith("TP.MA.")}
SEEDED = [defect for defect in discover(NONCONFORMITIES) if PURPOSES & set(defect.purposes)]


def test_every_seeded_defect_has_a_story_and_every_story_a_defect() -> None:
    assert {defect.id for defect in SEEDED} == set(STORIES)


def test_every_purpose_has_a_defect_that_it_catches() -> None:
    assert {purpose for defect in SEEDED for purpose in defect.purposes} >= PURPOSES


@pytest.mark.parametrize("defect", SEEDED, ids=lambda defect: defect.id)
def test_defect_fails_its_purpose_for_its_reason(defect: Nonconformity, scaled: dict[str, History]) -> None:
    spoilt = {scenario: told(scenario, *changes) for scenario, changes in STORIES[defect.id].items()}
    for purpose in sorted(PURPOSES & set(defect.purposes)):
        judgement = judge(purpose, {**scaled, **spoilt}, declared())
        named = (judgement.reason, *judgement.observations)
        assert judgement.verdict is Verdict.FAIL, named
        assert any(defect.reason.lower() in text.lower() for text in named), named
        assert judgement.evidence


def test_exceptions_that_no_dump_saw_are_missing(scaled: dict[str, History]) -> None:
    spoilt = {"ma-never-migrate": told("ma-never-migrate", no_dump_sees_exceptions)}
    judgement = judge("TP.MA.01.1", {**scaled, **spoilt}, declared())
    assert judgement.verdict is Verdict.FAIL
    assert "exception missing" in judgement.reason
