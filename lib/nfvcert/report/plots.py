"""The course of a modification as one SVG: who served the traffic, and what it cost.

Input (JSON, times in seconds from the beginning of the scenario)::

    {"t": [s], "old": [packets/s], "new": [packets/s], "lost": [packets per 100 ms], "p50_us": [..], "p99_us": [..],
     "marks": [{"t": s, "name": "10 %"}]}

All lists are as long as ``t``; a latency may be null where no packet came. Drawn without a plotting library: a plot
takes a few milliseconds, its colours follow the page (classes ``p-...``), and its text stays text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nfvcert.errors import UsageError
from nfvcert.report.axes import Scale, band, label, line, nice_ticks, rows_for
from nfvcert.report.drawing import (
    INK,
    LOST,
    MUTED,
    NEW,
    OLD,
    P50,
    P99,
    axis,
    drawing,
    grid,
    mark_lines,
    side_caption,
    text,
)

LEFT, RIGHT = 52, 708


def migration_svg(data: Mapping[str, Any], *, title: str = "Share of traffic by version") -> str:
    """The plot of one scenario.

    Raises:
        UsageError: a list is missing or of another length than ``t``.
    """
    _check(data)
    t: list[float] = list(data["t"])
    x = Scale(t[0] if t else 0.0, t[-1] if t else 1.0, LEFT, RIGHT)
    marks = [(float(mark["t"]), str(mark["name"])) for mark in data.get("marks", [])]
    rows = rows_for([(x(at), name) for at, name in marks])
    top = 34 + 12 * (max(rows, default=0) + 1)
    share_end, loss_start, loss_end = top + 150, top + 182, top + 228
    latency_start, latency_end = loss_end + 32, loss_end + 122
    height = latency_end + 34
    parts = [
        _legend(),
        *_share(t, data, x, Scale(0, 100, share_end, top)),
        mark_lines(
            [at for at, _ in marks], x, [(top, share_end), (loss_start, loss_end), (latency_start, latency_end)]
        ),
        *_mark_names(marks, rows, x, top),
        *_loss(t, data["lost"], x, loss_start, loss_end),
        *_latency(t, data, x, latency_start, latency_end),
        *_time_axis(t, x, latency_end),
    ]
    return drawing(parts, height, title=title)


def _check(data: Mapping[str, Any]) -> None:
    for name in ("t", "old", "new", "lost", "p50_us", "p99_us"):
        values = data.get(name)
        if not isinstance(values, list) or len(values) != len(data["t"]):
            found = "nothing" if values is None else f"{len(values)} values"
            raise UsageError("the data of a plot do not fit together", where=name, found=found)


def _legend() -> str:
    old = f'<rect class="p-old" x="{LEFT}" y="6" width="10" height="10" fill="{OLD}"/>'
    new = f'<rect class="p-new" x="{LEFT + 108}" y="6" width="10" height="10" fill="{NEW}"/>'
    return (
        f"{old}{text(LEFT + 15, 15, 'version in service', anchor='start')}"
        f"{new}{text(LEFT + 123, 15, 'new version', anchor='start')}"
    )


def _mark_names(marks: Sequence[tuple[float, str]], rows: Sequence[int], x: Scale, top: float) -> list[str]:
    parts = []
    for (at, name), row in zip(marks, rows, strict=True):
        y = top - 7 - 12 * row
        half = len(name) * 2.6
        centre = min(max(x(at), LEFT + half), RIGHT - half)
        parts.append(
            f'<path class="p-tick" d="M{x(at)} {y + 3}V{top}" stroke="{MUTED}" stroke-width="0.6" fill="none"/>'
        )
        parts.append(text(centre, y, name, anchor="middle", kind="p-ink", fill=INK))
    return parts


def _share(t: Sequence[float], data: Mapping[str, Any], x: Scale, y: Scale) -> list[str]:
    parts = [side_caption("share of packets, %", (y.start + y.end) / 2)]
    split: list[tuple[float, float]] = []
    runs: list[list[tuple[float, float]]] = [split]
    for at, old, new in zip(t, data["old"], data["new"], strict=True):
        total = (old or 0) + (new or 0)
        if total <= 0:
            if runs[-1]:
                runs.append([])
            continue
        runs[-1].append((at, 100 * (new or 0) / total))
    for run in runs:
        old_area = band([(at, value, 100.0) for at, value in run], x, y)
        new_area = band([(at, 0.0, value) for at, value in run], x, y)
        parts.append(f'<path class="p-old" d="{old_area}" fill="{OLD}" fill-opacity="0.85"/>' if old_area else "")
        parts.append(f'<path class="p-new" d="{new_area}" fill="{NEW}"/>' if new_area else "")
    for tick in (0, 25, 50, 75, 100):
        parts.append(_grid(y(tick), over=True))
        parts.append(text(LEFT - 6, y(tick) + 3.3, label(tick), anchor="end"))
    return parts


def _loss(t: Sequence[float], lost: Sequence[float | None], x: Scale, start: float, end: float) -> list[str]:
    most = max((value or 0 for value in lost), default=0)
    ticks = nice_ticks(max(1.0, float(most)), 2)
    y = Scale(0, ticks[-1], end, start)
    parts = [_caption(f"packets lost per 100 ms{'' if most else ': none'}", start)]
    for tick in (ticks[0], ticks[-1]):
        parts.append(_grid(y(tick)))
        parts.append(text(LEFT - 6, y(tick) + 3.3, label(tick), anchor="end"))
    width = max(1.0, (RIGHT - LEFT) / max(1, len(t)) * 0.8)
    for at, value in zip(t, lost, strict=True):
        if value:
            parts.append(
                f'<rect class="p-lost" x="{round(x(at) - width / 2, 2)}" y="{y(value)}" width="{round(width, 2)}" '
                f'height="{round(end - y(value), 2)}" fill="{LOST}"/>'
            )
    return parts


def _latency(t: Sequence[float], data: Mapping[str, Any], x: Scale, start: float, end: float) -> list[str]:
    values = [value for name in ("p50_us", "p99_us") for value in data[name] if value is not None]
    ticks = nice_ticks(max(values, default=1.0), 3)
    y = Scale(0, ticks[-1], end, start)
    parts = [_caption("latency, microseconds", start)]
    for tick in ticks:
        parts.append(_grid(y(tick)))
        parts.append(text(LEFT - 6, y(tick) + 3.3, label(tick), anchor="end"))
    for name, colour, kind in (("p99_us", P99, "p-p99"), ("p50_us", P50, "p-p50")):
        path = line(list(zip(t, data[name], strict=True)), x, y)
        parts.append(f'<path class="{kind}" d="{path}" fill="none" stroke="{colour}" stroke-width="1.2"/>')
    parts.append(text(RIGHT - 58, start - 7, "99th percentile", anchor="end", kind="p-p99t", fill=P99))
    parts.append(text(RIGHT, start - 7, "median", anchor="end", kind="p-p50t", fill=P50))
    return parts


def _time_axis(t: Sequence[float], x: Scale, bottom: float) -> list[str]:
    parts = [axis(bottom, LEFT, RIGHT)]
    low, high = (t[0], t[-1]) if t else (0.0, 1.0)
    for tick in nice_ticks(high - low, 7):
        if low + tick <= high:
            parts.append(text(x(low + tick), bottom + 14, label(low + tick), anchor="middle"))
    parts.append(text((LEFT + RIGHT) / 2, bottom + 28, "seconds from the beginning of the scenario", anchor="middle"))
    return parts


def _caption(words: str, top: float) -> str:
    return text(LEFT, top - 7, words, anchor="start")


def _grid(y: float, *, over: bool = False) -> str:
    return grid(y, LEFT, RIGHT, over=over)
