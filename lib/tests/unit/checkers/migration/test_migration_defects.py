"""Every seeded defect of dynamic scaling fails the purpose that has to catch it, for the reason that its file names."""

from __future__ import annotations

import pytest
from scaling_defects import EXPECTED, STORIES
from scaling_stories import told
from synthetic_world import declared

from nfvcert.checkers import judge
from nfvcert.history import History
from nfvcert.measure import Verdict


@pytest.mark.parametrize("defect", sorted(STORIES))
def test_defect_fails_its_purpose_for_its_reason(defect: str, scaled: dict[str, History]) -> None:
    purpose, reason = EXPECTED[defect]
    spoilt = {scenario: told(scenario, *changes) for scenario, changes in STORIES[defect].items()}
    judgement = judge(purpose, {**scaled, **spoilt}, declared())
    named = (judgement.reason, *judgement.observations)
    assert judgement.verdict is Verdict.FAIL, named
    assert any(reason.lower() in text.lower() for text in named), named
    assert judgement.evidence
