"""State machine of NS LCM operation occurrences: which state may follow which (SOL005 6.6.2); pure."""

from __future__ import annotations

from collections import deque

from nfvcert.sol.nslcm import NsLcmOperationState as State

FOLLOWS: dict[State, tuple[State, ...]] = {
    State.PROCESSING: (State.COMPLETED, State.PARTIALLY_COMPLETED, State.FAILED_TEMP),
    State.FAILED_TEMP: (State.PROCESSING, State.ROLLING_BACK, State.FAILED),
    State.ROLLING_BACK: (State.ROLLED_BACK, State.FAILED_TEMP),
}

WITH_ERROR = frozenset({State.FAILED_TEMP, State.FAILED, State.ROLLED_BACK, State.PARTIALLY_COMPLETED})
"""States in which the record carries ``error``."""


def route(current: State, target: State) -> list[State]:
    """The states to enter one after the other on the shortest lawful way; empty if there is none.

    A service operation sees its VNF operations only from time to time, so more than one step may be due at once.
    """
    ways: deque[list[State]] = deque([[current]])
    while ways:
        way = ways.popleft()
        if way[-1] == target:
            return way[1:]
        ways.extend([*way, following] for following in FOLLOWS.get(way[-1], ()) if following not in way)
    return []
