"""Strokes that all plots share: text, grid lines, marks and the frame of a drawing. One visual language. Pure.

Colours follow the page through classes (``p-...`` in certificate.css) and stand in the attributes for print and for a
plot that is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from nfvcert.report.axes import Scale

WIDTH = 720
INK, MUTED, GRID = "#1d2733", "#6b7683", "#dfe4ea"
OLD, NEW, LOST, P50, P99 = "#9fb0c3", "#14606b", "#a3262a", "#14606b", "#b7791f"
OLD_LINE = "#71859b"
"""What is old, as a thin line, which needs more contrast than an area."""

REFERENCE = "#6b4c8a"
"""Figures that a source document reports."""

SANS = "Inter, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"


def drawing(parts: Iterable[str], height: float, *, title: str, description: str = "") -> str:
    """The whole SVG; ``description`` says in words what the picture shows."""
    about = f"<desc>{escape(description)}</desc>" if description else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'class="plot" role="img" aria-label="{escape(title, quote=True)}" font-family="{SANS}" font-size="9.5">'
        f"<title>{escape(title)}</title>{about}{''.join(parts)}</svg>"
    )


def text(
    x: float, y: float, words: str, *, anchor: str, kind: str = "p-muted", fill: str = MUTED, style: str = ""
) -> str:
    """Words at a place; ``anchor`` is start, middle or end."""
    return (
        f'<text class="{kind}" x="{round(x, 2)}" y="{round(y, 2)}" text-anchor="{anchor}" fill="{fill}"{style}>'
        f"{escape(words)}</text>"
    )


def side_caption(words: str, middle: float, *, x: float = 14) -> str:
    """What a vertical axis shows, turned, at the left edge."""
    turned = f'transform="translate({x:g} {middle}) rotate(-90)" text-anchor="middle"'
    return f'<text class="p-muted" {turned} fill="{MUTED}">{escape(words)}</text>'


def grid(y: float, left: float, right: float, *, over: bool = False) -> str:
    """A horizontal grid line; ``over`` areas it is fainter."""
    opacity = ' stroke-opacity="0.35"' if over else ""
    return f'<path class="p-grid" d="M{left} {y}H{right}" stroke="{GRID}" stroke-width="0.7" fill="none"{opacity}/>'


def axis(y: float, left: float, right: float) -> str:
    """The line under a panel."""
    return f'<path class="p-axis" d="M{left} {y}H{right}" stroke="{MUTED}" stroke-width="0.8" fill="none"/>'


def mark_lines(places: Iterable[float], x: Scale, panels: Iterable[tuple[float, float]]) -> str:
    """Dashed vertical lines through panels at given times; empty if there is none."""
    spans = list(panels)
    path = "".join(f"M{x(at)} {start}V{end}" for at in places for start, end in spans)
    dashes = 'fill="none" stroke-width="0.8" stroke-opacity="0.55" stroke-dasharray="2 2.5"'
    return f'<path class="p-mark" d="{path}" stroke="{INK}" {dashes}/>' if path else ""
