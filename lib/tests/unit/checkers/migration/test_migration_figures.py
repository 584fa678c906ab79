"""The small parts that figures are made of: ids of flows, whole-flow splits, convergence, dumps, limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scaling_stories import told
from scaling_world import Scaling

from nfvcert.checkers.rel002.annex_a1 import ratio_limit
from nfvcert.checkers.rel002.figures import curves, figures
from nfvcert.checkers.rel002.identity import ids
from nfvcert.checkers.rel002.loads import converged_at
from nfvcert.checkers.rel002.split import best_split_percent
from nfvcert.checkers.rel002.table import Dump
from nfvcert.checkers.rel002.truth import truth
from nfvcert.history import Event, EventKind, History

MS = 1_000_000


def slow_crc32c(octets: bytes) -> int:
    """Bit by bit, as the definition has it."""
    value = 0xFFFFFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def test_the_reference_agrees_with_the_published_check_value() -> None:
    assert slow_crc32c(b"123456789") == 0xE3069283


@given(
    src=st.integers(0, 2**32 - 1),
    dst=st.integers(0, 2**32 - 1),
    sport=st.integers(0, 65535),
    dport=st.integers(0, 65535),
    proto=st.integers(0, 255),
)
def test_ids_are_crc32c_folded_to_sixteen_bits(src: int, dst: int, sport: int, dport: int, proto: int) -> None:
    values = {"src": src, "dst": dst, "sport": sport, "dport": dport, "proto": proto}
    columns = {name: np.array([value], dtype=np.int64) for name, value in values.items()}
    addresses = src.to_bytes(4) + dst.to_bytes(4)
    for identity, octets in (
        ("five-tuple", addresses + sport.to_bytes(2) + dport.to_bytes(2) + proto.to_bytes(1)),
        ("addresses", addresses + proto.to_bytes(1)),
    ):
        crc = slow_crc32c(octets)
        assert ids(columns, identity)[0] == (crc ^ (crc >> 16)) & 0xFFFF
    assert ids(columns, "source-port")[0] == sport
    with pytest.raises(ValueError, match="no identity"):
        ids(columns, "colour")


@given(st.lists(st.floats(0, 20), min_size=0, max_size=120), st.floats(1, 10))
def test_convergence_is_the_begin_of_five_good_seconds(percents: list[float], limit: float) -> None:
    found = converged_at([(i * 100 * MS, percent) for i, percent in enumerate(percents)], limit)
    good = [percent <= limit for percent in percents]
    expected = next((i for i in range(len(good)) if len(good) >= i + 41 and all(good[i : i + 41])), None)
    assert found == (None if expected is None else expected * 100 * MS)


def test_fewer_flows_widen_the_limit_of_detours_and_more_do_not_narrow_it() -> None:
    assert [ratio_limit(scale) for scale in (4.0, 1.0, 0.1)] == [0.5, 0.5, 0.608]


def test_a_flow_too_large_to_be_balanced_widens_the_limit() -> None:
    def large(world: Scaling) -> None:
        few = np.arange(len(world)) < 3
        world.born[~few], world.died[~few] = 0.01, 0.02
        world.born[few], world.died[few] = 0.03, world.end

    flows = truth(told("ma-plain", large))
    first = int(flows["first_tx_ns"].min())
    assert best_split_percent(flows, [1, 2], first + 2_000_000_000, first + 4_000_000_000) == pytest.approx(
        66.7, abs=0.5
    )
    many = truth(told("ma-plain"))
    assert best_split_percent(many, [1, 2], first + 2_000_000_000, first + 4_000_000_000) < 1


def test_figures_of_a_good_run(scaled: dict[str, History]) -> None:
    ours, plain = figures(scaled["ma-sub-ranges"]), figures(scaled["ma-plain"])
    assert ours.affinity_violations == ours.lost == 0
    assert ours.convergence_s is not None
    assert 2.5 < ours.convergence_s < 5.6
    assert ours.imbalance_percent <= ours.imbalance_limit == pytest.approx(15.81)
    assert ours.added_latency_median_us == pytest.approx(4.0)
    assert ours.detoured_bytes < 0.5 * plain.detoured_bytes
    assert plain.table_max <= plain.table_capacity
    assert plain.convergence_s is None
    assert ours.to_dict()["method"] == "sub-ranges"


def test_curves_have_a_row_for_each_interval(scaled: dict[str, History]) -> None:
    history = scaled["ma-plain"]
    rows = curves(history)
    assert len(rows) == len(history.of(EventKind.PACKET_INTERVAL, where=lambda e: e.source == "generator"))
    assert rows[0]["load"]["s2/v1"] == 0
    assert rows[-1]["load"]["s2/v1"] > 0
    assert rows[0]["latency_detoured_us"] is None
    assert rows[40]["latency_detoured_us"] == pytest.approx(12.0)
    assert all(row["sent_pps"] == pytest.approx(sum(row["load"].values()), rel=0.01) for row in rows)


def dump(*ranges: tuple[int, int, str, int]) -> Dump:
    """A dump with these ranges."""
    return Dump(0, len(ranges), 2048, ranges, {}, 0, Event(0, EventKind.INVENTORY, "switch", "x"))


def test_the_higher_priority_decides_where_ranges_overlap() -> None:
    found = dump((0, 65535, "s1", 0), (100, 199, "s2", 1), (65535, 65535, "s2", 1))
    assert found.towards("s2") == [(100, 199), (65535, 65535)]
    assert found.towards("s1") == [(0, 99), (200, 65534)]
    assert found.covers_all_once()


def test_ranges_that_leave_ids_out_or_decide_twice_are_no_partition() -> None:
    assert dump((0, 32767, "s1", 0), (32768, 65535, "s2", 0)).covers_all_once()
    assert not dump((0, 32766, "s1", 0), (32768, 65535, "s2", 0)).covers_all_once()
    assert not dump((0, 32768, "s1", 0), (32768, 65535, "s2", 0)).covers_all_once()
    assert not dump((0, 65535, "s1", 0), (5, 9, "s2", 1), (9, 12, "s1", 1)).covers_all_once()
    assert not dump().covers_all_once()


def test_a_dump_whose_rules_were_not_kept_is_noticed(scaled: dict[str, History]) -> None:
    history = scaled["ma-plain"]
    table = history.tables["rules"]
    events = [
        replace(e, data={**e.data, "used": e.data["used"] + 1}) if e.source == "switch" and "used" in e.data else e
        for e in history
    ]
    from nfvcert.checkers import Missing
    from nfvcert.checkers.rel002.table import dumps

    with pytest.raises(Missing, match="were not kept"):
        dumps(History("ma-plain", events, {**history.tables, "rules": table.slice(table.num_rows)}))
