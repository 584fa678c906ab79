"""Bringing up what a plan needs, one part of the testbed after the other, and running the back-ends there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nfvcert.errors import TestbedError
from nfvcert.runner.backends import BackendRun, end, pytest_run, robot_run, start
from nfvcert.runner.folder import RunFolder
from nfvcert.runner.plan import Plan
from nfvcert.runner.progress import Progress, StepFollower
from nfvcert.runner.reported import ENVIRONMENT as REPORTED
from nfvcert.runner.session import DROP, PROFILE, RUN
from nfvcert.testbed.attachment import ENVIRONMENT as ATTACHMENT
from nfvcert.testbed.embedded.strategy import EmbeddedTestbed
from nfvcert.testbed.model import Testbed
from nfvcert.testbed.reservation import DataplaneReservation

POLL_S = 0.1


@dataclass(frozen=True)
class Staging:
    """Everything that running a plan needs.

    ``extensions`` maps a component to a file with another behaviour, ``programs`` the name of a native program to the
    one that runs in its place (seeded defects); ``trusted`` are certificates whose signatures on packages count.
    """

    folder: RunFolder
    root: Path
    testbed: Testbed
    drop: Path
    profile: str
    trusted: Sequence[Path]
    extensions: Mapping[str, Path]
    programs: Mapping[str, Path]
    reports: bool

    def run(self, plan: Plan, progress: Progress) -> None:
        """Run what the plan asks for; a part of the testbed that nothing needs is not brought up.

        Raises:
            TestbedError: a part does not come up, breaks down, or a back-end does not end.
        """
        on_stack = [pytest_run(self.folder, self.root, plan), robot_run(self.folder, self.root, plan)]
        on_dataplane = [pytest_run(self.folder, self.root, plan, "dataplane")]
        if self.reports and any([*on_stack, *on_dataplane]):
            threading.Thread(target=_warm_up_reports, name="warm-up", daemon=True).start()
        if runs := [run for run in on_stack if run is not None]:
            self._on_stack(runs, progress)
        if runs := [run for run in on_dataplane if run is not None]:
            self._on_dataplane(runs, progress)

    def _on_stack(self, runs: Sequence[BackendRun], progress: Progress) -> None:
        progress.say("bringing up the testbed")
        with EmbeddedTestbed.up(
            self.testbed,
            log_dir=self.folder.logs,
            trusted_certificates=[*self.trusted],
            extensions=self.extensions,
            say=lambda text: progress.say(f"bringing up the testbed: {text}"),
        ) as testbed:
            assert testbed.attachment is not None
            testbed.attachment.write(self.folder.attachment)
            self._each(runs, progress, testbed.check)

    def _on_dataplane(self, runs: Sequence[BackendRun], progress: Progress) -> None:
        progress.say("reserving the dataplane")
        with DataplaneReservation.take(
            self.testbed, log_dir=self.folder.logs, extensions=self.extensions, programs=self.programs
        ) as dataplane:
            dataplane.access.write(self.folder.attachment)
            self._each(runs, progress, dataplane.check)

    def _each(self, runs: Sequence[BackendRun], progress: Progress, check: Callable[[], None]) -> None:
        environment = {
            ATTACHMENT: str(self.folder.attachment),
            RUN: str(self.folder.path.resolve()),
            DROP: str(self.drop.resolve()),
            PROFILE: self.profile,
            REPORTED: str(self.folder.reported.resolve()),
        }
        try:
            for run in runs:
                progress.say(f"testing ({run.name})")
                _follow(run, environment, self.folder, progress, check)
        finally:
            progress.say("taking the testbed down")
            self.folder.attachment.unlink(missing_ok=True)


def _follow(
    run: BackendRun,
    environment: Mapping[str, str],
    folder: RunFolder,
    progress: Progress,
    check: Callable[[], None],
) -> None:
    follower = StepFollower(folder.history)
    process = start(run, environment)
    deadline = time.monotonic() + run.timeout_s
    try:
        while process.poll() is None:
            time.sleep(POLL_S)
            for scenario, step in follower.new_steps():
                progress.scenario(scenario, step)
            check()
            if time.monotonic() > deadline:
                raise TestbedError(f"the {run.name} back-end does not end", where=str(run.log))
    finally:
        end(process)


def _warm_up_reports() -> None:
    """Import what draws the certificate while the tests run: it takes a second that nobody has to wait for."""
    with suppress(ImportError):
        import weasyprint  # noqa: F401
