"""Nothing is wrong with the good histories of dynamic scaling: every purpose passes, with evidence that exists."""

from __future__ import annotations

import pytest
from synthetic_world import declared

from nfvcert.catalogue import load
from nfvcert.checkers import judge, registered
from nfvcert.history import Event, History, marks
from nfvcert.history import migration as m
from nfvcert.measure import Verdict

PURPOSES = sorted(purpose for purpose in registered() if purpose.startswith("TP.MA."))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_purpose_passes_on_good_histories(purpose: str, scaled: dict[str, History]) -> None:
    judgement = judge(purpose, scaled, declared())
    assert judgement.verdict is Verdict.PASS, (judgement.reason, judgement.observations)
    assert judgement.reason


@pytest.mark.parametrize("purpose", PURPOSES)
def test_evidence_names_events_of_the_scenarios_of_the_purpose(purpose: str, scaled: dict[str, History]) -> None:
    scenarios = {p.id: set(p.scenarios) for p in load().purposes}
    judgement = judge(purpose, scaled, declared())
    assert judgement.evidence
    assert set(judgement.evidence) <= scenarios[purpose]
    for scenario, numbers in judgement.evidence.items():
        assert set(numbers) <= {event.seq for event in scaled[scenario]}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_measures_of_the_catalogue_are_reported(purpose: str, scaled: dict[str, History]) -> None:
    """What the catalogue asks for is measured under its name, in its unit."""
    judgement = judge(purpose, scaled, declared())
    found = {measure.name: measure for measure in judgement.measures}
    for plan in load().purpose(purpose).measures:
        matching = [measure for name, measure in found.items() if name.startswith(plan.name)]
        assert matching, f"{plan.name} is not among {sorted(found)}"
        assert all(measure.unit == plan.unit for measure in matching)


def test_judging_is_pure(scaled: dict[str, History]) -> None:
    before = {name: [event.to_json() for event in history] for name, history in scaled.items()}
    first = [judge(purpose, scaled, declared()) for purpose in PURPOSES]
    assert [judge(purpose, scaled, declared()) for purpose in reversed(PURPOSES)] == first[::-1]
    assert {name: [event.to_json() for event in history] for name, history in scaled.items()} == before


def test_good_histories_have_the_shape_of_recorded_ones(scaled: dict[str, History]) -> None:
    known = {value for room in (marks, m) for name, value in vars(room).items() if name.isupper()}
    for history in scaled.values():
        assert history.mark(marks.BEGIN) is history.events[0]
        assert history.mark(marks.END) is history.events[-1]
        for event in history:
            assert Event.from_json(event.to_json()) == event
            if "name" in event.data and event.kind == "mark":
                assert event.data["name"] in known
