"""The section on dynamic scaling: pictures of the courses and a table of the methods, REL002's figures first. Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nfvcert.errors import UsageError
from nfvcert.report import wording
from nfvcert.report.results_model import Series
from nfvcert.report.scaling import REL002, Course, read_course
from nfvcert.report.scaling_plots import MOST_COLUMNS, scaling_svg

PLAIN, MOVING = "plain", "always-migrate"
SAME_LOAD = 0.01
"""Courses whose offered loads differ by less than this share are drawn with one scale."""


class Cell(NamedTuple):
    """A figure in words, and what stands below it in small letters."""

    figure: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a method and its figures, in the order of :data:`COLUMNS`."""

    method: Cell
    cells: list[Cell]


COLUMNS = (
    "Affinity violations",
    "Packets lost",
    "Imbalance once converged",
    "Converged after",
    "Added latency",
    "Detoured",
    "Largest detour",
    "Largest use of the table",
)


@dataclass(frozen=True, slots=True)
class Picture:
    """Courses drawn side by side; ``path`` is for the SVG in the run folder."""

    path: str
    titles: list[str]
    svg: str


@dataclass(frozen=True, slots=True)
class ScalingSection:
    """Everything that the section shows."""

    pictures: list[Picture]
    scaled: str
    invalid: list[str]
    columns: tuple[str, ...]
    reference: Row
    rows: list[Row]


REFERENCE_ROW = Row(
    method=Cell("REL002 annex A.1, on its own testbed", "1 Gbit/s, 10\u202f000 flows"),
    cells=[
        Cell("–", "not reported"),
        Cell("–", "not reported"),
        Cell(f"< {REL002.imbalance_percent:g} %"),
        Cell(f"{REL002.convergence_s:g} s"),
        Cell(f"< {REL002.added_latency_us:g} µs", "mean"),
        Cell("–", "not reported"),
        Cell("0.5 Gbit/s"),
        Cell("–", f"of {wording.number(REL002.table_capacity)}"),
    ],
)


def scaling_section(run: Path, series: Sequence[Series]) -> ScalingSection | None:
    """The section of a run; None if nothing was scaled. A course that cannot be read is left out with a warning."""
    courses = []
    for entry in series:
        if entry.kind == "scaling":
            try:
                courses.append(read_course(run / entry.path))
            except UsageError as failure:
                logging.getLogger(__name__).warning("%s cannot be drawn: %s", entry.path, failure)
    if not courses:
        return None
    invalid = [course.invalid for course in courses if course.invalid]
    pictures = list(_pictures(courses))
    return ScalingSection(pictures, scaled(courses), invalid, COLUMNS, REFERENCE_ROW, rows(courses))


def rows(courses: Sequence[Course]) -> list[Row]:
    """A line of the table for each course; detoured bytes are compared with the plain method's under the same load."""
    return [_row(course, _plain_for(course, courses)) for course in courses]


def scaled(courses: Sequence[Course]) -> str:
    """What a reader must know where less than REL002's load was offered; empty if it was not less."""
    share = max(course.offered_bps for course in courses) / REL002.offered_bps
    if share > 1 - 2 * SAME_LOAD:
        return ""
    return f"The load was {100 * share:.3g} % of REL002's; flows, new flows and table entries are scaled alike."


def _pictures(courses: Sequence[Course]) -> Iterator[Picture]:
    groups: list[list[Course]] = []
    for course in courses:
        if not course.drawn:
            continue
        for group in groups:
            if len(group) < MOST_COLUMNS and _same_load(group[0], course):
                group.append(course)
                break
        else:
            groups.append([course])
    for number, group in enumerate(groups, 1):
        name = "scaling.svg" if number == 1 else f"scaling-{number}.svg"
        titles = [course.title for course in group]
        title = f"Scaling with migration avoidance: {'; '.join(titles)}"
        yield Picture(f"plots/{name}", titles, scaling_svg(group, title=title))


def _same_load(one: Course, other: Course) -> bool:
    return abs(one.offered_bps - other.offered_bps) <= SAME_LOAD * one.offered_bps


def _plain_for(course: Course, courses: Sequence[Course]) -> Course | None:
    for other in courses:
        alike = (other.lifetime, other.driver) == (course.lifetime, course.driver)
        if other.method == PLAIN and other is not course and alike and _same_load(other, course):
            return other
    return None


def _row(course: Course, plain: Course | None) -> Row:
    f = course.figures
    limit = "" if f.imbalance_limit is None else f"limit {f.imbalance_limit:.3g} %"
    added = f.added_latency_median_us
    load = f"{rate(course.offered_bps)}, {wording.number(course.flows)} flows"
    return Row(
        method=Cell(f"{course.title}{': not valid' if course.invalid else ''}", load),
        cells=[
            _violations(course),
            Cell(wording.number(f.lost)),
            Cell(
                "–" if f.imbalance_percent is None else f"{f.imbalance_percent:.3g} %",
                limit if f.convergence_s is not None else "last 5 s",
            ),
            Cell("never" if f.convergence_s is None else f"{f.convergence_s:.1f} s"),
            Cell("–", "none detoured") if added is None else Cell(f"{added:.1f} µs", "median"),
            _detoured(f.detoured_bytes, plain),
            Cell(rate(f.detour_peak_bps) if f.detour_peak_bps else "–"),
            Cell(wording.number(f.table_max), f"of {wording.number(f.table_capacity)}"),
        ],
    )


def _violations(course: Course) -> Cell:
    """Flows that met another instance; where flows move with their state that is what the method does."""
    count = course.figures.affinity_violations
    if course.method == MOVING and count is not None:
        return Cell("–", f"{wording.number(count)} moved")
    return Cell(wording.number(count))


def _detoured(octets: int | None, plain: Course | None) -> Cell:
    if not octets:
        return Cell("–" if octets is None else "none")
    text = f"{octets / 1e6:.3g} MB" if octets < 1e9 else f"{octets / 1e9:.3g} GB"
    of_plain = plain.figures.detoured_bytes if plain is not None else None
    return Cell(text, f"{100 * octets / of_plain:.0f} % of plain" if of_plain else "")


def rate(bps: float) -> str:
    """A rate in the unit that suits it."""
    for size, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if bps >= 0.5 * size:
            return f"{bps / size:.3g} {unit}"
    return f"{bps:.3g} bit/s"
