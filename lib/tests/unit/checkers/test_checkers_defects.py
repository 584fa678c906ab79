"""Every seeded defect fails the purpose that has to catch it, for the reason that its file names."""

from __future__ import annotations

from pathlib import Path

import pytest
from defect_stories import DECLARED_TYPE, SEEDED
from good_histories import told
from synthetic_world import declared

from nfvcert.catalogue import Nonconformity, discover
from nfvcert.checkers import Declared, judge, registered
from nfvcert.history import History
from nfvcert.measure import Verdict

NONCONFORMITIES = Path(__file__).resolve().parents[4] / "fixtures" / "nonconformities"
PURPOSES = {purpose for purpose in registered() if not purpose.startswith("TP.MA.")}
CAUGHT_HERE = [defect for defect in discover(NONCONFORMITIES) if PURPOSES & set(defect.purposes)]


def _declared(defect: str) -> Declared:
    known = declared()
    if defect in DECLARED_TYPE:
        return known.model_copy(update={"modification": {**known.modification, "type": DECLARED_TYPE[defect]}})
    return known


def test_every_seeded_defect_of_a_tested_purpose_has_a_story() -> None:
    assert {defect.id for defect in CAUGHT_HERE} == set(SEEDED)


def test_every_purpose_has_a_defect_that_it_catches() -> None:
    assert {purpose for defect in CAUGHT_HERE for purpose in defect.purposes} >= PURPOSES


@pytest.mark.parametrize("defect", CAUGHT_HERE, ids=lambda defect: defect.id)
def test_defect_fails_its_purpose_for_its_reason(defect: Nonconformity, good: dict[str, History]) -> None:
    stories = {scenario: told(scenario, *changes) for scenario, changes in SEEDED[defect.id].items()}
    for purpose in sorted(PURPOSES & set(defect.purposes)):
        judgement = judge(purpose, {**good, **stories}, _declared(defect.id))
        assert judgement.verdict is Verdict.FAIL, judgement.reason
        named = (judgement.reason, *judgement.observations)
        assert any(defect.reason.lower() in text.lower() for text in named), named
        assert judgement.evidence
