"""Scalings side by side as one SVG, after the two plots of REL002 annex A.1: load on both instances over time; below,
what the detour costs in latency and in bandwidth.

Each course has a column; all share their scales. Figures that REL002 reports are drawn in a colour and a dash
of their own with their value in words, so that they are told apart without colour, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nfvcert.errors import UsageError
from nfvcert.report.axes import Scale, band, label, line, nice_ticks
from nfvcert.report.drawing import (
    INK,
    LOST,
    MUTED,
    NEW,
    OLD_LINE,
    P50,
    P99,
    REFERENCE,
    axis,
    drawing,
    grid,
    mark_lines,
    side_caption,
    text,
)
from nfvcert.report.scaling import REL002, Course

MOST_COLUMNS = 3
LEFT, RIGHT, GUTTER = 46, 710, 18
HEAD, MARK_ROW = 44, 11
LOAD_HEIGHT, COST_HEIGHT, BETWEEN = 132, 74, 30
SHOWN_OF_LATENCY = 0.98
"""Share of the latencies that the scale has to hold; the rest is cut at its top and said in words."""


@dataclass(frozen=True, slots=True)
class Column:
    """Place of one course."""

    course: Course
    x: Scale
    first: bool

    @property
    def left(self) -> float:
        """Left edge."""
        return self.x.start

    @property
    def right(self) -> float:
        """Right edge."""
        return self.x.end


@dataclass(frozen=True, slots=True)
class Unit:
    """How rates are written: bits a second in one of it."""

    bps: float
    name: str


def scaling_svg(courses: Sequence[Course], *, title: str = "Scaling with migration avoidance") -> str:
    """The drawing of up to three courses.

    Raises:
        UsageError: there is none, or there are too many.
    """
    if not 1 <= len(courses) <= MOST_COLUMNS:
        raise UsageError("courses cannot be drawn side by side", found=str(len(courses)), hint=f"1 to {MOST_COLUMNS}")
    offered = max(course.offered_bps for course in courses)
    unit = Unit(1e9, "Gbit/s") if offered >= 0.5e9 else Unit(1e6, "Mbit/s")
    columns = _columns(courses)
    marks = [_marks(column) for column in columns]
    top = HEAD + MARK_ROW * max(mark.row + 1 for above in marks for mark in above) + 2
    load = Scale(0.0, 1.1 * offered / unit.bps, top + LOAD_HEIGHT, top)
    added_top = load.start + BETWEEN
    added = Scale(0.0, _latency_top(courses), added_top + COST_HEIGHT, added_top)
    detour_top = added.start + BETWEEN
    most = max([1.1 * REL002.detour_share * offered, *(v for c in courses for v in c.detour if v is not None)])
    detour = Scale(0.0, nice_ticks(most / unit.bps, 3)[-1], detour_top + COST_HEIGHT, detour_top)
    panels = [(load.end, load.start), (added.end, added.start), (detour.end, detour.start)]
    parts = [*_legend(courses[0])]
    parts.append(text(LEFT, added.end - 8, "added latency of detoured packets, median, microseconds", anchor="start"))
    parts.append(text(LEFT, detour.end - 8, f"bandwidth of the detour, {unit.name}", anchor="start"))
    for column, above in zip(columns, marks, strict=True):
        parts += _head(column, above, top)
        parts += _load(column, load, unit)
        parts += _added(column, added)
        parts += _detour(column, detour, unit)
        parts += _verticals(column, panels)
        parts += _time(column, detour.start)
    parts.append(side_caption(f"load of each instance, {unit.name}", (load.start + load.end) / 2, x=10))
    return drawing(parts, detour.start + 32, title=title, description=" ".join(map(_in_words, courses)))


def _columns(courses: Sequence[Course]) -> list[Column]:
    width = (RIGHT - LEFT - GUTTER * (len(courses) - 1)) / len(courses)
    end = max((course.t[-1] for course in courses if course.t), default=1.0)
    columns = []
    for number, course in enumerate(courses):
        left = round(LEFT + number * (width + GUTTER), 2)
        columns.append(Column(course, Scale(0.0, end, left, round(left + width, 2)), number == 0))
    return columns


def _latency_top(courses: Sequence[Course]) -> float:
    values = sorted(v for course in courses for v in course.added_us if v is not None)
    most = values[int(SHOWN_OF_LATENCY * (len(values) - 1))] if values else 0.0
    return nice_ticks(max(1.2 * REL002.added_latency_us, most), 3)[-1]


def _legend(course: Course) -> Iterator[str]:
    old, new = course.instances[0], course.instances[1] if len(course.instances) > 1 else "new"
    at: float = LEFT
    for kind, colour, dash, words in (
        ("p-old-line", OLD_LINE, "", f"original instance ({old})"),
        ("p-p50", NEW, "", f"new instance ({new})"),
        ("p-ref", REFERENCE, ' stroke-dasharray="5 3"', "figure of REL002 annex A.1"),
    ):
        yield f'<path class="{kind}" d="M{at} 11H{at + 18}" stroke="{colour}" stroke-width="1.8" fill="none"{dash}/>'
        yield text(at + 23, 14.5, words, anchor="start")
        at += 23 + 5.1 * len(words) + 18


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that is named above a column, from ``start`` on in a row of names; row 0 is nearest to the plot."""

    x: float
    start: float
    row: int
    words: str
    kind: str
    colour: str


def _marks(column: Column) -> list[Mark]:
    """The moments of a course, their names in rows such that no line down from a name runs through another name."""
    course, x = column.course, column.x
    moments = [(x(course.trigger), "trigger", "p-ink", INK)]
    reference = course.trigger + REL002.convergence_s
    if reference <= x.high:
        moments.append((x(reference), f"REL002: {REL002.convergence_s:g} s", "p-reft", REFERENCE))
    if course.converged is not None:
        moments.append((x(course.converged), f"ours: {course.converged - course.trigger:.1f} s", "p-p50t", P50))
    else:
        moments.append((column.right, "not converged", "p-lost", LOST))
    marks: list[Mark] = []
    for at, words, kind, colour in sorted(moments, reverse=True):
        width = 5.3 * len(words)
        start = min(at - 2, column.right - width)
        row = 1 + max((mark.row for mark in marks if mark.start < start + width + 5), default=-1)
        marks.append(Mark(at, start, row, words, kind, colour))
    return marks


def _head(column: Column, marks: Sequence[Mark], top: float) -> Iterator[str]:
    title, bold = column.course.title, ' font-weight="600"'
    if column.course.invalid:
        yield text(column.left, 34, f"{title}: not valid", anchor="start", kind="p-lost", fill=LOST, style=bold)
    else:
        yield text(column.left, 34, title, anchor="start", kind="p-ink", fill=INK, style=bold)
    for mark in marks:
        y = top - 5 - MARK_ROW * mark.row
        if mark.row:
            path = f"M{mark.x} {y + 2.5}V{top}"
            yield f'<path class="p-tick" d="{path}" stroke="{MUTED}" stroke-width="0.6" fill="none"/>'
        yield text(mark.start, y, mark.words, anchor="start", kind=mark.kind, fill=mark.colour)


def _verticals(column: Column, panels: Sequence[tuple[float, float]]) -> Iterator[str]:
    course = column.course
    yield mark_lines([course.trigger], column.x, panels)
    if course.converged is not None:
        start, end = panels[0]
        path = f"M{column.x(course.converged)} {start}V{end}"
        yield f'<path class="p-p50" d="{path}" stroke="{P50}" stroke-width="1" fill="none"/>'
    if (then := course.trigger + REL002.convergence_s) <= column.x.high:
        yield _reference(f"M{column.x(then)} {panels[0][0]}V{panels[0][1]}")


def _load(column: Column, y: Scale, unit: Unit) -> Iterator[str]:
    course, x = column.course, column.x
    yield from _scale(column, y, 4)
    low, high = (value / unit.bps for value in REL002.band(course.offered_bps))
    begin = min(course.trigger + REL002.convergence_s, x.high)
    area = band([(begin, low, high), (x.high, low, high)], x, y)
    yield f'<path class="p-refband" d="{area}" fill="{REFERENCE}" fill-opacity="0.3"/>'
    words = f"REL002: {REL002.imbalance_percent:g} %"
    yield text(column.right - 2, _below_band(course, y, low, unit), words, anchor="end", kind="p-reft", fill=REFERENCE)
    for number, name in reversed(list(enumerate(course.instances))):
        points = [(t, None if v is None else v / unit.bps) for t, v in zip(course.t, course.load[name], strict=True)]
        kind, colour = ("p-old-line", OLD_LINE) if number == 0 else ("p-p50", NEW)
        yield f'<path class="{kind}" d="{line(points, x, y)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def _below_band(course: Course, y: Scale, low: float, unit: Unit) -> float:
    """Where the name of the band does not lie on the line of the new instance: right below the band, or at the foot."""
    tail = course.load[course.instances[-1]][-max(1, len(course.t) // 3) :]
    lowest = max((y((value or 0.0) / unit.bps) for value in tail), default=y(low))
    return y(low) + 11 if lowest < y(low) + 2 else y.start - 4


def _added(column: Column, y: Scale) -> Iterator[str]:
    course = column.course
    yield from _scale(column, y, 3)
    above = [v for v in course.added_us if v is not None and v > y.high]
    path = line(list(zip(course.t, course.added_us, strict=True)), column.x, y)
    yield _reference(f"M{column.left} {y(REL002.added_latency_us)}H{column.right}")
    words = f"REL002: below {REL002.added_latency_us:g} µs"
    yield text(column.right - 2, y(REL002.added_latency_us) - 3, words, anchor="end", kind="p-reft", fill=REFERENCE)
    yield f'<path class="p-p50" d="{path}" fill="none" stroke="{P50}" stroke-width="1.2"/>'
    if above:
        words = f"{len(above)} of {len(course.t)} above, at most {label(round(max(above)))}"
        yield text(column.right - 2, y.end + 8, words, anchor="end")


def _detour(column: Column, y: Scale, unit: Unit) -> Iterator[str]:
    course, x = column.course, column.x
    yield from _scale(column, y, 3)
    points = [(t, 0.0, (v or 0.0) / unit.bps) for t, v in zip(course.t, course.detour, strict=True)]
    if area := band(points, x, y):
        yield f'<path class="p-detour" d="{area}" fill="{P99}" fill-opacity="0.3"/>'
    edge = line([(t, value) for t, _, value in points], x, y)
    yield f'<path class="p-p99" d="{edge}" fill="none" stroke="{P99}" stroke-width="1.2"/>'
    worst = REL002.detour_share * course.offered_bps / unit.bps
    yield _reference(f"M{column.left} {y(worst)}H{column.right}")
    words = f"REL002: {worst:.3g} {unit.name} at worst"
    yield text(column.right - 2, y(worst) - 3, words, anchor="end", kind="p-reft", fill=REFERENCE)


def _scale(column: Column, y: Scale, steps: int) -> Iterator[str]:
    for tick in nice_ticks(y.high, steps):
        if tick > y.high:
            continue
        yield grid(y(tick), column.left, column.right)
        if column.first:
            yield text(LEFT - 6, y(tick) + 3.3, label(tick), anchor="end")


def _time(column: Column, bottom: float) -> Iterator[str]:
    yield axis(bottom, column.left, column.right)
    for tick in nice_ticks(column.x.high, 5):
        if tick <= column.x.high:
            yield text(column.x(tick), bottom + 13, label(tick), anchor="middle")
    yield text((column.left + column.right) / 2, bottom + 26, "seconds", anchor="middle")


def _reference(path: str) -> str:
    return (
        f'<path class="p-ref" d="{path}" stroke="{REFERENCE}" stroke-width="1.1" stroke-dasharray="5 3" fill="none"/>'
    )


def _in_words(course: Course) -> str:
    figures = course.figures
    after = "it did not converge"
    if course.converged is not None:
        after = f"the loads of the instances converged {course.converged - course.trigger:.1f} s after the trigger"
    cost = ""
    if figures.added_latency_median_us is not None:
        cost = f", detoured packets took {figures.added_latency_median_us:.1f} microseconds longer (median)"
    return f"{course.title}: {after}{cost}."
