"""The experiment of the annex recorded several times: medians with intervals, and no repeat may do harm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scaling_stories import told
from scaling_world import Change, Scaling
from synthetic_world import declared

from nfvcert.checkers import Judgement, judge
from nfvcert.history import EventKind, History, marks
from nfvcert.history.repeated import repeat_name
from nfvcert.measure import Measure, Verdict

OWN, PLAIN = "ma-sub-ranges", "ma-plain"


def named(history: History, name: str, repeats: int) -> History:
    """The history as one of so many repeats."""
    events = [
        replace(event, data={**event.data, "repeats": repeats}) if event.data.get("name") == marks.BEGIN else event
        for event in history
    ]
    return History(name, events, history.tables)


def repeats(*changes: Change | None) -> dict[str, History]:
    """As many repeats as there are changes, each with its change to the world of our method."""
    found: dict[str, History] = {}
    for number, change in enumerate(changes, start=1):
        own = told(OWN, change) if change else told(OWN)
        found[repeat_name(OWN, number)] = named(own, repeat_name(OWN, number), len(changes))
        found[repeat_name(PLAIN, number)] = named(told(PLAIN), repeat_name(PLAIN, number), len(changes))
    return found


def added_us(microseconds: float) -> Change:
    def change(world: Scaling) -> None:
        world.latency = (8_000.0, microseconds * 1000)

    return change


def measured(judgement: Judgement, name: str) -> Measure:
    return next(measure for measure in judgement.measures if measure.name == name)


def judged(histories: dict[str, History]) -> Judgement:
    return judge("TP.MA.05.1", histories, declared())


def test_one_run_is_a_value_without_an_interval() -> None:
    judgement = judged(repeats(None))
    assert judgement.verdict is Verdict.PASS, judgement.reason
    assert {measure.interval for measure in judgement.measures} == {None}


def test_several_are_a_median_with_its_interval() -> None:
    judgement = judged(repeats(added_us(7), added_us(3), added_us(4)))
    assert judgement.verdict is Verdict.PASS, judgement.reason
    added = measured(judgement, "added_latency_median_detour")
    assert (added.value, added.interval) == (4.0, (3.0, 7.0))
    assert "3 repeats" in added.rule
    assert "3 repeat(s) judged; the draft of the purpose asks for 20" in judgement.observations
    assert {"ma-sub-ranges", "ma-sub-ranges-r3", "ma-plain-r2"} <= set(judgement.evidence)


@pytest.mark.parametrize(
    ("added", "verdict"),
    [((4, 5, 12), Verdict.INCONC), ((4, 12, 13), Verdict.INCONC), ((12, 12, 13), Verdict.FAIL)],
    ids=["the median alone keeps the limit", "the median is over it", "all are over it"],
)
def test_a_limit_inside_the_interval_is_not_decided(added: tuple[float, ...], verdict: Verdict) -> None:
    judgement = judged(repeats(*(added_us(each) for each in added)))
    assert judgement.verdict is verdict
    assert "added median latency over limit" in judgement.reason


def test_one_repeat_with_loss_fails_all() -> None:
    def lossy(world: Scaling) -> None:
        world.lose(np.ones(len(world), bool), 3.0, 3.01)

    judgement = judged(repeats(None, lossy, None))
    assert judgement.verdict is Verdict.FAIL
    assert measured(judgement, "packets_lost").value > 0


def test_one_invalid_repeat_leaves_nothing_to_say() -> None:
    histories = repeats(None, None)
    second = histories["ma-sub-ranges-r2"]
    events = [e for e in second if not (e.kind is EventKind.MARK and e.data.get("name") == marks.TRIAL)]
    histories["ma-sub-ranges-r2"] = History(second.scenario, events, second.tables)
    judgement = judged(histories)
    assert judgement.verdict is Verdict.INCONC
    assert judgement.reason == "the traffic trial was not recorded to its end"


@pytest.mark.parametrize("lacking", ["ma-sub-ranges-r2", "ma-sub-ranges-r3"])
def test_all_repeats_that_were_asked_for_are_needed(lacking: str) -> None:
    histories = repeats(None, None, None)
    del histories[lacking]
    judgement = judged(histories)
    assert judgement.verdict is Verdict.INCONC
    assert judgement.reason == f"scenario '{lacking}' was not recorded"


def test_each_repeat_needs_the_plain_method_beside_it() -> None:
    histories = repeats(None, None)
    del histories["ma-plain-r2"]
    judgement = judged(histories)
    assert judgement.verdict is Verdict.INCONC
    assert judgement.reason == "the plain method was not run beside it"
