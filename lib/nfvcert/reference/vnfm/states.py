"""State machine of VNF LCM operation occurrences: pure table of state, task and next state (SOL003 5.6.2)."""

from __future__ import annotations

from enum import StrEnum

from nfvcert.sol.common import LcmOperationState as State


class Task(StrEnum):
    """What may move an operation from one state to the next: requests from outside and results from inside."""

    GRANTED = "granted"
    DONE = "done"
    FAULT = "fault"
    CANCEL = "cancel"
    RETRY = "retry"
    ROLLBACK = "rollback"
    FAIL = "fail"
    RESTART = "restart"


TRANSITIONS: dict[tuple[State, Task], State] = {
    (State.STARTING, Task.GRANTED): State.PROCESSING,
    (State.STARTING, Task.FAULT): State.ROLLED_BACK,
    (State.STARTING, Task.CANCEL): State.ROLLED_BACK,
    (State.STARTING, Task.RESTART): State.ROLLED_BACK,
    (State.PROCESSING, Task.DONE): State.COMPLETED,
    (State.PROCESSING, Task.FAULT): State.FAILED_TEMP,
    (State.PROCESSING, Task.CANCEL): State.FAILED_TEMP,
    (State.PROCESSING, Task.RESTART): State.FAILED_TEMP,
    (State.FAILED_TEMP, Task.RETRY): State.PROCESSING,
    (State.FAILED_TEMP, Task.ROLLBACK): State.ROLLING_BACK,
    (State.FAILED_TEMP, Task.FAIL): State.FAILED,
    (State.ROLLING_BACK, Task.DONE): State.ROLLED_BACK,
    (State.ROLLING_BACK, Task.FAULT): State.FAILED_TEMP,
    (State.ROLLING_BACK, Task.CANCEL): State.FAILED_TEMP,
    (State.ROLLING_BACK, Task.RESTART): State.FAILED_TEMP,
}

RUNNING = frozenset({State.STARTING, State.PROCESSING, State.ROLLING_BACK})
"""States in which a task of the VNFM works on the operation."""

WITH_ERROR = frozenset({State.FAILED_TEMP, State.FAILED, State.ROLLED_BACK})
"""States in which the record carries ``error`` (SOL003 5.5.2.13)."""


def next_state(state: State, task: Task) -> State | None:
    """The state that follows, or None if `task` is not possible in `state`."""
    return TRANSITIONS.get((state, task))
