"""A run of the flow mode: its state, and the intervals that the engine told until the client fetches them."""

from __future__ import annotations

from collections import deque
from typing import Any

MOST_INTERVALS = 36_000
"""Intervals kept for the client: an hour of 100 ms."""


class FlowRun:
    """From flow_prepare to the summary that flow_stop answers.

    Args:
        tx_port: the sending port.
        parameters: what the client asked for.
    """

    def __init__(self, tx_port: int, parameters: dict[str, Any]) -> None:
        self.tx_port = tx_port
        self.parameters = parameters
        self._intervals: deque[dict[str, Any]] = deque()
        self._first = 0

    def add_interval(self, event: dict[str, Any]) -> None:
        """One more."""
        self._intervals.append({key: value for key, value in event.items() if key != "event"})
        if len(self._intervals) > MOST_INTERVALS:
            self._intervals.popleft()
            self._first += 1

    def intervals(self, since: int, most: int) -> dict[str, Any]:
        """Intervals from number ``since`` on, at most ``most``: {intervals, next, dropped}.

        ``next`` is the number to ask for then, ``dropped`` how many of those asked for are not kept any more.
        """
        begin = max(since, self._first)
        taken = list(self._intervals)[begin - self._first : begin - self._first + most]
        return {"intervals": taken, "next": begin + len(taken), "dropped": max(0, self._first - since)}
