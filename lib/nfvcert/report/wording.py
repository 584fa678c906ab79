"""How figures, times and lists are written in a report. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup, escape

from nfvcert.report.results_model import Evidence, MeasureResult

GLYPHS = {"PASS": "✓", "FAIL": "✗", "INCONC": "?", "ERROR": "!", "N/A": "–", "not tested": ""}
CLASSES = {
    "PASS": "pass",
    "FAIL": "fail",
    "INCONC": "inconc",
    "ERROR": "error",
    "N/A": "na",
    "not tested": "untested",
}
PRINT_COLOURS = {"PASS": "#1f6f4a", "FAIL": "#a3262a", "INCONC": "#8a5a00", "ERROR": "#5b3a86", "N/A": "#5d6875"}


def number(value: float | None) -> str:
    """A figure with at most four significant digits behind thousands separators; an unknown one is a dash."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace(",", "\u202f") if abs(value) >= 10_000 else str(int(value))
    return f"{value:.4g}"


def interval(measure: MeasureResult) -> str:
    """``30.9 … 31.5``, or ``exact`` for a count."""
    if measure.interval is None:
        return "exact"
    low, high = measure.interval
    return f"{number(low) if low is not None else 'unbounded'} … {number(high) if high is not None else 'unbounded'}"


def limit(text: str) -> str:
    """A limit with typographic signs."""
    return text.replace("<=", "≤").replace(">=", "≥")


def words(name: str) -> str:
    """The name of a measure in words."""
    return name.replace("_", " ")


def evidence(entries: Sequence[Evidence], most: int = 8) -> list[tuple[str, str]]:
    """(scenario, event numbers) of each entry, long lists cut."""
    cut = []
    for entry in entries:
        shown = ", ".join(str(seq) for seq in entry.seq[:most])
        more = len(entry.seq) - most
        cut.append((entry.scenario, f"{shown} and {more} more" if more > 0 else shown))
    return cut


def moment(text: str) -> datetime | None:
    """A time of results.json; None if it is no RFC 3339 time."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None


def day(text: str) -> str:
    """``21 November 2026``."""
    at = moment(text)
    return f"{at.day} {at:%B %Y}" if at else text


def clock(text: str) -> str:
    """``2026-11-21 10:15:12 UTC``."""
    at = moment(text)
    return f"{at:%Y-%m-%d %H:%M:%S} {at.tzname() or ''}".strip() if at else text


def duration(started: str, finished: str) -> str:
    """``1 min 19 s``; a dash if a time cannot be read."""
    first, last = moment(started), moment(finished)
    if first is None or last is None or (first.tzinfo is None) != (last.tzinfo is None):
        return "–"
    seconds = round((last - first).total_seconds())
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"


def bound(text: str) -> Markup:
    """The text as HTML in which each number keeps to the word after it, so that no line ends in a number."""
    return Markup(re.sub(r"(\d+ \w+)", r'<span class="nobreak">\1</span>', str(escape(text))))


def css_string(text: str) -> Markup:
    """The text as a string of CSS, whatever characters it holds."""
    safe = "".join(c if c.isalnum() or c in " .,:_-" else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{safe}"')


def plural(count: int, one: str, many: str = "") -> str:
    """``1 purpose``, ``2 purposes``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def clause_number(clause: str) -> str:
    """``6.3.1.2`` of ``6.3.1.2 (context 6.2)``; the whole text if it begins with a word."""
    first = clause.split(" ", 1)[0].rstrip(",;")
    return first if any(character.isdigit() for character in first) else clause
