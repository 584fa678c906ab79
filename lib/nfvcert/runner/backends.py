"""The two test back-ends as subprocesses, each given an explicit list of what to run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nfvcert.runner.folder import RunFolder
from nfvcert.runner.plan import PlannedPurpose

PROCEDURE_TAG = "procedure"


@dataclass(frozen=True, slots=True)
class BackendRun:
    """A back-end with its command; ``purposes`` are those that it is expected to report."""

    name: str
    argv: list[str]
    purposes: tuple[str, ...]
    log: Path


def robot_run(folder: RunFolder, suites_root: Path, purposes: Sequence[PlannedPurpose]) -> BackendRun:
    """One Robot process over the suites of the planned purposes, in the plan's order."""
    suites = list(dict.fromkeys(purpose.suite for purpose in purposes))
    output = folder.logs / "robot"
    argv = [sys.executable, "-m", "robot", "--outputdir", str(output), "--loglevel", "INFO", "--consolecolors", "off"]
    argv += ["--name", "nfvcert", "--pythonpath", str(suites_root.parent / "keywords"), "--exitonerror"]
    argv += ["--listener", "nfvcert.runner.robot_listener"]
    argv += ["--listener", f"allure_robotframework;{folder.path / 'allure-results'}"]
    argv += ["--include", PROCEDURE_TAG]
    for purpose in purposes:
        argv += ["--include", purpose.id]
    argv += [str(suites_root / suite) for suite in suites]
    return BackendRun("robot", argv, tuple(p.id for p in purposes), folder.logs / "robot.log")


def pytest_run(folder: RunFolder, suites_root: Path, purposes: Sequence[PlannedPurpose]) -> BackendRun:
    """One pytest process over the named test functions."""
    argv = [sys.executable, "-m", "pytest", "-p", "nfvcert.runner.pytest_plugin", "-p", "no:cacheprovider", "-q"]
    argv += ["--rootdir", str(suites_root), "-c", os.devnull, "--timeout", "120"]
    argv += ["--alluredir", str(folder.path / "allure-results"), "--junitxml", str(folder.logs / "pytest.xml")]
    argv += [f"{suites_root / purpose.suite}::{purpose.test}" for purpose in purposes]
    return BackendRun("pytest", argv, tuple(p.id for p in purposes), folder.logs / "pytest.log")


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
