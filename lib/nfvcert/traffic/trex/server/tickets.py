"""Answers that take longer than a client waits: it gets a ticket and asks again with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nfvcert.errors import TestbedError
from nfvcert.traffic.trex.server.engine import Answer
from nfvcert.traffic.trex.server.errors import NO_RESULTS, InProgress, RpcError

KEPT_S = 600.0
"""So long a finished answer waits for being fetched."""


@dataclass
class _Ticket:
    what: str
    opened: float
    cancelled: bool = False
    done: bool = False
    result: Any = None
    error: RpcError | None = None


class Tickets:
    """Tickets that are open or whose answer has not been fetched."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tickets: dict[int, _Ticket] = {}
        self._last = 0

    def open(self, what: str, finish: Callable[[dict[str, Any]], Any], failed: Callable[[], None]) -> tuple[int, Any]:
        """A new ticket, and what to call with the engine's answer: ``finish`` makes the result of it."""
        self._expire()
        self._last += 1
        ticket = self._tickets[self._last] = _Ticket(what, self._clock())

        def on_answer(answer: Answer) -> None:
            ticket.done = True
            ticket.opened = self._clock()
            try:
                if isinstance(answer, TestbedError):
                    failed()
                    raise RpcError(answer.what, where=answer.where, found=answer.found, hint=answer.hint)
                ticket.result = finish(answer)
            except RpcError as error:
                ticket.error = error

        return self._last, on_answer

    def fetch(self, number: int) -> Any:
        """The result.

        Raises:
            InProgress: not yet.
            RpcError: there is no such ticket, or the work failed.
        """
        ticket = self._tickets.get(number)
        if ticket is None or ticket.cancelled:
            raise RpcError("no such ticket", code=NO_RESULTS, found=str(number))
        if not ticket.done:
            raise InProgress(number)
        del self._tickets[number]
        if ticket.error is not None:
            raise ticket.error
        return ticket.result

    def cancel(self, number: int) -> None:
        """Nobody will ask for it any more; what the engine was told is carried out all the same."""
        if number in self._tickets:
            self._tickets[number].cancelled = True

    def _expire(self) -> None:
        limit = self._clock() - KEPT_S
        for number in [n for n, t in self._tickets.items() if (t.done or t.cancelled) and t.opened < limit]:
            del self._tickets[number]
