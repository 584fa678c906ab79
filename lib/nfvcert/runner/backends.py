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
from nfvcert.runner.plan import Plan

PROCEDURE_TAG = "procedure"
DATAPLANE_TIMEOUT_S = 3600.0
DIES_WITH_RUNNER = ("setpriv", "--pdeathsig", "KILL", "--")
"""Before a back-end that starts polling processes: they end with it, and must not keep cores that nobody holds."""

TEST_TIMEOUT_S: dict[Part, int] = {"stack": 120, "dataplane": 600}
"""How long one pytest test may take, with the scenario that it records."""


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
    argv += ["--rootdir", str(root / "suites"), "-c", os.devnull, "--timeout", str(TEST_TIMEOUT_S[part])]
    argv += ["--alluredir", str(folder.path / "allure-results"), "--junitxml", str(folder.logs / f"{name}.xml")]
    argv += [f"{root / purpose.suite}::{purpose.test}" for purpose in purposes]
    if part == "dataplane":
        return BackendRun(name, [*DIES_WITH_RUNNER, *argv], folder.logs / f"{name}.log", DATAPLANE_TIMEOUT_S)
    return BackendRun(name, argv, folder.logs / f"{name}.log")


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
