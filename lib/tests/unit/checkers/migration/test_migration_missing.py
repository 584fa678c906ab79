"""What is not in the evidence is never a pass: invalid trials, observers that disagree, missing and damaged events."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scaling_defects import STORIES
from scaling_stories import SCENARIOS, told
from scaling_world import Scaling
from synthetic_world import declared
from test_migration_defects import SEEDED

from nfvcert.catalogue import load
from nfvcert.checkers import judge, registered
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.history import migration as m
from nfvcert.measure import Verdict

PURPOSES = sorted(purpose for purpose in registered() if purpose.startswith("TP.MA."))
RESTS_ON = {purpose.id: purpose.scenarios for purpose in load().purposes}
BESIDE = {"ma-plain": {"TP.MA.05.1"}, "ma-heavy-tailed": {"TP.MA.05.1"}}
"""Scenarios of a purpose that are only compared with."""
FEW = settings(max_examples=25)

Wanted = Callable[[Event], bool]


def mark(name: str) -> Wanted:
    """Marks of a name."""
    return lambda event: event.kind is EventKind.MARK and event.data.get("name") == name


def source(name: str, kind: EventKind) -> Wanted:
    """Events of a kind from a source."""
    return lambda event: event.kind is kind and event.source == name


def with_data(history: History, wanted: Wanted, **data: Any) -> History:
    """The history with other data in some events."""
    events = [replace(e, data={**e.data, **data}) if wanted(e) else e for e in history]
    return History(history.scenario, events, history.tables)


def without(history: History, wanted: Wanted, *tables: str) -> History:
    """The history with less in it."""
    kept = {name: table for name, table in history.tables.items() if name not in tables}
    return History(history.scenario, [event for event in history if not wanted(event)], kept)


def everywhere(scaled: dict[str, History], purpose: str, change: Callable[[History], History]) -> dict[str, History]:
    """All histories, those of a purpose changed."""
    concerned = [name for name in RESTS_ON[purpose] if purpose not in BESIDE.get(name, set())]
    return {**scaled, **{name: change(scaled[name]) for name in concerned}}


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"intended": 10_000_000}, "were intended"),
        ({"intended_duration": 10.3}, "s were intended"),
        ({"send_errors": 3}, "could not be sent"),
        ({"receiver_drops": 3}, "the receiver itself dropped"),
        ({"foreign": 7}, "were not the generator's"),
    ],
)
def test_an_invalid_trial_says_nothing(
    purpose: str, data: dict[str, Any], why: str, scaled: dict[str, History]
) -> None:
    spoilt = everywhere(scaled, purpose, lambda history: with_data(history, mark(marks.TRIAL), **data))
    judgement = judge(purpose, spoilt, declared())
    assert judgement.verdict is Verdict.INCONC
    assert any(why in text for text in (judgement.reason, *judgement.observations))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_trial_just_within_its_bounds_counts(purpose: str, scaled: dict[str, History]) -> None:
    def almost(history: History) -> History:
        found = history.mark(marks.TRIAL)
        assert found is not None
        more = int(found.data["sent"] * 1.0009)
        return with_data(history, mark(marks.TRIAL), intended=more, intended_duration=found.data["duration"] * 1.009)

    assert judge(purpose, everywhere(scaled, purpose, almost), declared()).verdict is Verdict.PASS


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_missing_interval_spoils_the_trial(purpose: str, scaled: dict[str, History]) -> None:
    def thinned(history: History) -> History:
        one = history.of(EventKind.PACKET_INTERVAL, where=lambda e: e.source == m.GENERATOR)[40]
        return without(history, lambda event: event is one)

    judgement = judge(purpose, everywhere(scaled, purpose, thinned), declared())
    assert judgement.verdict in (Verdict.INCONC, Verdict.FAIL)
    assert any("intervals were not recorded" in text for text in (judgement.reason, *judgement.observations))


@pytest.mark.parametrize("purpose", [p for p in PURPOSES if p not in ("TP.MA.04.2", "TP.MA.05.4")])
def test_observers_that_disagree_say_nothing(purpose: str, scaled: dict[str, History]) -> None:
    def disagree(world: Scaling) -> None:
        world.observer_error = 20_000

    spoilt = {name: told(name, disagree) for name in RESTS_ON[purpose] if name != "ma-move-interrupted"}
    if not spoilt:
        return
    judgement = judge(purpose, {**scaled, **spoilt}, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "observers disagree" in judgement.reason


@pytest.mark.parametrize("purpose", PURPOSES)
def test_clocks_that_are_not_bounded_say_nothing(purpose: str, scaled: dict[str, History]) -> None:
    loose = everywhere(scaled, purpose, lambda h: with_data(h, mark(marks.BEGIN), clock={"error_ns": 50_000_000}))
    judgement = judge(purpose, loose, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "clocks" in judgement.reason


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_scenario_that_was_broken_off_cannot_pass(purpose: str, scaled: dict[str, History]) -> None:
    ended = everywhere(scaled, purpose, lambda h: with_data(h, mark(marks.END), complete=False, error="x"))
    judgement = judge(purpose, ended, declared())
    assert judgement.verdict is Verdict.INCONC


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    ("wanted", "tables"),
    [
        (lambda event: False, (m.FLOWS_TABLE,)),
        (mark(m.WORKLOAD), ()),
        (mark(m.TRAFFIC), ()),
        (mark(marks.TRIAL), ()),
        (source(m.GENERATOR, EventKind.PACKET_INTERVAL), ()),
        (mark(m.SPLIT), ()),
    ],
    ids=["flows", "workload", "traffic", "trial", "intervals", "requests"],
)
def test_evidence_that_everything_rests_on_is_not_there(
    purpose: str, wanted: Wanted, tables: tuple[str, ...], scaled: dict[str, History]
) -> None:
    spoilt = everywhere(scaled, purpose, lambda history: without(history, wanted, *tables))
    judgement = judge(purpose, spoilt, declared())
    if wanted is not None and judgement.verdict is Verdict.PASS:
        pytest.fail(f"passed without: {judgement.reason}")
    assert judgement.verdict is Verdict.INCONC, judgement.reason


def test_a_generator_that_fell_silent_says_nothing() -> None:
    def silent(world: Scaling) -> None:
        world.silence_ms[:] = 300

    judgement = judge("TP.MA.03.1", {"ma-plain": told("ma-plain", silent)}, declared())
    assert judgement.verdict is Verdict.INCONC
    assert "silent for longer than the state timeout" in judgement.reason


def test_the_plain_method_has_to_run_beside_ours(scaled: dict[str, History]) -> None:
    alone = {name: history for name, history in scaled.items() if name != "ma-plain"}
    judgement = judge("TP.MA.05.1", alone, declared())
    assert judgement.verdict is Verdict.INCONC
    assert judgement.reason == "the plain method was not run beside it"


def thinned(history: History, seed: int, share: float) -> History:
    """A history without a share of its events and, sometimes, a table."""
    dice = random.Random(seed)
    kept = [event for event in history if dice.random() >= share]
    tables = {name: table for name, table in history.tables.items() if dice.random() >= share / 2}
    return History(history.scenario, kept, tables)


def rattled(history: History, seed: int, count: int) -> History:
    """A history in which some events have lost a key of their data, or hold nothing where there was something."""
    dice = random.Random(seed)
    events = list(history)
    for _ in range(count):
        place = dice.randrange(len(events))
        data = dict(events[place].data)
        if data:
            key = dice.choice(sorted(data))
            data.pop(key) if dice.random() < 0.5 else data.update({key: None})
        events[place] = replace(events[place], data=data)
    return History(history.scenario, events, history.tables)


_TOLD: dict[str, dict[str, History]] = {}


def spoilt_by(defect: str) -> dict[str, History]:
    """The histories that a seeded defect leaves; told once."""
    if defect not in _TOLD:
        _TOLD[defect] = {scenario: told(scenario, *changes) for scenario, changes in STORIES[defect].items()}
    return _TOLD[defect]


@FEW
@given(purpose=st.sampled_from(PURPOSES), seed=st.integers(0, 2**32), share=st.floats(0.0, 1.0))
def test_judging_what_is_left_never_raises(purpose: str, seed: int, share: float, scaled: dict[str, History]) -> None:
    left = {name: thinned(scaled[name], seed, share) for name in RESTS_ON[purpose]}
    assert judge(purpose, left, declared()).verdict in set(Verdict)


@FEW
@given(defect=st.sampled_from(SEEDED), seed=st.integers(0, 2**32), count=st.integers(1, 200))
def test_damage_never_makes_a_defect_pass(defect: Any, seed: int, count: int, scaled: dict[str, History]) -> None:
    purpose = defect.purposes[0]
    left = {name: scaled[name] for name in RESTS_ON[purpose]}
    left |= {name: rattled(history, seed, count) for name, history in spoilt_by(defect.id).items()}
    assert judge(purpose, left, declared()).verdict is not Verdict.PASS


def test_every_scenario_belongs_to_a_purpose() -> None:
    used = {scenario for purpose in PURPOSES for scenario in RESTS_ON[purpose]}
    assert used == set(SCENARIOS)
