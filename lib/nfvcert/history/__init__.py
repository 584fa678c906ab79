"""Histories: the append-only record of everything that was seen while a scenario ran.

Tests stimulate and record; checkers judge the record afterwards, as often as wanted and without the testbed.
"""

from nfvcert.history.events import Event, EventKind
from nfvcert.history.reader import History, load_history
from nfvcert.history.recorder import Recorder

__all__ = ["Event", "EventKind", "History", "Recorder", "load_history"]
