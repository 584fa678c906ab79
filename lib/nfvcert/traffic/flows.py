"""Flow tables: CSV of generator and port observers into Parquet that a history can refer to by digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from nfvcert.errors import TestbedError

UDP = 17
_ENDPOINTS = ["src", "sport", "dst", "dport"]
_SERVED = pa.schema(
    [
        ("flow_id", pa.int64()),
        ("port", pa.string()),
        ("packets", pa.int64()),
        ("first_ns", pa.int64()),
        ("last_ns", pa.int64()),
    ]
)
_TEXT = ("user", "src", "dst", "ext_ip", "port", "direction")


def read_csv(path: Path) -> pa.Table:
    """Read a table that a native program wrote; addresses and ids are text, everything else numbers.

    Raises:
        TestbedError: the file is missing or no table.
    """
    options = pa_csv.ConvertOptions(column_types={name: pa.string() for name in _TEXT}, strings_can_be_null=False)
    try:
        table = pa_csv.read_csv(path, convert_options=options)
    except (OSError, pa.ArrowInvalid) as error:
        raise TestbedError("a table of flows cannot be read", where=str(path), found=str(error)) from error
    return table


def join_csv(paths: Sequence[Path]) -> pa.Table:
    """Read several tables of one shape as one."""
    tables = [read_csv(path) for path in paths]
    return pa.concat_tables(tables, promote_options="permissive")


def served_by(flows: pa.Table, observed: pa.Table) -> pa.Table:
    """Which port served which flow, by the flow's own addresses and ports in packets on their way to that port. Pure.

    Args:
        flows: table of the generator.
        observed: table of the port observers.

    Returns:
        One row for each flow and port that got packets of it, ordered by flow and time: flow_id, port, packets,
        first_ns, last_ns. A flow that no port got has no row.
    """
    towards = pc.and_(pc.equal(observed["direction"], "out"), pc.equal(observed["proto"], UDP))
    wanted = observed.filter(towards).select([*_ENDPOINTS, "port", "packets", "first_ns", "last_ns"])
    keys = flows.select(["flow_id", *_ENDPOINTS])
    if wanted.num_rows == 0:  # tables without rows have no types either
        return _SERVED.empty_table()
    stays = wanted.join(keys, keys=_ENDPOINTS, join_type="inner")
    merged = stays.group_by(["flow_id", "port"]).aggregate(
        [("packets", "sum"), ("first_ns", "min"), ("last_ns", "max")]
    )
    order = ["flow_id", "port", "packets_sum", "first_ns_min", "last_ns_max"]
    return (
        merged.select(order)
        .rename_columns(_SERVED.names)
        .cast(_SERVED)
        .sort_by([("flow_id", "ascending"), ("first_ns", "ascending")])
    )


def write_parquet(table: pa.Table, path: Path) -> str:
    """Write a table; returns the SHA-256 of the file."""
    pq.write_table(table, path, compression="zstd")
    return hashlib.sha256(path.read_bytes()).hexdigest()
