"""``nfvcert bench migration-avoidance``: the methods of scaling beside each other, as the scenarios measure them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nfvcert.bench.machine import describe_machine, versions
from nfvcert.bench.noise import NoiseWatch
from nfvcert.bench.results import Report
from nfvcert.bench.rounds import Tell
from nfvcert.checkers.rel002.figures import figures
from nfvcert.errors import NfvcertError
from nfvcert.history import load_history
from nfvcert.measure.repeats import estimate, ratio
from nfvcert.scenarios.migration_avoidance import record
from nfvcert.scenarios.profile import ScalingProfile
from nfvcert.scenarios.recording import Recording
from nfvcert.testbed.model import Testbed
from nfvcert.testbed.reservation import DataplaneReservation

SCENARIOS = (
    "ma-plain",
    "ma-sub-ranges",
    "ma-alternative",
    "ma-never-migrate",
    "ma-always-migrate",
    "ma-heavy-tailed",
)
PLAIN, OWN = "ma-plain", "ma-sub-ranges"
COUNTED = ("affinity_violations", "lost", "duplicates", "reordered", "table_max")
MEASURED = ("imbalance_percent", "convergence_s", "added_latency_median_us", "detoured_bytes", "detour_peak_percent")
CONVERGENCE_S, ADDED_US, DETOUR_RATIO = 5.6, 10.0, 0.5


@dataclass(frozen=True, slots=True)
class MigrationSettings:
    """Repeats, seconds of a scenario, share of the testbed's load, scenarios."""

    repeats: int = 3
    seconds: float = 20.0
    load: float = 1.0
    scenarios: tuple[str, ...] = SCENARIOS


def run_migration_bench(testbed: Testbed, output: Path, settings: MigrationSettings, tell: Tell) -> Report:
    """Record every scenario in turn, ``repeats`` times; what is printed are the figures that judgements take, too.

    Args:
        output: folder of the histories, one folder for each repeat.

    Raises:
        TestbedError: the testbed has no dataplane.
    """
    watch = NoiseWatch()
    report = Report("migration-avoidance", _settings(testbed, settings), describe_machine(), versions())
    runs: dict[str, list[dict[str, Any] | None]] = {name: [] for name in settings.scenarios}
    for number in range(settings.repeats):
        folder = output / f"repeat-{number + 1}"
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        order = settings.scenarios if number % 2 == 0 else tuple(reversed(settings.scenarios))
        with DataplaneReservation.take(testbed, log_dir=folder / "logs") as held:
            for name in order:
                runs[name].append(_one(name, folder, held, settings, tell))
    report.settings["methods"] = {name: summarise(found) for name, found in runs.items()}
    report.settings["runs"] = runs
    _judge(report, runs)
    report.noise = watch.finish()
    return report


def _settings(testbed: Testbed, settings: MigrationSettings) -> dict[str, Any]:
    load = testbed.dataplane.load.model_dump() if testbed.dataplane is not None else {}
    return {
        "repeats": settings.repeats,
        "seconds": settings.seconds,
        "load": settings.load,
        "testbed": testbed.name,
        "full_load": load,
    }


def _one(
    name: str, folder: Path, held: DataplaneReservation, settings: MigrationSettings, tell: Tell
) -> dict[str, Any] | None:
    about = {"run": folder.name, "testbed": held.access.testbed, "profile": "bench"}
    profile = ScalingProfile(load=settings.load, duration_s=settings.seconds)
    try:
        record(name, Recording(folder, name, None, about), held.access, profile)
        found = figures(load_history(folder / "history" / f"{name}.jsonl")).to_dict()
    except NfvcertError as error:
        tell(f"{name}: {error.message}")
        return None
    except LookupError as error:  # something was not recorded
        tell(f"{name}: {error}")
        return None
    tell(
        f"{name}: {found['affinity_violations']} violations, {found['lost']} lost, "
        f"imbalance {found['imbalance_percent']:.1f} %, convergence {found['convergence_s']} s"
    )
    return found


def summarise(runs: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Counts at their worst, measures as medians with intervals; None where no run has a value."""
    done = [run for run in runs if run is not None]
    summary: dict[str, Any] = {"runs": len(done), "failed": len(runs) - len(done)}
    for name in COUNTED:
        summary[name] = max((run[name] for run in done), default=None)
    summary["imbalance_limit"] = max((run["imbalance_limit"] for run in done), default=None)
    for name in MEASURED:
        values = [float(run[name]) for run in done if run[name] is not None]
        summary[name] = estimate(values).to_dict() if values else None
        summary[f"{name}_missing"] = len(done) - len(values)
    return summary


def detour_ratio(ours: list[dict[str, Any] | None], plain: list[dict[str, Any] | None]) -> dict[str, float] | None:
    """Detoured bytes of a method relative to the plain one's of the same repeat."""
    pairs = [
        (float(a["detoured_bytes"]), float(b["detoured_bytes"]))
        for a, b in zip(ours, plain, strict=True)
        if a is not None and b is not None and b["detoured_bytes"]
    ]
    return ratio([a for a, _ in pairs], [b for _, b in pairs]).to_dict() if pairs else None


def _judge(report: Report, runs: dict[str, list[dict[str, Any] | None]]) -> None:
    methods = report.settings["methods"]
    for name, found in methods.items():
        if not found["runs"]:
            report.notes.append(f"{name}: no run came to its end")
            continue
        report.check(f"{name}: flows seen by a second instance", found["affinity_violations"], "flows", "<=", 0)
        report.check(f"{name}: packets lost", found["lost"], "packets", "<=", 0)
    own = methods.get(OWN)
    if own and own["runs"]:
        for key, what, unit, limit in (
            ("convergence_s", "convergence", "s", CONVERGENCE_S),
            ("imbalance_percent", "imbalance once converged", "%", own["imbalance_limit"]),
            ("added_latency_median_us", "median latency added to detoured flows", "us", ADDED_US),
        ):
            value = own[key]["median"] if own[key] else None
            report.check(f"{OWN}: {what}", value, unit, "<=", limit)
    for name in runs:
        if name != PLAIN and PLAIN in runs and (found := detour_ratio(runs[name], runs[PLAIN])) is not None:
            report.settings["methods"][name]["detoured_bytes_of_plain"] = found
            if name == OWN:
                report.check(f"{OWN}: detoured bytes relative to plain", found["median"], "", "<=", DETOUR_RATIO)
