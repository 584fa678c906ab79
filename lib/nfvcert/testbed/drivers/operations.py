"""Operation occurrences of SOL003 and SOL005, which are read alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nfvcert.errors import StackError
from nfvcert.sol.http import Answer
from nfvcert.testbed.waiting import wait_for

POLL_S = 0.1


def operation_id(answer: Answer) -> str:
    """The operation that a 202 points to.

    Raises:
        StackError: there is no Location.
    """
    location = answer.location
    if answer.status != 202 or not location:
        raise StackError("the answer names no operation", found=f"{answer.status}, Location {location!r}")
    return location.rstrip("/").rsplit("/", 1)[-1]


def await_state(
    read: Callable[[], dict[str, Any]], states: set[str], *, timeout_s: float, where: str
) -> dict[str, Any]:
    """The record of an operation as soon as it has one of the states.

    Raises:
        TestbedError: it has none of them in time.
    """

    def reached() -> dict[str, Any] | None:
        record = read()
        return record if record.get("operationState") in states else None

    what = f"operation reaching {' or '.join(sorted(states))}"
    return wait_for(reached, timeout_s=timeout_s, every_s=POLL_S, what=what, where=where)
