"""Scales, ticks and paths for small SVG plots. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Points = Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map of ``low..high`` (data) to ``start..end`` (user units of the drawing)."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.0
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 2)


def nice_ticks(high: float, count: int = 4, low: float = 0.0) -> list[float]:
    """Round values from ``low`` to at least ``high``, about ``count`` steps of 1, 2, 2.5 or 5 times a power of ten."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low, low + 1.0]
    raw = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))
    ticks = [low]
    while ticks[-1] < high - step * 1e-9:
        ticks.append(round(low + step * len(ticks), 10))
    return ticks


def label(value: float) -> str:
    """A tick label: thousands with a k, no needless decimals."""
    if abs(value) >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def line(points: Points, x: Scale, y: Scale) -> str:
    """Path of a line; a None breaks it."""
    parts: list[str] = []
    pen_up = True
    for at, value in points:
        if value is None or not math.isfinite(value):
            pen_up = True
            continue
        parts.append(f"{'M' if pen_up else 'L'}{x(at)} {y(value)}")
        pen_up = False
    return "".join(parts)


def band(points: Iterable[tuple[float, float, float]], x: Scale, y: Scale) -> str:
    """Path of the closed area between two values per point."""
    drawn = list(points)
    if len(drawn) < 2:
        return ""
    upper = [f"{x(at)} {y(high)}" for at, _, high in drawn]
    lower = [f"{x(at)} {y(low)}" for at, low, _ in reversed(drawn)]
    return f"M{'L'.join(upper)}L{'L'.join(lower)}Z"


def rows_for(labels: Sequence[tuple[float, str]], width: float = 5.2, gap: float = 8.0) -> list[int]:
    """Rows in which labels centred at the given places do not touch; row 0 is nearest to the plot."""
    ends: list[float] = []
    rows = []
    for at, text in labels:
        half = len(text) * width / 2
        for row, end in enumerate(ends):
            if at - half >= end + gap:
                ends[row] = at + half
                rows.append(row)
                break
        else:
            ends.append(at + half)
            rows.append(len(ends) - 1)
    return rows
