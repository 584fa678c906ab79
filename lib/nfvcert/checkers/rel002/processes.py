"""Which processes of the testbed ran when, by the inventory of its processes."""

from __future__ import annotations

from nfvcert.checkers.case import Missing
from nfvcert.history import Event, EventKind, History
from nfvcert.history.migration import PROCESSES


def running_until(history: History, name: str) -> tuple[int, Event] | None:
    """When a process was first seen to have ended for good, (ns, sample); None if it ran until the end.

    Raises:
        Missing: the processes were not listed, or the process was never seen to run.
    """
    samples = history.of(EventKind.INVENTORY, where=lambda event: event.source == PROCESSES)
    if not samples:
        raise Missing("the processes of the testbed were not listed")
    seen = False
    gone: tuple[int, Event] | None = None
    for sample in samples:
        runs = any(p["name"] == name and p["running"] for p in sample.data["processes"])
        seen = seen or runs
        if runs:
            gone = None
        elif seen and gone is None:
            gone = (sample.t, sample)
    if not seen:
        raise Missing(f"'{name}' was never seen to run")
    return gone
