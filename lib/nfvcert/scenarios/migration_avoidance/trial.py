"""From what the generator reports of a trial to marks, intervals and the table of flows of a history."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nfvcert.history import EventKind, Recorder, marks
from nfvcert.history.migration import FLOWS_TABLE, GENERATOR
from nfvcert.traffic.flows import read_csv, write_parquet

_ADDRESSES = ("src", "dst")


def record_trial(recorder: Recorder, summary: dict[str, Any], intervals: list[dict[str, Any]], flows: Path) -> None:
    """Write intervals, the list of flows and the summary of a trial that has ended.

    Raises:
        TestbedError: the list of flows is missing or no table.
    """
    for interval in intervals:
        data = {key: value for key, value in interval.items() if key != "event"}
        recorder.record(EventKind.PACKET_INTERVAL, GENERATOR, data, t=int(interval["end_ns"]))
    table = _numbered(read_csv(flows))
    flows.unlink()
    record_table(recorder, FLOWS_TABLE, table, GENERATOR)
    recorder.mark(
        marks.TRIAL,
        label="traffic",
        intended=int(summary["intended"]),
        sent=int(summary["sent"]),
        intended_duration=float(summary["intended_duration_s"]),
        duration=float(summary["duration_s"]),
        send_errors=int(summary.get("send_errors", 0)),
        receiver_drops=int(summary.get("receiver_drops", 0)),
        received=int(summary["received"]),
        lost=int(summary["lost"]),
        duplicates=int(summary["duplicates"]),
        reordered=int(summary["reordered"]),
        foreign=int(summary.get("foreign", 0)),
        latency_ns=summary.get("latency_ns") or {},
    )


def record_table(recorder: Recorder, name: str, table: pa.Table, source: str) -> None:
    """Write a table beside the history and refer to it."""
    path = recorder.folder / f"{recorder.scenario}.{name}.parquet"
    digest = write_parquet(table, path)
    data = {"table": name, "file": path.name, "sha256": digest, "rows": table.num_rows}
    recorder.record(EventKind.FLOW_RECORD, source, data)


def _numbered(table: pa.Table) -> pa.Table:
    """Addresses as numbers, as the id of a flow is worked out from them."""
    for name in _ADDRESSES:
        column = table.column(name)
        if not pa.types.is_string(column.type):
            continue
        unique = pc.unique(column).to_pylist()
        number = {text: int(text) if text.isdigit() else int(IPv4Address(text)) for text in unique}
        values = pa.array([number[text] for text in column.to_pylist()], type=pa.int64())
        table = table.set_column(table.column_names.index(name), name, values)
    return table
