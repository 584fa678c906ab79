"""The state machine of operations."""

from __future__ import annotations

import pytest

from nfvcert.reference.vnfm.states import RUNNING, TRANSITIONS, Task, next_state
from nfvcert.sol.common import LcmOperationState as State


@pytest.mark.parametrize("state", [state for state in State if state.final])
@pytest.mark.parametrize("task", list(Task))
def test_nothing_leaves_a_final_state(state: State, task: Task) -> None:
    assert next_state(state, task) is None


@pytest.mark.parametrize("task", [Task.RETRY, Task.ROLLBACK, Task.FAIL])
def test_recovery_only_from_failed_temp(task: Task) -> None:
    assert [state for state in State if next_state(state, task)] == [State.FAILED_TEMP]


def test_cancel_and_restart_where_a_task_runs() -> None:
    for task in (Task.CANCEL, Task.RESTART):
        assert {state for state in State if next_state(state, task)} == RUNNING
        assert next_state(State.STARTING, task) is State.ROLLED_BACK
        assert next_state(State.PROCESSING, task) is State.FAILED_TEMP
        assert next_state(State.ROLLING_BACK, task) is State.FAILED_TEMP


def test_every_state_can_be_reached_and_left_for_an_end() -> None:
    reached = {State.STARTING}
    for _ in State:
        reached |= {following for (state, _), following in TRANSITIONS.items() if state in reached}
    assert reached == set(State)
