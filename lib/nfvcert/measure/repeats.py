"""Repeated measurements: medians with distribution-free intervals, and ratios of what was measured in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import comb
from statistics import median
from typing import Any

CONFIDENCE = 0.95
METHOD = "median with the interval of its order statistics (binomial, no distribution assumed)"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Median of ``count`` repeats, the interval ``low`` to ``high``, and how surely it holds the true median (0..1)."""

    median: float
    low: float
    high: float
    coverage: float
    count: int

    @property
    def spread(self) -> float:
        """Width of the interval relative to the median; 0 when the median is 0."""
        return (self.high - self.low) / abs(self.median) if self.median else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The estimate as JSON holds it."""
        return asdict(self)


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Median of repeats with the narrowest symmetric pair of order statistics that holds it with ``confidence``.

    With few repeats no pair does; then it is the smallest and the largest value with the coverage that these have:
    94 % of five, 75 % of three, nothing of one.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    count = len(ordered)
    rank = 0
    while rank + 1 <= (count - 1) // 2 and coverage_of(count, rank + 1) >= confidence:
        rank += 1
    return Estimate(median(ordered), ordered[rank], ordered[count - 1 - rank], coverage_of(count, rank), count)


def coverage_of(count: int, rank: int) -> float:
    """How surely the ``rank``-th smallest to the ``rank``-th largest (from 0) of ``count`` values hold the median."""
    outside = sum(comb(count, k) for k in range(rank + 1)) / 2**count
    return max(0.0, 1.0 - 2.0 * outside)


def ratio(ours: Sequence[float], theirs: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """Median of the ratios of values that were measured one after the other, pair by pair.

    What slows the machine for a while slows both of a pair, so that it drops out.

    Raises:
        ValueError: no pairs, numbers of values that differ, or a divisor that is not above 0.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"{len(ours)} values against {len(theirs)}")
    if any(value <= 0 for value in theirs):
        raise ValueError("a divisor is not above 0")
    return estimate([a / b for a, b in zip(ours, theirs, strict=True)], confidence)
