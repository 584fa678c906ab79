"""Progress: what a run is doing, for a terminal or as plain lines.

Back-ends write their steps into the segments of the histories; the runner follows these files, so that a back-end needs
no channel of its own and a silent one is seen to be silent.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from nfvcert.history import Event, marks
from nfvcert.history.recorder import SEGMENT_SUFFIX
from nfvcert.history.repeated import scenario_and_number
from nfvcert.runner.known import expected_s


class Progress(Protocol):
    """Shows what happens."""

    def say(self, text: str) -> None:
        """A phase of the run began."""

    def scenario(self, name: str, step: str) -> None:
        """A scenario does a step."""

    def close(self) -> None:
        """The run is over."""


class PlainProgress:
    """One line for each phase and step, with the time since the start."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()

    def say(self, text: str) -> None:
        """A phase of the run began."""
        self._console.print(f"[{time.monotonic() - self._started:6.1f} s] {text}", markup=False, highlight=False)

    def scenario(self, name: str, step: str) -> None:
        """A scenario does a step."""
        self.say(f"{name}: {step}")

    def close(self) -> None:
        """Nothing is left to do."""


class LiveProgress:
    """A table of scenarios that is drawn over and over again on a terminal."""

    def __init__(self, console: Console, scenarios: list[str]) -> None:
        self._started = time.monotonic()
        self._phase = ""
        self._rows = {name: _Row(name) for name in scenarios}
        self._current: str | None = None
        self._live = Live(get_renderable=self._draw, console=console, refresh_per_second=8, transient=True)
        self._live.start()

    def say(self, text: str) -> None:
        """A phase of the run began."""
        self._phase = text

    def scenario(self, name: str, step: str) -> None:
        """A scenario does a step."""
        now = time.monotonic()
        if name != self._current:
            self._end_current(now)
            self._current = name
            self._rows.setdefault(name, _Row(name)).begun = now
        self._rows[name].step = step

    def close(self) -> None:
        """Take the table away."""
        self._live.stop()

    def _end_current(self, now: float) -> None:
        if self._current is not None:
            self._rows[self._current].ended = now

    def _draw(self) -> Table:
        now = time.monotonic()
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        expected = sum(expected_s(name) for name in self._rows)
        table.add_row(
            "", Text(self._phase, style="bold"), f"{now - self._started:.0f} s of about {expected + 10:.0f} s"
        )
        repeats: dict[str, list[_Row]] = {}
        for row in self._rows.values():
            repeats.setdefault(scenario_and_number(row.name)[0], []).append(row)
        for name, rows in repeats.items():
            _add_row(table, name if len(rows) == 1 else f"{name}, {len(rows)} times", rows, now)
        return table


@dataclass
class _Row:
    name: str
    step: str = ""
    begun: float | None = None
    ended: float | None = None


def _add_row(table: Table, title: str, rows: list[_Row], now: float) -> None:
    """One line for a scenario, however often it is recorded."""
    ended = [row.ended - row.begun for row in rows if row.begun is not None and row.ended is not None]
    under_way = next((row for row in rows if row.begun is not None and row.ended is None), None)
    done = f"{len(ended)} of {len(rows)} done" if ended and len(rows) > 1 else ""
    if under_way is not None and under_way.begun is not None:
        taken = f"{now - under_way.begun:.0f} of about {expected_s(under_way.name):.0f} s"
        text = Text(f"{under_way.name}: {under_way.step}", style="cyan")
        table.add_row(Spinner("dots"), text, f"{taken}, {done}" if done else taken)
    elif len(ended) == len(rows):
        table.add_row(Text("✓", style="green"), title, f"{sum(ended):.0f} s")
    else:
        table.add_row(Text("·", style="dim"), Text(title, style="dim"), done)


def progress_for(console: Console, scenarios: list[str]) -> Progress:
    """A live table on a terminal, plain lines elsewhere."""
    return LiveProgress(console, scenarios) if console.is_terminal else PlainProgress(console)


class StepFollower:
    """Reads new steps from the segments of the histories."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._offsets: dict[Path, int] = {}

    def new_steps(self) -> list[tuple[str, str]]:
        """(scenario, step) of everything written since the last call."""
        found = []
        for path in sorted(self._folder.glob(f"*.tester{SEGMENT_SUFFIX}"), key=_last_written):
            found += self._read(path)
        return found

    def _read(self, path: Path) -> list[tuple[str, str]]:
        try:
            with path.open("rb") as lines:
                lines.seek(self._offsets.get(path, 0))
                data = lines.read()
        except OSError:
            return []
        whole, _, _ = data.rpartition(b"\n")
        self._offsets[path] = self._offsets.get(path, 0) + (len(whole) + 1 if whole else 0)
        found = []
        for line in whole.split(b"\n"):
            if b'"' + marks.STEP.encode() + b'"' not in line:
                continue
            try:
                event = Event.from_json(line)
            except ValueError:
                continue
            if event.data.get("name") == marks.STEP:
                found.append((event.scenario, str(event.data.get("text", ""))))
        return found


def _last_written(segment: Path) -> float:
    """0 for a segment that has just become part of its history."""
    try:
        return segment.stat().st_mtime
    except FileNotFoundError:
        return 0.0
