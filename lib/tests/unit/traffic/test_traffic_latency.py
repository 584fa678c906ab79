"""Percentiles from counts."""

from __future__ import annotations

import pytest

from nfvcert.traffic.latency import percentiles_us


def test_percentiles_are_microseconds_of_counted_nanoseconds() -> None:
    found = percentiles_us([(10_000, 900), (100_000, 90), (1_000_000, 10)])
    assert found["p50"] == pytest.approx(10, rel=1e-3)
    assert found["p90"] == pytest.approx(10, rel=1e-3)
    assert found["p99"] == pytest.approx(100, rel=1e-3)
    assert found["p99.9"] == pytest.approx(1000, rel=1e-3)
    assert found["max"] == pytest.approx(1000, rel=1e-3)


def test_values_out_of_range_are_counted_at_its_ends() -> None:
    found = percentiles_us([(0, 1), (10**12, 1)])
    assert found["max"] == pytest.approx(60e6, rel=1e-3)


def test_nothing_received_has_no_percentiles() -> None:
    assert percentiles_us([]) == {}
