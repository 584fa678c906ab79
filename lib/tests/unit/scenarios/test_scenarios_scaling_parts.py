"""Loads keep their ratios at every scale; dumps and lists of flows become tables that the checkers can read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nfvcert.errors import UsageError
from nfvcert.history import Recorder, load_history
from nfvcert.history.recorder import merge_segments
from nfvcert.runner.known import SCENARIOS as KNOWN
from nfvcert.scenarios.migration_avoidance import SCENARIOS, record
from nfvcert.scenarios.migration_avoidance.load import load_of
from nfvcert.scenarios.migration_avoidance.rules import RuleDumps
from nfvcert.scenarios.migration_avoidance.trial import record_trial
from nfvcert.scenarios.profile import ScalingProfile
from nfvcert.testbed.model import Dataplane

SUMMARY = {
    "intended": 100, "sent": 100, "intended_duration_s": 1.0, "duration_s": 1.0, "received": 100, "lost": 0,
    "duplicates": 0, "reordered": 0,
}  # fmt: skip


@given(scale=st.floats(0.02, 1.0), mean=st.floats(0.3, 10))
def test_ratios_are_kept_at_every_scale(scale: float, mean: float) -> None:
    full = load_of(Dataplane(), scale=1.0, duration_s=20, trigger_s=2, mean_s=mean)
    part = load_of(Dataplane(), scale=scale, duration_s=20, trigger_s=2, mean_s=mean)
    assert part.packets_per_second / full.packets_per_second == pytest.approx(scale)
    assert part.concurrent / full.concurrent == pytest.approx(scale, rel=0.05)
    assert part.new_per_second / full.new_per_second == pytest.approx(scale, rel=0.01)
    assert part.table_capacity / full.table_capacity == pytest.approx(scale, rel=0.05)
    lifetime = part.parameters()["lifetime"]
    assert part.concurrent / part.new_per_second == pytest.approx(lifetime["mean_s"])


def test_the_annex_workload_is_that_of_the_annex() -> None:
    load = load_of(Dataplane(), scale=1.0, duration_s=30, trigger_s=2)
    assert load.parameters()["pps"] == 1_488_095
    assert (load.concurrent, load.new_per_second, load.table_capacity, load.frame) == (10_000, 2_000, 2_048, 64)
    heavy = load_of(Dataplane(), scale=1.0, duration_s=30, trigger_s=2, heavy_tailed=True)
    assert heavy.parameters()["lifetime"]["model"] == "agh-2015"


def test_source_ports_cover_all_ids_where_they_are_ids() -> None:
    load = load_of(Dataplane(), scale=1.0, duration_s=20, trigger_s=2, identity="source-port", extra={"endless": 5})
    assert load.parameters()["addresses"] == {"source_port": 0, "source_ports": 65536}
    assert load.parameters()["endless"] == 5
    assert "addresses" not in load_of(Dataplane(), scale=1.0, duration_s=20, trigger_s=2).parameters()


def test_only_dumps_that_differ_are_kept() -> None:
    dumps = RuleDumps()
    first = {"rules": [{"rule": "a", "range": [0, 65535], "port": "s1"}], "used": 1, "capacity": 8, "t_ns": 1}
    second = {
        **first, "t_ns": 3, "used": 2,
        "rules": [*first["rules"], {"rule": "b", "flow": [1, 2, 3, 4, 17], "port": "s2", "owner": "tenant"}],
    }  # fmt: skip
    assert dumps.take(first)["ranges"] == 1
    dumps.take({**first, "t_ns": 2})
    data = dumps.take(second)
    assert data["exceptions"] == 1
    assert data["owners"] == {"": 1, "tenant": 1}
    rows = dumps.table().to_pylist()
    assert [row["t_ns"] for row in rows] == [1, 3, 3]
    assert rows[2]["kind"] == "flow"
    assert (rows[2]["src"], rows[2]["proto"]) == (1, 17)


def test_a_switch_need_not_tell_the_rules_that_are_known() -> None:
    dumps = RuleDumps()
    told = {"rules": [{"rule": "a", "range": [0, 65535], "port": "s1"}], "used": 1, "capacity": 8, "generation": 7}
    first = dumps.take({**told, "t_ns": 1})
    assert dumps.generation == 7
    again = dumps.take({"used": 1, "capacity": 8, "generation": 7, "t_ns": 2})
    assert again == {**first, "t_ns": 2}
    assert dumps.table().num_rows == 1


@pytest.mark.parametrize("addresses", ["10.0.0.1,198.18.0.9", "167772161,3323068425"])
def test_addresses_become_numbers_however_they_are_written(tmp_path: Path, addresses: str) -> None:
    flows = tmp_path / "flows.csv"
    flows.write_text(f"flow,src,dst,sport,dport,proto,sent\n1,{addresses},7,9,17,100\n")
    recorder = Recorder(tmp_path / "history", "ma-plain", "tester")
    record_trial(recorder, SUMMARY, [{"begin_ns": 5, "end_ns": 9, "sent": 100}], flows)
    recorder.close()
    merged = merge_segments(tmp_path / "history", "ma-plain")
    assert merged is not None
    history = load_history(merged)
    assert history.tables["flows"].to_pylist()[0]["src"] == 0x0A000001
    assert history.tables["flows"].to_pylist()[0]["dst"] == 0xC6120009
    assert not flows.exists()


def test_the_runner_knows_every_scenario() -> None:
    assert {name for name in KNOWN if name.startswith("ma-")} == set(SCENARIOS)


def test_an_unknown_scenario_is_named() -> None:
    with pytest.raises(UsageError, match="ma-plain"):
        record("ma-nothing", None, None, ScalingProfile())  # type: ignore[arg-type]
