"""Reading histories with their tables; what is damaged is named with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nfvcert.errors import UsageError
from nfvcert.history import Event, EventKind, History, Recorder, load_history
from nfvcert.history.reader import file_sha256, read_events
from nfvcert.history.recorder import merge_segments

GOOD = Event(1, EventKind.MARK, "scenario", "upgrade", {"name": "step"}, "", 0).to_json()


def write_table(folder: Path, name: str = "flows") -> tuple[Path, dict[str, Any]]:
    path = folder / f"upgrade.{name}.parquet"
    pq.write_table(pa.table({"flow_id": [1, 2, 3]}), path)
    return path, {"table": name, "file": path.name, "sha256": file_sha256(path), "rows": 3}


def write_history(folder: Path, *tables: dict[str, Any]) -> Path:
    recorder = Recorder(folder, "upgrade", "tester")
    recorder.mark("step", text="begin")
    for data in tables:
        recorder.record(EventKind.FLOW_RECORD, "generator", data)
    recorder.close()
    merged = merge_segments(folder, "upgrade")
    assert merged is not None
    return merged


def test_a_history_comes_with_its_tables(tmp_path: Path) -> None:
    _, data = write_table(tmp_path)
    history = load_history(write_history(tmp_path, data))
    assert history.scenario == "upgrade"
    assert len(history) == 2
    assert history.tables["flows"].column("flow_id").to_pylist() == [1, 2, 3]


def test_a_table_that_was_changed_is_refused(tmp_path: Path) -> None:
    path, data = write_table(tmp_path)
    history = write_history(tmp_path, data)
    pq.write_table(pa.table({"flow_id": [1, 2]}), path)
    with pytest.raises(UsageError, match="a table differs from the one recorded") as raised:
        load_history(history)
    assert raised.value.where == str(path)
    assert data["sha256"] in raised.value.found


def test_a_table_without_recorded_digest_is_refused(tmp_path: Path) -> None:
    _, data = write_table(tmp_path)
    del data["sha256"]
    with pytest.raises(UsageError, match="a table differs"):
        load_history(write_history(tmp_path, data))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    path, data = write_table(tmp_path)
    history = write_history(tmp_path, data)
    path.unlink()
    with pytest.raises(UsageError, match="a table named by the history is missing"):
        load_history(history)


def test_a_missing_history_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such history") as raised:
        load_history(tmp_path / "upgrade.jsonl")
    assert raised.value.hint


@pytest.mark.parametrize(
    "line",
    [
        "rubbish",
        "",
        "[]",
        "7",
        "null",
        '{"t": 1}',
        GOOD.replace("mark", "no.such.kind"),
        GOOD.replace('"t":1', '"t":"early"'),
        GOOD.replace('{"name":"step"}', "7"),
        GOOD[:-3],
    ],
)
def test_a_damaged_line_is_named_with_its_number(line: str, tmp_path: Path) -> None:
    path = tmp_path / "upgrade.jsonl"
    path.write_text(f"{GOOD}\n{line}\n{GOOD}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="a line of the history is no event") as raised:
        read_events(path)
    assert raised.value.where == f"{path}:2"


def test_what_is_not_text_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "upgrade.jsonl"
    path.write_bytes(GOOD.encode() + b"\n\xff\xfe\n")
    with pytest.raises(UsageError) as raised:
        read_events(path)
    assert raised.value.where == f"{path}:2"


def history_of(*events: tuple[int, EventKind, str]) -> History:
    return History("upgrade", [Event(t, kind, "s", "upgrade", {"name": name}, "", t) for t, kind, name in events])


def test_questions_to_a_history() -> None:
    history = history_of(
        (1, EventKind.MARK, "step"),
        (2, EventKind.FAULT, "step"),
        (3, EventKind.MARK, "end"),
        (4, EventKind.MARK, "step"),
    )
    assert [event.t for event in history] == [1, 2, 3, 4]
    assert [event.t for event in history.marks("step")] == [1, 4]
    assert history.mark("step") is history.events[0]
    assert history.mark("never") is None
    assert [event.t for event in history.of(EventKind.FAULT, EventKind.MARK)] == [1, 2, 3, 4]
    assert [event.t for event in history.of(EventKind.MARK, where=lambda e: e.t > 2)] == [3, 4]
    assert [event.t for event in history.between(2, 3)] == [2, 3]


def test_what_views_derive_is_worked_out_once() -> None:
    history = history_of((1, EventKind.MARK, "step"))
    times: list[int] = []

    def derive() -> int:
        times.append(1)
        return 7

    assert history.derived("view", derive) == history.derived("view", derive) == 7
    assert times == [1]
    assert history.derived("other view", lambda: 8) == 8
