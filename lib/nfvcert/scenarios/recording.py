"""One scenario being recorded: its segments, its steps, its periodic samples, its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nfvcert.history import EventKind, Recorder, marks
from nfvcert.history.recorder import merge_segments
from nfvcert.testbed.witness.client import WitnessClient

CLOCK_ERROR_NS = 1_000_000
"""Bound of the difference between any two recorders: all read CLOCK_MONOTONIC of one machine; what remains is the
time between an event and the reading of the clock by a process that may have been preempted."""


class Recording:
    """Context in which a scenario runs; at its end the segments become one history file.

    ``witness`` records the reference points of the MANO stack; None where a scenario does without that stack.
    """

    def __init__(self, run_folder: Path, scenario: str, witness: WitnessClient | None, about: dict[str, Any]) -> None:
        self.scenario = scenario
        self.folder = run_folder / "history"
        self.witness = witness
        self.recorder = Recorder(self.folder, scenario, "tester")
        self.about = about
        self._periodic: list[Periodic] = []
        self._at_end: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        if self.witness is not None:
            self.witness.begin(self.scenario, self.folder)
        clock = {"source": "CLOCK_MONOTONIC", "error_ns": CLOCK_ERROR_NS}
        self.recorder.mark(marks.BEGIN, clock=clock, **self.about)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def end(self, error: BaseException | None = None) -> Path | None:
        """Stop everything that samples, close the segments and merge them.

        Raises what an action at the end raised, when all else is done and there was no error before.
        """
        failure: Exception | None = None
        for action in reversed(self._at_end):
            try:
                action()
            except Exception as problem:
                failure = failure or problem
        for periodic in self._periodic:
            periodic.stop()
        told = error or failure
        text = None if told is None else f"{type(told).__name__}: {told}"
        self.recorder.mark(marks.END, complete=told is None, error=text)
        self.recorder.close()
        try:
            if self.witness is not None:
                self.witness.end()
        finally:
            merged = merge_segments(self.folder, self.scenario)
        if failure is not None and error is None:
            raise failure
        return merged

    def step(self, text: str) -> None:
        """Say what the procedure does now."""
        self.recorder.mark(marks.STEP, text=text)

    def every(self, seconds: float, name: str, action: Callable[[], None]) -> Periodic:
        """Repeat an action in the background until the scenario ends."""
        periodic = Periodic(seconds, name, action)
        self._periodic.append(periodic)
        periodic.start()
        return periodic

    def at_end(self, action: Callable[[], None]) -> None:
        """Do this when the scenario ends, whatever happened; last registered first."""
        self._at_end.append(action)

    def sample_inventory(self, hosts: Callable[[], list[dict[str, Any]]]) -> None:
        """Take one sample of what runs on the hosts."""
        found = hosts()
        self.recorder.record(EventKind.INVENTORY, "hosts", {"hosts": found})


class Periodic:
    """An action repeated by a thread of its own. Errors are counted, the last one is kept; the repetition goes on."""

    def __init__(self, seconds: float, name: str, action: Callable[[], None]) -> None:
        self.failure: Exception | None = None
        self.failures = 0
        self._seconds = seconds
        self._action = action
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the action that runs now."""
        self._ended.set()
        self._thread.join(timeout=15)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            try:
                self._action()
            except Exception as failure:
                self.failure = failure
                self.failures += 1
            due = max(due + self._seconds, time.monotonic())
            self._ended.wait(max(0.0, due - time.monotonic()))
