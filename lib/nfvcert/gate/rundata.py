"""What the gate needs of a run, read from its results.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nfvcert.errors import UsageError
from nfvcert.report.runfolder import results_document

SCHEMA = "nfvcert-results/1"


@dataclass(frozen=True, slots=True)
class MeasureData:
    """One measure; ``low`` and ``high`` are the ends of its interval, or the value itself."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    limit: str


@dataclass(frozen=True, slots=True)
class PurposeData:
    """One purpose and its verdict."""

    id: str
    requirement: str
    verdict: str
    reason: str
    weaker_bound: str
    measures: tuple[MeasureData, ...]


@dataclass(frozen=True, slots=True)
class RunData:
    """One run."""

    run: str
    verdict: str
    headline: str
    levels: Mapping[str, str]
    purposes: Mapping[str, PurposeData]
    planned: tuple[str, ...] = ()
    interrupted: str = ""
    surroundings: Mapping[str, str] = field(default_factory=dict)

    def of(self, requirement: str) -> Iterator[PurposeData]:
        """The purposes of a requirement."""
        return (purpose for purpose in self.purposes.values() if purpose.requirement == requirement)


def read_run(path: Path) -> RunData:
    """Read a run folder, or a results.json.

    Raises:
        UsageError: it is missing, no JSON, of another schema, or lacks something.
    """
    file, raw = results_document(path)
    return run_data(raw, where=str(file))


def run_data(raw: Any, *, where: str = "results.json") -> RunData:
    """The run that a parsed results.json describes.

    Raises:
        UsageError: it is of another schema, or lacks something.
    """
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        found = str(raw.get("schema", "none")) if isinstance(raw, dict) else type(raw).__name__
        raise UsageError(f"the results are not of schema {SCHEMA}", where=where, found=found)
    try:
        requirements = raw["requirements"]
        purposes = [
            _purpose(purpose, requirement["id"]) for requirement in requirements for purpose in requirement["purposes"]
        ]
        return RunData(
            run=str(raw["run"]),
            verdict=str(raw["verdict"]),
            headline=str(raw["headline"]),
            levels={requirement["id"]: requirement["level"] for requirement in requirements},
            purposes={purpose.id: purpose for purpose in purposes},
            planned=tuple(raw.get("planned", ())),
            interrupted=str(raw.get("interrupted") or ""),
            surroundings=_surroundings(raw),
        )
    except (KeyError, TypeError, AttributeError) as failure:
        raise UsageError("the results lack something", where=where, found=repr(failure)) from failure


def _purpose(raw: Mapping[str, Any], requirement: str) -> PurposeData:
    return PurposeData(
        id=str(raw["id"]),
        requirement=requirement,
        verdict=str(raw["verdict"]),
        reason=str(raw.get("reason", "")),
        weaker_bound=str(raw.get("weaker_bound") or ""),
        measures=tuple(_measure(measure) for measure in raw.get("measures", ())),
    )


def _measure(raw: Mapping[str, Any]) -> MeasureData:
    value = raw["value"]
    low, high = raw.get("interval") or (value, value)
    return MeasureData(str(raw["name"]), value, low, high, str(raw["unit"]), str(raw["limit"]))


def _surroundings(raw: Mapping[str, Any]) -> dict[str, str]:
    drop, testbed, tool = raw["drop"], raw["testbed"], raw["tool"]
    return {
        "drop": f"{drop['vendor']} {drop['product']}",
        "version in service": f"{drop['in_service']['version']} ({drop['in_service']['sha256'][:12]})",
        "version to certify": f"{drop['candidate']['version']} ({drop['candidate']['sha256'][:12]})",
        "testbed": f"{testbed['name']} ({testbed['sha256'][:12]})",
        "tool": f"{tool['version']} {tool.get('commit', '')}".strip(),
        "profile": str(raw.get("profile", "")),
        "machine": f"{raw['machine']['cpu']}, {raw['machine']['cores']} cores, {raw['machine']['kernel']}",
    }
