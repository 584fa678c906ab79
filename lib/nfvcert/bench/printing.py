"""A report as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nfvcert.bench.noise import doubtful_spread
from nfvcert.bench.results import ALIKE, Comparison, Report, Series

COLUMNS = (
    ("affinity_violations", "violations"),
    ("lost", "lost"),
    ("imbalance_percent", "imbalance %"),
    ("convergence_s", "converged s"),
    ("added_latency_median_us", "added us"),
    ("detoured_bytes", "detoured bytes"),
    ("detoured_bytes_of_plain", "of plain"),
)


def lines_of(report: Report) -> Iterator[str]:
    """The report, line by line; figures first, then targets, then what they stand on."""
    if report.series:
        yield f"{'contender':<32}{'ports':<18}{'point':<20}{'median':>10}  interval (coverage, repeats)"
    for series in report.series:
        yield _series_line(series)
    for comparison in report.comparisons:
        yield _comparison_line(comparison)
    if "methods" in report.settings:
        yield from _method_lines(report.settings["methods"])
    for check in report.checks:
        yield _check_line(check)
    yield from (f"note: {note}" for note in report.notes)
    if report.noise is not None:
        noise = report.noise
        yield (
            f"noise: steal {100 * noise.steal:.2f} %, load average {noise.load_before:.2f} before and "
            f"{noise.load_after:.2f} after, spin {noise.spin_after / noise.spin_before - 1:+.1%}"
        )
        yield from (f"doubtful: {doubt}" for doubt in noise.doubts)
    distances = [r.core_distance_ns for s in report.series for r in s.readings if r.core_distance_ns is not None]
    if distances:
        yield f"cores: a cache line there and back {min(distances):.0f} to {max(distances):.0f} ns"
        if max(distances) > ALIKE * min(distances):
            yield "doubtful: the host moved the cores apart or together; compare readings at like distances only"
    machine = report.machine
    yield f"machine: {machine['processor']}, {machine['cores']} cores, kernel {machine['kernel']}, {machine['system']}"
    yield "versions: " + ", ".join(f"{name} {version}" for name, version in report.versions.items())


def _series_line(series: Series) -> str:
    point = ", ".join(f"{key} {value}" for key, value in series.point.items())
    head = f"{series.contender:<32}{series.ports:<18}{point:<20}"
    found = series.estimate
    if found is None:
        return f"{head}{'-':>10}  {series.failures[-1] if series.failures else 'not measured'}"
    text = f"{head}{_mpps(found.median):>10}  {_mpps(found.low)} to {_mpps(found.high)} Mpps"
    text += f" ({found.coverage:.0%}, {found.count})"
    if len(series.rates) > 1 and doubtful_spread(series.rates):
        text += " doubtful: repeats differ much"
    return text + (f", {len(series.failures)} failed" if series.failures else "")


def _comparison_line(comparison: Comparison) -> str:
    found = comparison.ratio
    point = "".join(f", {key} {value}" for key, value in comparison.point.items())
    text = f"{comparison.ours} / {comparison.theirs}{point}: {found.median:.2f} ({found.low:.2f} to {found.high:.2f})"
    if comparison.left_out:
        text += f", {comparison.left_out} pairs left out: cores differently far apart"
    if comparison.target is None:
        return text
    return f"{text}, target {comparison.target:g}: {_verdict(comparison.met)}"


def _check_line(check: dict[str, Any]) -> str:
    value = "not measured" if check["value"] is None else f"{check['value']:g} {check['unit']}"
    limit = f"{check['operator']} {check['limit']:g}"
    return f"{check['what']}: {value}, target {limit}: {_verdict(check['met'])}"


def _method_lines(methods: dict[str, Any]) -> Iterator[str]:
    yield f"{'scenario':<20}" + "".join(f"  {title:>34}" for _, title in COLUMNS)
    for name, found in methods.items():
        yield f"{name:<20}" + "".join(f"  {_cell(found.get(key)):>34}" for key, _ in COLUMNS)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict):
        return f"{value['median']:.4g} ({value['low']:.4g} to {value['high']:.4g})"
    return str(value)


def _verdict(met: bool | None) -> str:
    return "open (inside the interval)" if met is None else "met" if met else "MISSED"


def _mpps(rate: float) -> str:
    return f"{rate / 1e6:.3f}"
