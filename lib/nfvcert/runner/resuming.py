"""Resuming a run: which scenarios are still to be recorded, with nothing of an attempt before in their way."""

from __future__ import annotations

import json
from dataclasses import asdict

from nfvcert.history import marks
from nfvcert.history.reader import load_history
from nfvcert.history.recorder import merge_segments, unmerged_scenarios
from nfvcert.runner.folder import RunFolder
from nfvcert.runner.plan import SCENARIO_SUITES, Plan
from nfvcert.runner.reported import read_reported


def left_of(folder: RunFolder, plan: Plan) -> Plan:
    """The plan without the scenarios that were carried through.

    A scenario runs again, too, when its suite shows a purpose that rests on one that is left. What was recorded and
    reported of the scenarios that run again is removed: two attempts in one history say nothing, and reports of both
    would disagree.
    """
    for scenario in unmerged_scenarios(folder.history):
        merge_segments(folder.history, scenario)
    done = {scenario for scenario in plan.scenarios if _carried_through(folder, scenario)}
    for scenario, suite in SCENARIO_SUITES.items():
        if any(purpose.suite == suite and not done.issuperset(purpose.scenarios) for purpose in plan.purposes):
            done.discard(scenario)
    left = plan.without(done)
    for scenario in left.scenarios:
        for path in folder.history.glob(f"{scenario}.*"):
            path.unlink()
    suites = (*left.suites("robot"), *left.suites("pytest"))
    kept = [test for test in read_reported(folder.reported) if not test.suite.endswith(suites)]
    folder.reported.write_text(
        "".join(json.dumps(asdict(test), ensure_ascii=False) + "\n" for test in kept), encoding="utf-8"
    )
    return left


def _carried_through(folder: RunFolder, scenario: str) -> bool:
    path = folder.history / f"{scenario}.jsonl"
    if not path.exists():
        return False
    end = load_history(path).mark(marks.END)
    return end is not None and bool(end.data.get("complete"))
