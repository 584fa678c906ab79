"""Flow tables: CSV of generator and port observers into Parquet that a history can refer to by digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from nfvcert.errors import TestbedError

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


def write_parquet(table: pa.Table, path: Path) -> str:
    """Write a table; returns the SHA-256 of the file."""
    pq.write_table(table, path, compression="zstd")
    return hashlib.sha256(path.read_bytes()).hexdigest()
