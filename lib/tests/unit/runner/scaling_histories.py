"""Histories of scalings as files of a run, and the stories of the checkers' tests that they tell."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.parquet as pq

from nfvcert.history import Event, EventKind, History
from nfvcert.history.reader import file_sha256

CHECKERS = Path(__file__).resolve().parents[1] / "checkers"
for folder in (CHECKERS, CHECKERS / "migration"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from scaling_stories import told  # noqa: E402


def saved(history: History, folder: Path) -> Path:
    """Write a history with its tables where a run has them; the path of its events."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{history.scenario}.jsonl"
    announced = [event.data["table"] for event in history.of(EventKind.FLOW_RECORD)]
    events = list(history)
    last = events[-1]
    for name in history.tables.keys() - announced:
        data = {"table": name}
        events.insert(-1, Event(last.t, EventKind.FLOW_RECORD, "vnf", last.scenario, data, last.wall, last.seq))
    lines = []
    for seq, event in enumerate(events):
        data = event.data
        if event.kind is EventKind.FLOW_RECORD:
            file = f"{history.scenario}.{data['table']}.parquet"
            pq.write_table(history.tables[data["table"]], folder / file)
            data = {**data, "file": file, "sha256": file_sha256(folder / file)}
        moved = Event(event.t, event.kind, event.source, event.scenario, data, event.wall, seq)
        lines.append(moved.to_json() + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


__all__ = ["saved", "told"]
