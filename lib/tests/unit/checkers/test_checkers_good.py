"""Nothing is wrong with the good histories: every purpose passes, with evidence that exists."""

from __future__ import annotations

import pytest
from synthetic_world import declared

from nfvcert.catalogue import load
from nfvcert.checkers import judge, registered
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.measure import Verdict

PURPOSES = sorted(purpose for purpose in registered() if not purpose.startswith("TP.MA."))


def test_checkers_are_registered_for_the_tested_purposes() -> None:
    assert registered() == {purpose.id for purpose in load().purposes if purpose.test is not None}
    assert len(PURPOSES) == 30


@pytest.mark.parametrize("purpose", PURPOSES)
def test_purpose_passes_on_good_histories(purpose: str, good: dict[str, History]) -> None:
    judgement = judge(purpose, good, declared())
    assert judgement.verdict is Verdict.PASS, (judgement.reason, judgement.observations)
    assert judgement.purpose == purpose
    assert judgement.reason


@pytest.mark.parametrize("purpose", PURPOSES)
def test_evidence_names_events_of_the_scenarios_of_the_purpose(purpose: str, good: dict[str, History]) -> None:
    scenarios = {p.id: set(p.scenarios) for p in load().purposes}
    judgement = judge(purpose, good, declared())
    assert set(judgement.evidence) <= scenarios[purpose]
    for scenario, numbers in judgement.evidence.items():
        assert numbers == sorted(set(numbers))
        assert set(numbers) <= {event.seq for event in good[scenario]}


def test_judging_is_pure(good: dict[str, History]) -> None:
    """The same histories give the same judgement, and judging leaves them as they were."""
    before = {name: [event.to_json() for event in history] for name, history in good.items()}
    first = [judge(purpose, good, declared()) for purpose in PURPOSES]
    assert [judge(purpose, good, declared()) for purpose in reversed(PURPOSES)] == first[::-1]
    assert {name: [event.to_json() for event in history] for name, history in good.items()} == before


@pytest.mark.parametrize("purpose", PURPOSES)
def test_measures_carry_unit_source_and_limit(purpose: str, good: dict[str, History]) -> None:
    for measure in judge(purpose, good, declared()).measures:
        assert measure.unit
        assert measure.source
        assert measure.to_dict()["verdict"] == "PASS"


def test_good_histories_have_the_shape_of_recorded_ones(good: dict[str, History]) -> None:
    """Events survive being written and read; marks, sources and kinds are those that the recorders use."""
    known = {value for name, value in vars(marks).items() if name.isupper() and isinstance(value, str)}
    for history in good.values():
        assert history.mark(marks.BEGIN) is history.events[0]
        assert history.mark(marks.END) is history.events[-1]
        assert [event.t for event in history] == sorted(event.t for event in history)
        for event in history:
            assert Event.from_json(event.to_json()) == event
            if event.kind is EventKind.MARK:
                assert event.data["name"] in known
            if event.kind is EventKind.API_CALL:
                assert event.source.partition(":")[0] in ("tester", "witness")
                assert event.data["t_request"] <= event.t
