"""What test back-ends report: one line a test, written at once, so that a killed back-end leaves what it did."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

ENVIRONMENT = "NFVCERT_REPORTED"


@dataclass(frozen=True, slots=True)
class ReportedTest:
    """A test that a back-end ran to its end.

    ``purpose`` is empty for the steps of a procedure. ``status`` is PASS, FAIL or SKIP as the back-end has it.
    """

    backend: str
    suite: str
    test: str
    purpose: str
    status: str
    message: str
    seconds: float


def report_test(test: ReportedTest) -> None:
    """Append a line to the file that the runner named; without one nothing is written."""
    target = os.environ.get(ENVIRONMENT)
    if target:
        with Path(target).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(test), ensure_ascii=False) + "\n")


def read_reported(path: Path) -> list[ReportedTest]:
    """All whole lines; a last one cut off by a kill is left out."""
    if not path.exists():
        return []
    tests = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            tests.append(ReportedTest(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return tests
