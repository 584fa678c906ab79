"""Flow tables: reading, writing, joining. No I/O but files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nfvcert.errors import TestbedError
from nfvcert.traffic.flows import join_csv, read_csv, write_parquet

HEADER = "port,direction,proto,src,sport,dst,dport,dscp,packets,bytes,first_ns,last_ns,flow_id\n"


def flows_table(count: int) -> pa.Table:
    return pa.table(
        {
            "flow_id": list(range(count)),
            "src": [f"198.18.{16 + i // 250}.{i % 250}" for i in range(count)],
            "sport": [20_000 + i % 7 for i in range(count)],
            "dst": ["198.19.0.100"] * count,
            "dport": [5000] * count,
        }
    )


def test_observers_tables_are_read_as_one(tmp_path: Path) -> None:
    full, other, empty = (tmp_path / name for name in ("full.csv", "other.csv", "empty.csv"))
    full.write_text(HEADER + "p1,out,17,198.18.16.1,20000,198.19.0.100,5000,0,3,384,10,30,7\n")
    other.write_text(HEADER + "p2,in,6,10.0.0.1,1,10.0.0.2,2,18,1,60,10,10,\n")
    empty.write_text(HEADER)
    table = join_csv([full, other, empty])
    assert table.num_rows == 2
    assert table["src"].to_pylist() == ["198.18.16.1", "10.0.0.1"]
    assert table["flow_id"].to_pylist() == [7, None]
    assert table["packets"].to_pylist() == [3, 1]


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match=r"gone\.csv"):
        read_csv(tmp_path / "gone.csv")


def test_parquet_is_tied_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "flows.parquet"
    table = flows_table(10)
    digest = write_parquet(table, path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert pq.read_table(path).equals(table)
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"
