"""Operation occurrences: their states over time as readers and subscribers saw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nfvcert.checkers.case import Missing
from nfvcert.checkers.views.calls import NS_OPERATION, VNF_OPERATION, answer, calls, notifications
from nfvcert.history import Event, History, marks

FINAL = frozenset({"COMPLETED", "FAILED", "ROLLED_BACK", "PARTIALLY_COMPLETED"})

NEXT_STATES: dict[str, frozenset[str]] = {
    "STARTING": frozenset({"PROCESSING", "ROLLED_BACK"}),
    "PROCESSING": frozenset({"COMPLETED", "FAILED_TEMP", "PARTIALLY_COMPLETED"}),
    "FAILED_TEMP": frozenset({"PROCESSING", "ROLLING_BACK", "FAILED"}),
    "ROLLING_BACK": frozenset({"ROLLED_BACK", "FAILED_TEMP"}),
    "COMPLETED": frozenset(),
    "PARTIALLY_COMPLETED": frozenset(),
    "ROLLED_BACK": frozenset(),
    "FAILED": frozenset(),
}
"""Direct successors of each state (SOL003 clause 5.6.2, SOL005 for the NS level)."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A state of an operation as somebody saw it at a time (ns)."""

    t: int
    state: str
    via: str
    event: Event


def operation_id(history: History, label: str, level: str) -> str:
    """Id of the operation that the procedure calls ``label``.

    Raises:
        Missing: the operation was never created or never found.
    """
    for event in history.marks(marks.OPERATION):
        if event.data.get("label") == label and event.data.get("level") == level and event.data.get("id"):
            return str(event.data["id"])
    raise Missing(f"no {level.upper()} operation '{label}' was recorded")


def polled(history: History, operation: str) -> list[Sighting]:
    """States read from the operation record, in order of the answers."""
    return [
        Sighting(event.t, str(answer(event).get("operationState", "")), "poll", event)
        for event in calls(history, "GET", rf"lcm_op_occs/{operation}$")
        if event.data.get("status") == 200
    ]


def notified(history: History, operation: str, *, sink: str | None = None) -> list[Sighting]:
    """States told by notifications, in order of arrival."""
    events = notifications(history, VNF_OPERATION, operation=operation, sink=sink)
    events += notifications(history, NS_OPERATION, operation=operation, sink=sink)
    seen = [
        Sighting(event.t, str(event.data["notification"].get("operationState", "")), "notification", event)
        for event in events
    ]
    return sorted(seen, key=lambda sighting: sighting.t)


def first_sighting(history: History, operation: str, state: str) -> Sighting | None:
    """The earliest sign of a state, by poll or notification."""
    seen = [s for s in polled(history, operation) + notified(history, operation) if s.state == state]
    return min(seen, key=lambda sighting: sighting.t, default=None)


def final_record(history: History, operation: str) -> dict[str, Any]:
    """The last answer that showed the operation record.

    Raises:
        Missing: it was never read.
    """
    seen = polled(history, operation)
    if not seen:
        raise Missing(f"operation {operation} was never read")
    return answer(seen[-1].event)


def reachable(first: str, second: str) -> bool:
    """Whether ``second`` can follow ``first``, states in between being missed by slow readers."""
    todo, seen = [first], {first}
    while todo:
        state = todo.pop()
        if state == second:
            return True
        for successor in NEXT_STATES.get(state, frozenset()):
            if successor not in seen:
                seen.add(successor)
                todo.append(successor)
    return False


def distinct_states(sightings: list[Sighting]) -> list[str]:
    """States in order, repetitions left out."""
    states: list[str] = []
    for sighting in sightings:
        if not states or states[-1] != sighting.state:
            states.append(sighting.state)
    return states
