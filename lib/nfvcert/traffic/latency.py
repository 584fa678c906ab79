"""Latency percentiles from counted values, through an HDR histogram."""

from __future__ import annotations

from collections.abc import Iterable

from hdrh.histogram import HdrHistogram

LOWEST_NS = 1
HIGHEST_NS = 60_000_000_000
DIGITS = 3
PERCENTILES = (50.0, 90.0, 99.0, 99.9)


def percentiles_us(counts: Iterable[tuple[int, int]]) -> dict[str, float]:
    """Percentiles and maximum in microseconds.

    Args:
        counts: (value in ns, how often).
    """
    histogram = HdrHistogram(LOWEST_NS, HIGHEST_NS, DIGITS)
    for value, count in counts:
        histogram.record_value(max(LOWEST_NS, min(value, HIGHEST_NS)), count)
    if not histogram.get_total_count():
        return {}
    result = {f"p{p:g}": histogram.get_value_at_percentile(p) / 1000 for p in PERCENTILES}
    result["max"] = histogram.get_max_value() / 1000
    return result
