"""Trials, control runs and stages of a scenario under traffic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nfvcert.checkers.case import Case, Missing
from nfvcert.checkers.views.flows import User
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.measure import Measure
from nfvcert.measure.statistics import wilson_interval
from nfvcert.measure.trials import Trial, defects_of


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the traffic migration: share (percent) in force from ``begin`` until the decision at ``end`` (ns)."""

    label: str
    share: float
    begin: int
    end: int
    event: Event


def stages(history: History, label: str) -> list[Stage]:
    """Stages of the modification ``label`` at which the procedure paused, in order."""
    decisions = {(event.data.get("label"), event.data.get("share")): event for event in history.marks(marks.DECISION)}
    found = []
    for event in history.marks(marks.PAUSED):
        if event.data.get("label") != label:
            continue
        share = event.data.get("share")
        decision = decisions.get((label, share))
        if share is None:
            continue
        begin = int(event.data.get("since") or event.t)
        found.append(Stage(label, float(share), begin, decision.t if decision else event.t, event))
    return found


def trial_event(history: History) -> Event:
    """The record of the traffic of a scenario.

    Raises:
        Missing: there was none.
    """
    event = history.mark(marks.TRIAL)
    if event is None:
        raise Missing("the traffic trial was not recorded to its end")
    return event


def trial_data(history: History) -> dict[str, Any]:
    """What the generator reported of the trial."""
    return dict(trial_event(history).data)


def guard_trial(case: Case, history: History) -> bool:
    """Guard that the trial is valid: generator and taps lost nothing, sent what was intended, and told of all of it."""
    event = trial_event(history)
    data = event.data
    case.rests_on(history, [event])
    trial = Trial(
        intended=int(data["intended"]),
        sent=int(data["sent"]),
        intended_duration=float(data["intended_duration"]),
        duration=float(data["duration"]),
        send_errors=int(data.get("send_errors", 0)),
        receiver_drops=int(data.get("receiver_drops", 0)),
    )
    problems = defects_of(trial)
    told = sum(int(interval.data.get("tx", 0)) for interval in intervals(history))
    if told != trial.sent:
        problems.append(f"the interval records tell of {told} packets sent, the generator of {trial.sent}")
    if data.get("observer_blind"):
        problems.append(f"the port taps missed {data['observer_blind']} packets")
    return case.guard(not problems, "the traffic trial is invalid: " + "; ".join(problems))


def intervals(history: History) -> list[Event]:
    """The generator's interval records in order."""
    return [event for event in history.of(EventKind.PACKET_INTERVAL) if "lost" in event.data]


def lost_between(history: History, first: int, last: int) -> int:
    """Packets sent between two times (ns) that never arrived; an interval counts whole if any of it lies in the span.

    Packets that arrived after their interval was reported are not lost: the trial names them.
    """
    within = [e.data for e in intervals(history) if int(e.data["t0"]) < last and int(e.data["t1"]) > first]
    begins = {int(data["t0"]) for data in within}
    trial = history.mark(marks.TRIAL)
    late = (trial.data.get("late") or []) if trial is not None else []
    return sum(int(data["lost"]) for data in within) - sum(int(n) for begin, n in late if int(begin) in begins)


def control_span(history: History) -> tuple[int, int]:
    """Begin and end (ns) of the control run.

    Raises:
        Missing: there was none.
    """
    begin, end = history.mark(marks.CONTROL_BEGIN), history.mark(marks.CONTROL_END)
    if begin is None or end is None:
        raise Missing("there was no control run")
    return begin.t, end.t


def guard_control(case: Case, history: History, *, lost_limit: float) -> bool:
    """Guard that the control run keeps the limit by itself."""
    first, last = control_span(history)
    case.rests_on(history, [*history.marks(marks.CONTROL_BEGIN), *history.marks(marks.CONTROL_END)])
    lost = lost_between(history, first, last)
    return case.guard(lost <= lost_limit, f"control_run_failed: {lost} packets were lost without any modification")


def share_measure(requests: list[User], stage: Stage, *, tolerance: float, source: str) -> Measure | None:
    """Deviation (percentage points) of the share of new requests on the new version from the step of a stage.

    The interval is the sampling error of the offered requests (Wilson, k = 2). None when no request began in the stage.
    """
    within = [user for user in requests if stage.begin <= user.start < stage.end and user.generation in ("old", "new")]
    if not within:
        return None
    on_new = sum(user.generation == "new" for user in within)
    low, high = (100 * bound for bound in wilson_interval(on_new, len(within)))
    measured = 100 * on_new / len(within)
    error = abs(measured - stage.share)
    nearest = 0.0 if low <= stage.share <= high else min(abs(low - stage.share), abs(high - stage.share))
    return Measure(
        name=f"share_error_at_{stage.share:g}_percent",
        value=round(error, 3),
        unit="percentage points",
        operator="<=",
        limit=tolerance,
        source=source,
        interval=None if error <= tolerance else (round(nearest, 3), round(error, 3)),
        rule="tolerance beyond the sampling error of the offered requests (Wilson, k = 2)",
    )
