"""Writing a history: thread-safe, append-only, flushed event by event.

While a scenario runs every recording process appends to a segment of its own (``<scenario>.<writer>.part.jsonl``);
:func:`merge_segments` orders them by time into the one history file when the scenario ends, or when a later step finds
segments that a killed process left behind.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from nfvcert.history.events import Event, EventKind

SEGMENT_SUFFIX = ".part.jsonl"


class Recorder:
    """Appends events of one scenario to one segment.

    Args:
        folder: the ``history`` folder of the run.
        scenario: id of the scenario.
        writer: name of the recording process, unique among the segments of the scenario.
    """

    def __init__(self, folder: Path, scenario: str, writer: str) -> None:
        self.folder = folder
        self.scenario = scenario
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{scenario}.{writer}{SEGMENT_SUFFIX}"
        self._lock = threading.Lock()
        self._seq = 0
        self._file: TextIO | None = self.path.open("a", encoding="utf-8")

    def record(self, kind: EventKind, source: str, data: dict[str, Any], *, t: int | None = None) -> int:
        """Append one event and flush it; returns its number within the segment.

        Args:
            t: CLOCK_MONOTONIC in ns at which it was seen; now, when left out.
        """
        seen = time.monotonic_ns() if t is None else t
        with self._lock:
            if self._file is None:
                return -1
            seq = self._seq
            self._seq += 1
            wall = datetime.now(UTC).isoformat(timespec="milliseconds")
            event = Event(t=seen, kind=kind, source=source, scenario=self.scenario, data=data, wall=wall, seq=seq)
            self._file.write(event.to_json() + "\n")
            self._file.flush()
        return seq

    def mark(self, name: str, **data: Any) -> int:
        """Record a named moment of the procedure."""
        return self.record(EventKind.MARK, "scenario", {"name": name, **data})

    def close(self) -> None:
        """Stop recording; later events are not taken any more."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def merge_segments(folder: Path, scenario: str) -> Path | None:
    """Order all segments of ``scenario`` by time into ``<scenario>.jsonl`` and remove them.

    A last line that was cut off by a kill is left out. Returns the history file, or None when there is nothing.
    """
    segments = sorted(folder.glob(f"{scenario}.*{SEGMENT_SUFFIX}"))
    target = folder / f"{scenario}.jsonl"
    if not segments:
        return target if target.exists() else None
    events: list[Event] = []
    for path in ([target] if target.exists() else []) + segments:
        events.extend(_read_whole_lines(path))
    events.sort(key=lambda event: event.t)
    partial = target.with_suffix(".tmp")
    with partial.open("w", encoding="utf-8") as out:
        for seq, event in enumerate(events):
            renumbered = Event(event.t, event.kind, event.source, event.scenario, event.data, event.wall, seq)
            out.write(renumbered.to_json() + "\n")
    partial.replace(target)
    for path in segments:
        path.unlink()
    return target


def unmerged_scenarios(folder: Path) -> list[str]:
    """Scenarios of which segments are left, for instance after a kill."""
    return sorted({path.name.split(".", 1)[0] for path in folder.glob(f"*{SEGMENT_SUFFIX}")})


def _read_whole_lines(path: Path) -> list[Event]:
    events = []
    for line in path.read_bytes().split(b"\n"):
        if not line:
            continue
        try:
            events.append(Event.from_json(line))
        except ValueError:
            continue
    return events
