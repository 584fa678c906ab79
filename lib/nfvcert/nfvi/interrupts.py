"""Signals during the life of a testbed: SIGTERM unwinds the stack as SIGINT does; neither cuts a clean-up short."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

TERMINATED = 128 + signal.SIGTERM


def unwind_on_sigterm() -> Any:
    """Let SIGTERM raise SystemExit in the main thread, unless the program handles it already.

    Returns:
        what to hand to :func:`restore_sigterm`, or None when nothing was changed.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return None
    return signal.signal(signal.SIGTERM, _raise)


def restore_sigterm(previous: Any) -> None:
    """Undo :func:`unwind_on_sigterm`."""
    if previous is not None and signal.getsignal(signal.SIGTERM) is _raise:
        signal.signal(signal.SIGTERM, previous)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Put off SIGINT and SIGTERM until the block has ended."""
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
