"""Comparing two runs: verdicts that changed, purposes that came or went, measures that moved beyond their intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nfvcert.gate.rundata import MeasureData, RunData

#: From best to worst; a change to the right is a regression.
ORDER = ("PASS", "N/A", "not tested", "INCONC", "ERROR", "FAIL")

Move = Literal["worse", "better", "same"]


@dataclass(frozen=True, slots=True)
class Change:
    """A purpose whose verdict changed."""

    purpose: str
    old: str
    new: str
    reason: str

    def __str__(self) -> str:
        return f"{self.purpose}: {self.old} -> {self.new}{f' ({self.reason})' if self.reason else ''}"


@dataclass(frozen=True, slots=True)
class Moved:
    """A measure whose interval lies wholly beyond the earlier one."""

    purpose: str
    measure: str
    old: MeasureData
    new: MeasureData

    def __str__(self) -> str:
        return f"{self.purpose} {self.measure}: {_shown(self.old)} -> {_shown(self.new)}, limit {self.new.limit}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between an earlier and a later run.

    ``added`` and ``removed`` are purposes judged in one of the runs only. ``surroundings`` lists what else differs
    (drop, testbed, tool, machine), because measures of unlike surroundings say little about the drop.
    """

    old: str
    new: str
    regressions: tuple[Change, ...]
    improvements: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    worsened: tuple[Moved, ...]
    bettered: tuple[Moved, ...]
    surroundings: tuple[str, ...]


def compare(old: RunData, new: RunData) -> Comparison:
    """Compare an earlier with a later run."""
    was = {id: purpose for id, purpose in old.purposes.items() if purpose.verdict != "not tested"}
    now = {id: purpose for id, purpose in new.purposes.items() if purpose.verdict != "not tested"}
    both = [id for id in was if id in now]
    changes = [Change(id, was[id].verdict, now[id].verdict, now[id].reason) for id in both]
    changes = [change for change in changes if change.old != change.new]
    moved = [(way, found) for id in both for way, found in _moves(id, was[id].measures, now[id].measures)]
    return Comparison(
        old=old.run,
        new=new.run,
        regressions=tuple(c for c in changes if ORDER.index(c.new) > ORDER.index(c.old)),
        improvements=tuple(c for c in changes if ORDER.index(c.new) < ORDER.index(c.old)),
        added=tuple(id for id in now if id not in was),
        removed=tuple(id for id in was if id not in now),
        worsened=tuple(found for way, found in moved if way == "worse"),
        bettered=tuple(found for way, found in moved if way == "better"),
        surroundings=tuple(_differences(old, new)),
    )


def move(old: MeasureData, new: MeasureData) -> Move:
    """Whether a measure is worse or better beyond both intervals; which way is worse follows from the limit.

    A measure that is only reported has no worse side, and one without a value cannot be compared: ``same``.
    """
    if None in (old.low, old.high, new.low, new.high) or old.unit != new.unit:
        return "same"
    assert old.low is not None and old.high is not None and new.low is not None and new.high is not None
    rose, fell = new.low > old.high, new.high < old.low
    operator, _, target = new.limit.partition(" ")
    if operator in ("<=", "<"):
        return "worse" if rose else "better" if fell else "same"
    if operator in (">=", ">"):
        return "worse" if fell else "better" if rose else "same"
    if operator == "=" and (rose or fell):
        aim = _number(target)
        if aim is not None and old.value is not None and new.value is not None:
            return "worse" if abs(new.value - aim) > abs(old.value - aim) else "better"
    return "same"


def _moves(purpose: str, old: tuple[MeasureData, ...], new: tuple[MeasureData, ...]) -> Iterator[tuple[Move, Moved]]:
    earlier = {measure.name: measure for measure in old}
    for measure in new:
        before = earlier.get(measure.name)
        if before is not None and (way := move(before, measure)) != "same":
            yield way, Moved(purpose, measure.name, before, measure)


def _differences(old: RunData, new: RunData) -> Iterator[str]:
    for name in old.surroundings.keys() | new.surroundings.keys():
        before, after = old.surroundings.get(name, ""), new.surroundings.get(name, "")
        if before != after:
            yield f"{name}: {before} -> {after}"


def _number(text: str) -> float | None:
    try:
        return float(text.split()[0])
    except (ValueError, IndexError):
        return None


def _shown(measure: MeasureData) -> str:
    value = "unknown" if measure.value is None else f"{measure.value:g} {measure.unit}"
    if measure.low == measure.high or measure.low is None or measure.high is None:
        return value
    return f"{value} ({measure.low:g} to {measure.high:g})"
