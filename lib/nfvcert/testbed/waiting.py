"""Waiting on conditions with a deadline, never on time alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from nfvcert.errors import StackError

Value = TypeVar("Value")


def wait_for(
    condition: Callable[[], Value | None], *, timeout_s: float, what: str, where: str = "", every_s: float = 0.05
) -> Value:
    """The first value that is true, asked for again until ``timeout_s`` is over.

    Raises:
        StackError: it did not become true in time; ``what`` says what was awaited.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise StackError(f"{what}: not within {timeout_s:g} s", where=where)
        time.sleep(every_s)
