"""Clients' sessions: events queued for each until it asks for them, and when it was last heard of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Any

LONGEST_QUEUE = 10_000
"""Events that a session may leave unread; one that leaves more has stopped reading and is forgotten."""


class EventType(IntEnum):
    """Numbers of asynchronous events."""

    PORT_STARTED = 0
    PORT_STOPPED = 1
    PORT_FINISHED = 4
    PORT_ACQUIRED = 5
    PORT_RELEASED = 6
    PORT_ATTRIBUTES = 8
    PROFILE_STARTED = 10
    PROFILE_STOPPED = 11
    PROFILE_PAUSED = 12
    PROFILE_RESUMED = 13
    PROFILE_FINISHED = 14
    PROFILE_ERROR = 17
    SERVER_STOPPED = 100


class Session:
    """One client's queue; its numbers rise by one from event to event, or the client gives up."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.last_heard = 0.0
        self._next = 1
        self._queue: deque[dict[str, Any]] = deque()

    def put(self, event: dict[str, Any]) -> bool:
        """Queue an event; False when too many are unread."""
        if len(self._queue) >= LONGEST_QUEUE:
            return False
        self._queue.append(event | {"seq": self._next})
        self._next += 1
        return True

    def take(self) -> list[dict[str, Any]]:
        """All that is queued, oldest first."""
        taken = list(self._queue)
        self._queue.clear()
        return taken


class Sessions:
    """All sessions that ever asked for events.

    Args:
        clock: seconds, monotonic.
        silence_s: after so long without a request a session has vanished.
    """

    def __init__(self, clock: Callable[[], float], silence_s: float) -> None:
        self._clock = clock
        self._silence_s = silence_s
        self._sessions: dict[int | str, Session] = {}
        self.triggers = 0
        """Counts what subscribers are to be woken for."""

    def take(self, number: int | str, user: str) -> list[dict[str, Any]]:
        """A client asks for its events; the first time makes it a session."""
        session = self._sessions.setdefault(number, Session(user))
        session.last_heard = self._clock()
        return session.take()

    def heard(self, number: int | str) -> None:
        """A client whose session this is gave a sign of life."""
        if number in self._sessions:
            self._sessions[number].last_heard = self._clock()

    def publish(self, kind: EventType, data: dict[str, Any]) -> None:
        """Tell an event to all."""
        self._put({"name": "trex-event", "type": int(kind), "data": data})

    def publish_baseline(self, key: int, statistics: dict[str, Any] | None) -> None:
        """Answer a barrier: what was told before it is queued before it; with statistics when they are a baseline."""
        if statistics is not None:
            self._put({"name": "trex-global", "type": 0, "data": statistics, "baseline": True})
        self._put({"name": "trex-barrier", "type": key, "data": {}})

    def forgive(self, seconds: float) -> None:
        """Do not hold against the sessions a time in which the server itself could not listen."""
        for session in self._sessions.values():
            session.last_heard += seconds

    def vanished(self) -> list[int | str]:
        """Forget the sessions that have been silent for too long, and say which."""
        limit = self._clock() - self._silence_s
        gone = [number for number, session in self._sessions.items() if session.last_heard < limit]
        for number in gone:
            del self._sessions[number]
        return gone

    def __len__(self) -> int:
        return len(self._sessions)

    def _put(self, event: dict[str, Any]) -> None:
        self.triggers += 1
        for session in self._sessions.values():
            if not session.put(event):
                session.last_heard = float("-inf")
