"""Allure result files of a run, one per planned test purpose.

The identity of a result is requirement, purpose and testbed, so that the history of a purpose on one testbed stays
together and runs on two testbeds are two tests.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

from nfvcert.report import wording
from nfvcert.report.results_model import PurposeResult, RequirementResult, Results
from nfvcert.report.runfolder import write_text

STATUS = {
    "PASS": "passed",
    "FAIL": "failed",
    "INCONC": "broken",
    "ERROR": "broken",
    "N/A": "skipped",
    "not tested": "skipped",
}
CATEGORIES = [
    {"name": "Requirement not met", "matchedStatuses": ["failed"]},
    {"name": "Inconclusive", "matchedStatuses": ["broken"], "messageRegex": "(?s)INCONC: .*"},
    {"name": "Tester error", "matchedStatuses": ["broken"], "messageRegex": "(?s)ERROR: .*"},
    {"name": "Not applicable", "matchedStatuses": ["skipped"], "messageRegex": "(?s)N/A: .*"},
    {"name": "Not tested", "matchedStatuses": ["skipped"], "messageRegex": "(?s)not tested: .*"},
]


def write_allure(results: Results, folder: Path) -> None:
    """Write result files, environment and categories; files of an earlier report in the folder are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*-result.json"):
        old.unlink()
    for requirement in results.requirements:
        for purpose in requirement.purposes:
            result = allure_result(results, requirement, purpose)
            write_text(
                folder / f"{result['uuid']}-result.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n"
            )
    write_text(folder / "environment.properties", environment(results))
    write_text(folder / "categories.json", json.dumps(CATEGORIES, indent=1) + "\n")


def allure_result(results: Results, requirement: RequirementResult, purpose: PurposeResult) -> dict[str, Any]:
    """One result as Allure 2 and 3 read it."""
    identity = f"{requirement.id}/{purpose.id}@{results.testbed.name}"
    labels = {
        "epic": requirement.document or "requirements",
        "feature": requirement.id,
        "story": requirement.statement,
        "suite": requirement.id,
        "severity": "critical" if requirement.level == "shall" else "normal",
        "host": results.testbed.name,
        "framework": "nfvcert",
        "language": "en",
    }
    scenarios = {scenario.id: scenario for scenario in results.scenarios}
    mine = [scenarios[id] for id in purpose.scenarios if id in scenarios]
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{results.run}/{identity}")),
        "historyId": hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest(),
        "testCaseId": hashlib.md5(purpose.id.encode(), usedforsecurity=False).hexdigest(),
        "fullName": f"{requirement.id}.{purpose.id}",
        "name": f"{purpose.id} {purpose.title}",
        "description": _description(purpose),
        "status": STATUS[purpose.verdict],
        "statusDetails": {"message": f"{purpose.verdict}: {purpose.reason}"},
        "stage": "finished",
        "start": _milliseconds(min((scenario.started for scenario in mine), default=results.started)),
        "stop": _milliseconds(max((scenario.finished for scenario in mine), default=results.finished)),
        "labels": [{"name": name, "value": value} for name, value in labels.items()],
        "parameters": [
            {"name": "testbed", "value": results.testbed.name},
            {"name": "drop", "value": f"{results.drop.id} {results.drop.candidate.version}", "excluded": True},
        ],
        "links": [{"type": "history", "name": s.id, "url": s.history} for s in mine],
        "attachments": [],
        "steps": [],
    }


def environment(results: Results) -> str:
    """``environment.properties``: what was tested with what on what."""
    values = {
        "run": results.run,
        "drop": f"{results.drop.vendor} {results.drop.product}",
        "version in service": results.drop.in_service.version,
        "version to certify": results.drop.candidate.version,
        "testbed": results.testbed.name,
        "nfvcert": results.tool.version,
        "commit": results.tool.commit,
        "profile": results.profile,
        "headline": results.headline,
        "kernel": results.machine.kernel,
    }
    return "".join(f"{name.replace(' ', '.')}={_escaped(value)}\n" for name, value in values.items())


def _description(purpose: PurposeResult) -> str:
    lines = [purpose.reason, ""]
    if purpose.measures:
        lines += ["| measure | value | interval | limit | from | verdict |", "| --- | --- | --- | --- | --- | --- |"]
    for m in purpose.measures:
        cells = [m.name, f"{wording.number(m.value)} {m.unit}", wording.interval(m), m.limit, m.source, m.verdict]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for scenario, events in wording.evidence(purpose.evidence):
        lines += ["", f"Evidence: {scenario}, events {events}"]
    if purpose.test:
        lines += ["", f"Test: `{purpose.test}`"]
    return "\n".join(lines).strip()


def _milliseconds(text: str) -> int:
    at = wording.moment(text)
    return round(at.timestamp() * 1000) if at else 0


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", " ")
