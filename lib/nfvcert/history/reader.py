"""Reading a history: events in order of time and the tables that belong to them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nfvcert.errors import UsageError
from nfvcert.history.events import Event, EventKind

if TYPE_CHECKING:
    import pyarrow as pa


Derived = TypeVar("Derived")


class History:
    """Everything that was recorded of one scenario; read-only.

    Tables (flow records) are arrow tables by name, as the ``flow.record`` events announce them.
    """

    def __init__(self, scenario: str, events: Sequence[Event], tables: Mapping[str, pa.Table] | None = None) -> None:
        self.scenario = scenario
        self.events: tuple[Event, ...] = tuple(events)
        self.tables: dict[str, pa.Table] = dict(tables or {})
        self._derived: dict[Any, Any] = {}

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self.events)

    def derived(self, key: Any, derive: Callable[[], Derived]) -> Derived:
        """What a view derives from this history, worked out once; ``key`` names the view with all it depends on."""
        if key not in self._derived:
            self._derived[key] = derive()
        return self._derived[key]

    def of(self, *kinds: EventKind, where: Callable[[Event], bool] | None = None) -> list[Event]:
        """Events of the given kinds, in order of time, that satisfy ``where``."""
        return [event for event in self.events if event.kind in kinds and (where is None or where(event))]

    def marks(self, name: str) -> list[Event]:
        """All marks with that name."""
        return [event for event in self.events if event.kind is EventKind.MARK and event.data.get("name") == name]

    def mark(self, name: str) -> Event | None:
        """The first mark with that name, or None."""
        return next(iter(self.marks(name)), None)

    def between(self, first: int, last: int) -> list[Event]:
        """Events with ``first <= t <= last`` (ns)."""
        return [event for event in self.events if first <= event.t <= last]


def read_events(path: Path) -> list[Event]:
    """Read a history file.

    Raises:
        UsageError: the file is missing or a line is no event.
    """
    if not path.exists():
        raise UsageError("there is no such history", where=str(path), hint="name a run folder that holds it")
    events = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                events.append(Event.from_json(line))
            except ValueError as error:
                raise UsageError(
                    "a line of the history is no event", where=f"{path}:{number}", found=str(error)
                ) from error
    return events


def load_history(path: Path) -> History:
    """Read a history with its tables, each checked against the digest recorded for it.

    Raises:
        UsageError: history or table missing, damaged, or not the recorded one.
    """
    events = read_events(path)
    tables: dict[str, Any] = {}
    for event in events:
        if event.kind is EventKind.FLOW_RECORD and "file" in event.data:
            tables[event.data["table"]] = _load_table(path.parent / event.data["file"], event.data.get("sha256", ""))
    return History(path.name.removesuffix(".jsonl"), events, tables)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _load_table(path: Path, sha256: str) -> pa.Table:
    import pyarrow.parquet as pq  # heavy: only histories with flow records need it

    if not path.exists():
        raise UsageError("a table named by the history is missing", where=str(path))
    digest = file_sha256(path)
    if digest != sha256:
        raise UsageError(
            "a table differs from the one recorded", where=str(path), found=f"sha256 {digest}, recorded {sha256}"
        )
    return pq.read_table(path)
