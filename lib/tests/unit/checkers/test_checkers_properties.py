"""Whatever is taken out of a history, or put in another order, judging never raises and never makes a defect pass."""

from __future__ import annotations

import functools
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from defect_stories import SEEDED
from evidence_kinds import KINDS, dropped, needs
from good_histories import told
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_world import declared

from nfvcert.catalogue import discover
from nfvcert.checkers import judge, registered
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.measure import Verdict

PURPOSES = sorted(purpose for purpose in registered() if not purpose.startswith("TP.MA."))
SAID = {Verdict.PASS, Verdict.FAIL, Verdict.INCONC, Verdict.ERROR}
FEW = settings(max_examples=30)
NONCONFORMITIES = Path(__file__).resolve().parents[4] / "fixtures" / "nonconformities"
CAUGHT_BY = {
    defect.id: next(purpose for purpose in defect.purposes if purpose in PURPOSES)
    for defect in discover(NONCONFORMITIES)
    if set(PURPOSES) & set(defect.purposes) and SEEDED.get(defect.id)
}


@functools.cache
def spoilt(defect: str) -> dict[str, History]:
    """The histories that a seeded defect leaves; told once."""
    return {scenario: told(scenario, *changes) for scenario, changes in SEEDED[defect].items()}


def thinned(history: History, seed: int, share: float, kinds: set[str]) -> History:
    """A history without a share of the events of some kinds."""
    dice = random.Random(seed)

    def goes(event: Event) -> bool:
        return any(KINDS[kind](event) for kind in kinds) and dice.random() < share

    return History(history.scenario, [event for event in history if not goes(event)], history.tables)


def disordered(history: History, seed: int) -> History:
    """A history whose events lie in another order, as if clocks had jumped."""
    events = list(history)
    random.Random(seed).shuffle(events)
    return History(history.scenario, events, history.tables)


def rattled(history: History, seed: int, count: int) -> History:
    """A history in which some events have lost a key of their data, or hold nothing where there was something."""
    dice = random.Random(seed)
    events = list(history)
    for _ in range(count):
        place = dice.randrange(len(events))
        data: dict[str, Any] = dict(events[place].data)
        if data:
            key = dice.choice(sorted(data))
            if dice.random() < 0.5:
                del data[key]
            else:
                data[key] = None
        events[place] = replace(events[place], data=data)
    return History(history.scenario, events, history.tables)


@FEW
@given(
    purpose=st.sampled_from(PURPOSES),
    seed=st.integers(0, 2**32),
    share=st.floats(0.0, 1.0),
    kinds=st.sets(st.sampled_from(sorted(KINDS))),
)
def test_dropping_events_never_raises(
    purpose: str, seed: int, share: float, kinds: set[str], good: dict[str, History]
) -> None:
    fewer = {name: thinned(history, seed, share, kinds) for name, history in good.items()}
    judgement = judge(purpose, fewer, declared())
    assert judgement.verdict in SAID
    assert judgement.reason


@FEW
@given(purpose=st.sampled_from(PURPOSES), seed=st.integers(0, 2**32))
def test_disorder_never_raises(purpose: str, seed: int, good: dict[str, History]) -> None:
    assert judge(purpose, {name: disordered(h, seed) for name, h in good.items()}, declared()).verdict in SAID


@FEW
@given(purpose=st.sampled_from(PURPOSES), seed=st.integers(0, 2**32), count=st.integers(1, 60))
def test_broken_data_never_raise(purpose: str, seed: int, count: int, good: dict[str, History]) -> None:
    assert judge(purpose, {name: rattled(h, seed, count) for name, h in good.items()}, declared()).verdict in SAID


@FEW
@given(data=st.data())
def test_a_defect_never_passes_for_want_of_a_kind_of_evidence(data: st.DataObject, good: dict[str, History]) -> None:
    """With all evidence of a needed kind gone nothing can be said: neither PASS nor FAIL."""
    defect = data.draw(st.sampled_from(sorted(CAUGHT_BY)))
    purpose = CAUGHT_BY[defect]
    kind = data.draw(st.sampled_from(needs(purpose)))
    judgement = judge(purpose, dropped({**good, **spoilt(defect)}, kind), declared())
    assert judgement.verdict is not Verdict.PASS, (defect, purpose, kind)


@FEW
@given(seed=st.integers(0, 2**32), share=st.floats(0.01, 1.0))
def test_losses_do_not_vanish_with_intervals(seed: int, share: float) -> None:
    """Taking interval records out of a lossy history never makes it pass."""
    lossy = spoilt("DEF.VNF.08.f")["upgrade"]
    dice = random.Random(seed)
    kept = [e for e in lossy if e.kind is not EventKind.PACKET_INTERVAL or dice.random() >= share]
    judgement = judge("TP.VNF.01.6", {"upgrade": History("upgrade", kept, lossy.tables)}, declared())
    assert judgement.verdict in (Verdict.FAIL, Verdict.INCONC)


@FEW
@given(seed=st.integers(0, 2**32), share=st.floats(0.0, 0.9))
def test_an_old_vnfc_does_not_vanish_with_samples(seed: int, share: float) -> None:
    """As long as one sample after COMPLETED shows it, it is seen; without any sample nothing is said."""
    lingering = spoilt("DEF.VNF.01.a")["upgrade"]
    fewer = thinned(lingering, seed, share, {"inv"})
    after = [e for e in fewer.of(EventKind.INVENTORY) if _completed(lingering) <= e.t and "server-old-2" in e.to_json()]
    verdict = judge("TP.VNF.01.2", {"upgrade": fewer}, declared()).verdict
    if after:
        assert verdict is Verdict.FAIL


def _completed(history: History) -> int:
    return min(
        event.t
        for event in history.of(EventKind.API_NOTIFICATION)
        if event.data["notification"].get("operationState") == "COMPLETED" and event.data["sink"] == "full"
    )


def test_marks_of_the_recorder_are_never_needed_twice(good: dict[str, History]) -> None:
    """Repeated marks, as a resumed scenario leaves them, do not raise."""
    for purpose in PURPOSES:
        doubled = {}
        for name, history in good.items():
            extra = [*history.marks(marks.PAUSED), *history.marks(marks.DECISION), *history.marks(marks.REACHED)]
            doubled[name] = History(name, sorted([*history, *extra], key=lambda event: event.t), history.tables)
        assert judge(purpose, doubled, declared()).verdict in SAID
