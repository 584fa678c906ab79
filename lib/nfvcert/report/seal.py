"""The seal of a certificate: a rosette of fine lines whose shape follows from the digest of the results.

Two certificates with different results never bear the same seal, and the same results always draw the same one. Pure.
"""

from __future__ import annotations

import math
from html import escape

SIZE = 240
CENTRE = SIZE / 2
SANS = "Inter, Arial, 'DejaVu Sans', sans-serif"
SERIF = "'EB Garamond', Georgia, 'DejaVu Serif', serif"


def seal_svg(digest: str, word: str, colour: str, *, line: str = "NFVCERT") -> str:
    """The seal for a SHA-256 digest (hexadecimal) with a word such as PASS in its middle."""
    seeds = [int(digest[i : i + 4] or "0", 16) for i in range(0, 32, 4)]
    rings = [
        _rosette(102, 9, 24 + seeds[0] % 17, 5 + seeds[1] % 5, seeds[2] / 65536),
        _rosette(84, 8, 18 + seeds[3] % 13, 3 + seeds[4] % 5, seeds[5] / 65536),
        _rosette(66, 6, 12 + seeds[6] % 11, 4 + seeds[7] % 4, seeds[0] / 65536),
    ]
    paths = "".join(
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="0.45" stroke-opacity="0.75"/>'
        for ring in rings
        for path in ring
    )
    size = 30 if len(word) <= 4 else 22
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" class="seal" role="img" '
        f'aria-label="Seal: {escape(word, quote=True)}">'
        f"{paths}{_circle(115, colour, 1.1)}{_circle(112, colour, 0.5)}{_circle(54, colour, 0.9, fill=True)}"
        f"{_circle(51, colour, 0.4)}"
        f"{_word(-18, line, 8.5, 2.4, SANS, colour)}"
        f"{_word(size * 0.36, word, size, 1.5, SERIF, colour)}"
        f"{_word(28, digest[:12], 6.6, 0.8, SANS, colour)}</svg>"
    )


def _word(down: float, text: str, size: float, spacing: float, family: str, colour: str) -> str:
    return (
        f'<text class="seal-ink" x="{CENTRE}" y="{CENTRE + down}" text-anchor="middle" font-size="{size}" '
        f'font-weight="500" letter-spacing="{spacing}" font-family="{family}" fill="{colour}">{escape(text)}</text>'
    )


def _rosette(radius: float, swing: float, petals: int, copies: int, phase: float) -> list[str]:
    paths = []
    for copy in range(copies):
        shift = 2 * math.pi * (copy / copies + phase)
        points = []
        for step in range(361):
            angle = math.radians(step)
            r = radius + swing * math.sin(petals * angle + shift)
            points.append(f"{CENTRE + r * math.cos(angle):.1f} {CENTRE + r * math.sin(angle):.1f}")
        paths.append(f"M{'L'.join(points)}Z")
    return paths


def _circle(radius: float, colour: str, width: float, *, fill: bool = False) -> str:
    inside = ' class="seal-face" fill="#ffffff"' if fill else ' fill="none"'
    return f'<circle cx="{CENTRE}" cy="{CENTRE}" r="{radius}" stroke="{colour}" stroke-width="{width}"{inside}/>'
