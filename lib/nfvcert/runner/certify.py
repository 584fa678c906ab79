"""A certification run from the drop to the certificate."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from nfvcert.catalogue import Catalogue, load
from nfvcert.checkers import Declared
from nfvcert.drop.inspect import inspect_package
from nfvcert.drop.package_check import check_images, host_architecture
from nfvcert.drop.read import Drop, read_drop
from nfvcert.errors import NfvcertError, TestbedError, UsageError
from nfvcert.history.recorder import merge_segments, unmerged_scenarios
from nfvcert.report.generate import FORMATS, generate
from nfvcert.report.results_model import Results
from nfvcert.report.runfolder import write_results
from nfvcert.runner import provenance
from nfvcert.runner.assemble import Circumstances, assemble
from nfvcert.runner.backends import BackendRun, end, pytest_run, robot_run, start
from nfvcert.runner.declaring import declare
from nfvcert.runner.folder import RunFolder, new_run
from nfvcert.runner.plan import Plan, make_plan
from nfvcert.runner.progress import Progress, StepFollower, progress_for
from nfvcert.runner.reconcile import judge_all, reconcile
from nfvcert.runner.reported import ENVIRONMENT as REPORTED
from nfvcert.runner.reported import read_reported
from nfvcert.runner.resuming import left_of
from nfvcert.runner.session import DROP, PROFILE, RUN, recorded
from nfvcert.scenarios.profile import RunProfile, read_profile
from nfvcert.testbed.attachment import ENVIRONMENT as ATTACHMENT
from nfvcert.testbed.embedded.strategy import EmbeddedTestbed
from nfvcert.testbed.model import Testbed, read_testbed

BACKEND_TIMEOUT_S = 900.0
POLL_S = 0.1
FOREIGN = "image.architecture"
"""Rule of the finding that an image is for another machine: the embedded hosts could not even start it."""


@dataclass(frozen=True)
class Order:
    """What is to be certified, where, and how.

    ``extensions`` maps a component of the embedded stack to a file with another behaviour (seeded defects).
    """

    drop: Path
    testbed: Path
    output: Path
    root: Path
    profile: str = "default"
    selected: list[str] = field(default_factory=list)
    resume: RunFolder | None = None
    extensions: Mapping[str, Path] = field(default_factory=dict)
    formats: tuple[str, ...] = FORMATS
    link_latest: bool = True
    trusted: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Prepared:
    """Everything that is known before anything is started."""

    order: Order
    drop: Drop
    testbed: Testbed
    profile: RunProfile
    catalogue: Catalogue
    declared: Declared
    plan: Plan


class Interrupted(Exception):
    """The run was told to end by a signal."""


def prepare(order: Order) -> Prepared:
    """Read and check everything.

    Raises:
        NfvcertError: drop, testbed, profile or selection cannot be used.
    """
    testbed = read_testbed(order.testbed)
    profile = read_profile(order.profile)
    catalogue = load()
    plan = make_plan(catalogue, order.selected)
    drop = read_drop(order.drop)
    if testbed.driver != "embedded":
        raise TestbedError(
            f"this edition drives embedded testbeds only, not '{testbed.driver}'",
            where=str(order.testbed),
            hint="use testbeds/embedded.yaml",
        )
    _refuse_unusable(drop, testbed)
    return Prepared(order, drop, testbed, profile, catalogue, declare(drop, testbed, profile, catalogue), plan)


def certify(prepared: Prepared, console: Console) -> tuple[RunFolder, Results]:
    """Run the plan, judge, report; the run folder is complete whatever happens on the way.

    Raises:
        NfvcertError: the testbed did not come up or broke down; results say INCONC for what was not judged.
    """
    order = prepared.order
    folder = order.resume or new_run(order.output, link_latest=order.link_latest)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    prepared.plan.write(folder.plan)
    folder.declared.write_text(prepared.declared.model_dump_json(indent=1), encoding="utf-8")
    identification = _identification(prepared)
    plan = left_of(folder, prepared.plan) if order.resume else prepared.plan
    progress = progress_for(console, list(plan.scenarios))
    trouble: NfvcertError | None = None
    interrupted: str | None = None
    try:
        with _unwinding():
            _run(prepared, plan, folder, progress)
    except NfvcertError as error:
        trouble = error
    except (Interrupted, KeyboardInterrupt):
        interrupted = "the run was interrupted"
    finally:
        progress.say("judging")
    try:
        reason = interrupted or (trouble.message if trouble else None)
        results = judge_run(
            folder, prepared.plan, prepared.catalogue, prepared.declared, Circumstances(identification, started, reason)
        )
        progress.say("writing the reports")
        generate(folder.path, order.formats)
    finally:
        progress.close()
    if interrupted:
        raise KeyboardInterrupt
    if trouble is not None:
        trouble.run_folder = folder.path  # type: ignore[attr-defined]
        raise trouble
    return folder, results


def judge_run(
    folder: RunFolder, plan: Plan, catalogue: Catalogue, declared: Declared, circumstances: Circumstances
) -> Results:
    """Judge what was recorded, reconcile it with the plan, and write results.json."""
    for scenario in unmerged_scenarios(folder.history):
        merge_segments(folder.history, scenario)
    scenarios = list(dict.fromkeys([*plan.scenarios, *(s for p in plan.purposes for s in p.scenarios)]))
    histories = recorded(folder, scenarios)
    judged = judge_all(plan.purposes, histories, declared)
    final = reconcile(plan.purposes, read_reported(folder.reported), judged)
    results = assemble(
        folder,
        plan=plan,
        catalogue=catalogue,
        declared=declared,
        histories=histories,
        judgements=final,
        circumstances=circumstances,
    )
    write_results(folder.path, results)
    return results


def _run(prepared: Prepared, plan: Plan, folder: RunFolder, progress: Progress) -> None:
    order = prepared.order
    runs = [
        run for run in (pytest_run(folder, order.root, plan), robot_run(folder, order.root, plan)) if run is not None
    ]
    if not runs:
        return
    progress.say("bringing up the testbed")
    if order.formats:
        threading.Thread(target=_warm_up_reports, name="warm-up", daemon=True).start()
    certificates = [prepared.drop.path / name for name in prepared.drop.declaration.trusted]
    with EmbeddedTestbed.up(
        prepared.testbed,
        log_dir=folder.logs,
        trusted_certificates=[*certificates, *order.trusted],
        extensions=order.extensions,
        say=lambda text: progress.say(f"bringing up the testbed: {text}"),
    ) as testbed:
        assert testbed.attachment is not None
        testbed.attachment.write(folder.attachment)
        environment = {
            ATTACHMENT: str(folder.attachment),
            RUN: str(folder.path.resolve()),
            DROP: str(prepared.drop.path.resolve()),
            PROFILE: order.profile,
            REPORTED: str(folder.reported.resolve()),
        }
        try:
            for run in runs:
                progress.say(f"testing ({run.name})")
                _follow(run, environment, folder, progress, testbed)
        finally:
            progress.say("taking the testbed down")
            folder.attachment.unlink(missing_ok=True)


def _warm_up_reports() -> None:
    """Import what draws the certificate while the tests run: it takes a second that nobody has to wait for."""
    with suppress(ImportError):
        import weasyprint  # noqa: F401


def _follow(
    run: BackendRun, environment: Mapping[str, str], folder: RunFolder, progress: Progress, testbed: EmbeddedTestbed
) -> None:
    follower = StepFollower(folder.history)
    process = start(run, environment)
    deadline = time.monotonic() + BACKEND_TIMEOUT_S
    try:
        while process.poll() is None:
            time.sleep(POLL_S)
            for scenario, step in follower.new_steps():
                progress.scenario(scenario, step)
            testbed.check()
            if time.monotonic() > deadline:
                raise TestbedError(f"the {run.name} back-end does not end", where=str(run.log))
    finally:
        end(process)


def _refuse_unusable(drop: Drop, testbed: Testbed) -> None:
    """A version in service that cannot be used leaves nothing to test against; the candidate is what is tested."""
    findings = [f for f in inspect_package(drop.in_service.path, trust=drop.trust) if f.severity == "error"]
    if findings:
        raise findings[0].error()
    drop.candidate.vnfd  # noqa: B018 - raises when nothing at all can be done with the candidate
    for finding in check_images(drop.candidate, host_architecture()):
        if finding.rule == FOREIGN:
            raise finding.error()
    if testbed.embedded.require_signature and not drop.trust.certificates:
        raise UsageError(
            "the testbed demands signed packages and the drop names no certificate",
            where=str(drop.path),
            hint="add 'trusted' to drop.yaml",
        )


def _identification(prepared: Prepared) -> dict[str, Any]:
    order = prepared.order
    return {
        "drop": provenance.drop_part(prepared.drop),
        "testbed": provenance.testbed_part(prepared.testbed, order.testbed),
        "tool": provenance.tool(order.root),
        "machine": provenance.machine(),
        "limits_of_testbed": list(prepared.testbed.limits),
    }


@contextmanager
def _unwinding() -> Iterator[None]:
    """SIGTERM unwinds the run as Ctrl-C does."""

    def unwind(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
