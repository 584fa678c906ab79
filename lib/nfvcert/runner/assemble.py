"""Putting results.json together from a run folder: the same for a fresh run and for one judged again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nfvcert.catalogue import Catalogue
from nfvcert.checkers import Declared, Judgement
from nfvcert.history import EventKind, History, marks
from nfvcert.history.reader import file_sha256
from nfvcert.history.repeated import how_often
from nfvcert.measure import Verdict
from nfvcert.report.results_model import FileRef, Results, ScenarioResult, Series, SeriesKind
from nfvcert.report.summary import requirement_results, summarise
from nfvcert.runner.folder import RunFolder
from nfvcert.runner.known import title_of
from nfvcert.runner.plan import Plan
from nfvcert.runner.scaling_series import COMPARED, scaling_course
from nfvcert.runner.series import migration_series

PLOTTED = ("upgrade", "rollback", "exposure")


@dataclass(frozen=True)
class Circumstances:
    """What does not come from histories: identification of everything and the times of the run."""

    identification: dict[str, Any]
    started: str
    interrupted: str | None = None


def assemble(
    folder: RunFolder,
    *,
    plan: Plan,
    catalogue: Catalogue,
    declared: Declared,
    histories: Mapping[str, History],
    judgements: Mapping[str, Judgement],
    circumstances: Circumstances,
) -> Results:
    """Results of a run; data of plots are written beside them."""
    judged = {}
    for purpose, judgement in judgements.items():
        raw = judgement.to_dict()
        if judgement.verdict is not Verdict.NOT_APPLICABLE:
            raw["weaker_bound"] = declared.weaker_bounds.get(purpose)
        judged[purpose] = raw
    requirements = requirement_results(catalogue, judged, plan.ids)
    summary = summarise(requirements)
    return Results.model_validate(
        {
            **circumstances.identification,
            "schema": "nfvcert-results/1",
            "run": folder.id,
            "verdict": summary.verdict,
            "headline": summary.headline,
            "started": circumstances.started,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "profile": declared.profile,
            "planned": plan.ids,
            "requirements": requirements,
            "counts": summary.counts,
            "scenarios": [_scenario(folder, history, declared) for history in histories.values()],
            "series": _series(folder, histories, declared),
            "interrupted": circumstances.interrupted,
        }
    )


def _scenario(folder: RunFolder, history: History, declared: Declared) -> ScenarioResult:
    path = folder.history / f"{history.scenario}.jsonl"
    begin = history.mark(marks.BEGIN)
    clock = (begin.data.get("clock") or {}) if begin else {}
    tables = [
        FileRef(path=f"history/{event.data['file']}", sha256=event.data["sha256"])
        for event in history.of(EventKind.FLOW_RECORD)
    ]
    return ScenarioResult(
        id=history.scenario,
        title=title_of(history.scenario),
        started=history.events[0].wall,
        finished=history.events[-1].wall,
        history=str(path.relative_to(folder.path)),
        sha256=file_sha256(path),
        events=len(history),
        clock_error_ns=clock.get("error_ns"),
        profile=declared.profile,
        tables=tables,
    )


def _series(folder: RunFolder, histories: Mapping[str, History], declared: Declared) -> list[Series]:
    found: list[tuple[SeriesKind, str, dict[str, Any] | None]] = [
        ("modification", name, migration_series(histories[name], declared)) for name in PLOTTED if name in histories
    ]
    times = how_often(histories)
    found += [("scaling", name, scaling_course(histories[name], times[name])) for name in COMPARED if name in histories]
    made = []
    for kind, scenario, data in found:
        if data is None:
            continue
        path = folder.path / "plots" / f"{scenario}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data), encoding="utf-8")
        made.append(
            Series(
                kind=kind,
                scenario=scenario,
                title=title_of(scenario),
                path=str(path.relative_to(folder.path)),
                sha256=file_sha256(path),
            )
        )
    return made
