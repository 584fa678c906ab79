"""The two test back-ends as subprocesses, each given an explicit list of what to run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nfvcert.runner.folder import RunFolder
from nfvcert.runner.known import Part
from nfvcert.runner.plan import Plan, PlannedPurpose

PROCEDURE_TAG = "procedure"
DIES_WITH_RUNNER = ("setpriv", "--pdeathsig", "KILL", "--")
"""Before a back-end that starts polling processes: they end with it, and must not keep cores that nobody holds."""

TEST_TIMEOUT_S: dict[Part, int] = {"stack": 120, "dataplane": 600}
"""How long one pytest test may take, with the scenario that it records."""
DATAPLANE_TIMEOUT_S = 3600
SCENARIO_TIMEOUT_S = 150
"""How long each scenario on the dataplane may take, where a test or a run records more than these times hold."""


@dataclass(frozen=True, slots=True)
class BackendRun:
    """A back-end with its command and the file for what it prints."""

    name: str
    argv: list[str]
    log: Path
    timeout_s: float = 900.0


def robot_run(folder: RunFolder, root: Path, plan: Plan) -> BackendRun | None:
    """One Robot process over the suites of the plan, in its order; None when there is nothing for it."""
    suites, purposes = plan.suites("robot"), plan.of("robot")
    if not suites:
        return None
    argv = [sys.executable, "-m", "robot", "--outputdir", str(folder.logs / "robot"), "--loglevel", "INFO"]
    argv += ["--consolecolors", "off", "--name", "nfvcert", "--pythonpath", str(root / "keywords")]
    argv += ["--listener", "nfvcert.runner.robot_listener"]
    argv += ["--listener", f"allure_robotframework;{folder.path / 'allure-results'}"]
    argv += ["--include", PROCEDURE_TAG]
    for purpose in purposes:
        argv += ["--include", purpose.id]
    argv += [str(root / suite) for suite in suites]
    return BackendRun("robot", argv, folder.logs / "robot.log")


def pytest_run(folder: RunFolder, root: Path, plan: Plan, part: Part = "stack") -> BackendRun | None:
    """One pytest process over the named test functions of a part; None when there is nothing for it."""
    here = plan.on(part)
    suites = here.suites("pytest")
    purposes = [purpose for purpose in here.of("pytest") if purpose.suite in suites]
    if not purposes:
        return None
    name = "pytest" if part == "stack" else f"pytest-{part}"
    argv = [sys.executable, "-m", "pytest", "-p", "nfvcert.runner.pytest_plugin", "-p", "no:cacheprovider", "-q"]
    argv += ["--rootdir", str(root / "suites"), "-c", os.devnull, "--timeout", str(_test_timeout_s(purposes, part))]
    argv += ["--alluredir", str(folder.path / "allure-results"), "--junitxml", str(folder.logs / f"{name}.xml")]
    argv += [f"{root / purpose.suite}::{purpose.test}" for purpose in purposes]
    if part == "dataplane":
        timeout_s = float(max(DATAPLANE_TIMEOUT_S, SCENARIO_TIMEOUT_S * len(here.scenarios)))
        return BackendRun(name, [*DIES_WITH_RUNNER, *argv], folder.logs / f"{name}.log", timeout_s)
    return BackendRun(name, argv, folder.logs / f"{name}.log")


def _test_timeout_s(purposes: list[PlannedPurpose], part: Part) -> int:
    most = max(len(purpose.scenarios) for purpose in purposes)
    return max(TEST_TIMEOUT_S[part], SCENARIO_TIMEOUT_S * most if part == "dataplane" else 0)


def start(run: BackendRun, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a back-end as the leader of a process group of its own."""
    run.log.parent.mkdir(parents=True, exist_ok=True)
    with run.log.open("ab") as log:
        return subprocess.Popen(
            run.argv,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], *, grace_s: float = 5.0) -> None:
    """End a back-end and everything it started: first politely, then by force."""
    if process.poll() is None:
        _signal_group(process, signal.SIGTERM)
        try:
            process.wait(grace_s)
        except subprocess.TimeoutExpired:
            pass
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
