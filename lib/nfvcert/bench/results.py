"""What a benchmark found, as data: readings of contenders, ratios, targets, notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nfvcert.bench.noise import Noise, doubtful_spread
from nfvcert.measure.repeats import METHOD, Estimate, estimate, ratio

ALIKE = 1.5
"""Distances of the cores that differ by at most this factor count as the same."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement: the rate (packets/s), and what else was seen (counts, latencies in us).

    Attributes:
        repeat: number of the round in which it was measured, from 0.
        core_distance_ns: how long a cache line took from core to core and back; None: not known.
    """

    rate: float
    details: Mapping[str, Any] = field(default_factory=dict)
    repeat: int = 0
    core_distance_ns: float | None = None

    def alike(self, other: Reading) -> bool:
        """Whether both were measured with the cores about equally far apart, so that they can be compared."""
        if self.core_distance_ns is None or other.core_distance_ns is None:
            return True
        near, far = sorted((self.core_distance_ns, other.core_distance_ns))
        return far <= ALIKE * near


@dataclass(slots=True)
class Series:
    """All repeats of one contender at one point."""

    contender: str
    ports: str
    point: Mapping[str, Any]
    readings: list[Reading] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        """Rates of the repeats (packets/s)."""
        return [reading.rate for reading in self.readings]

    @property
    def estimate(self) -> Estimate | None:
        """Median and interval; None when nothing was measured."""
        return estimate(self.rates) if self.readings else None

    def to_dict(self) -> dict[str, Any]:
        """The series as JSON holds it."""
        found = self.estimate
        return {
            "contender": self.contender,
            "ports": self.ports,
            "point": dict(self.point),
            "rate_pps": found.to_dict() if found else None,
            "doubtful": bool(self.readings) and doubtful_spread(self.rates),
            "readings": [
                {"rate_pps": r.rate, "repeat": r.repeat, "core_distance_ns": r.core_distance_ns, **r.details}
                for r in self.readings
            ],
            "failures": self.failures,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ratio of two contenders against a target; ``met`` is None when the target lies inside the interval."""

    ours: str
    theirs: str
    ratio: Estimate
    target: float | None = None
    point: Mapping[str, Any] = field(default_factory=dict)
    left_out: int = 0
    """Repeats in which both were measured, but with the cores differently far apart."""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached, by the whole interval."""
        if self.target is None or self.ratio.low >= self.target:
            return True
        return None if self.ratio.high >= self.target else False

    def to_dict(self) -> dict[str, Any]:
        """The comparison as JSON holds it."""
        return {
            "ours": self.ours,
            "theirs": self.theirs,
            "point": dict(self.point),
            "ratio": self.ratio.to_dict(),
            "left_out": self.left_out,
            "target": self.target,
            "met": self.met,
        }


@dataclass(slots=True)
class Report:
    """Everything that one run of a benchmark found."""

    name: str
    settings: dict[str, Any]
    machine: dict[str, Any]
    versions: dict[str, str]
    series: list[Series] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    noise: Noise | None = None

    def of(self, contender: str, **point: Any) -> Series | None:
        """The series of a contender at a point; the first when no point is named."""
        for series in self.series:
            if series.contender == contender and all(series.point.get(k) == v for k, v in point.items()):
                return series
        return None

    def compare(self, ours: str, theirs: str, *, target: float | None = None, **point: Any) -> None:
        """Add the ratio of two contenders: of the repeats in which both were measured under like conditions."""
        a, b = self.of(ours, **point), self.of(theirs, **point)
        if a is None or b is None:
            return
        other = {reading.repeat: reading for reading in b.readings if reading.rate > 0}
        both = [(reading, other[reading.repeat]) for reading in a.readings if reading.repeat in other]
        pairs = [(x.rate, y.rate) for x, y in both if x.alike(y)]
        if pairs:
            found = ratio([x for x, _ in pairs], [y for _, y in pairs])
            self.comparisons.append(Comparison(ours, theirs, found, target, point, len(both) - len(pairs)))

    def check(self, what: str, value: float | None, unit: str, operator: str, limit: float) -> None:
        """Add an absolute target."""
        met = value is not None and (value >= limit if operator == ">=" else value <= limit)
        entry = {"what": what, "value": value, "unit": unit, "operator": operator, "limit": limit, "met": met}
        self.checks.append(entry)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it."""
        return {
            "bench": self.name,
            "settings": self.settings,
            "machine": self.machine,
            "versions": self.versions,
            "intervals": METHOD,
            "noise": self.noise.to_dict() if self.noise else None,
            "series": [series.to_dict() for series in self.series],
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
            "checks": self.checks,
            "notes": self.notes,
        }
