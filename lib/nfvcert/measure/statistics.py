"""Small statistics with stated intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence


def wilson_interval(hits: int, trials: int, z: float = 2.0) -> tuple[float, float]:
    """Wilson score interval of a proportion (0..1), by default with coverage factor k = 2.

    No trial at all gives (0, 1): nothing is known.
    """
    if trials <= 0:
        return 0.0, 1.0
    share = hits / trials
    scale = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale
    return max(0.0, centre - half), min(1.0, centre + half)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0..1) of the values lie, nearest rank.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]
