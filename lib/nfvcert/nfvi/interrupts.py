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
    """Put off SIGINT and SIGTERM until the block has ended; the last one then takes its usual effect.

    Masking would not do: Python runs its handlers in the main thread whichever thread the kernel chose. In other
    threads nothing has to be done for the same reason.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in previous.items():
        if handler is not None:
            signal.signal(number, lambda found, _frame: received.append(found))
    try:
        yield
    finally:
        for number, handler in previous.items():
            if handler is not None:
                signal.signal(number, handler)
        if received:
            signal.raise_signal(received[-1])


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
