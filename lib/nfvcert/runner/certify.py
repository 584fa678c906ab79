"""A certification run from the drop to the certificate."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from nfvcert.runner.declaring import declare
from nfvcert.runner.folder import RunFolder, new_run
from nfvcert.runner.known import SCENARIOS
from nfvcert.runner.plan import Plan, make_plan
from nfvcert.runner.progress import Progress, progress_for
from nfvcert.runner.reconcile import final_judgements
from nfvcert.runner.reported import read_reported
from nfvcert.runner.resuming import left_of
from nfvcert.runner.session import recorded
from nfvcert.runner.staging import Staging
from nfvcert.scenarios.profile import RunProfile, read_profile
from nfvcert.testbed.model import Testbed, read_testbed

FOREIGN = "image.architecture"
"""Rule of the finding that an image is for another machine: the embedded hosts could not even start it."""


@dataclass(frozen=True)
class Order:
    """What is to be certified, where, and how.

    ``extensions`` maps a component to a file with another behaviour, ``programs`` the name of a native program of the
    dataplane to the one that runs in its place (seeded defects).
    """

    drop: Path
    testbed: Path
    output: Path
    root: Path
    profile: str = "default"
    selected: list[str] = field(default_factory=list)
    resume: RunFolder | None = None
    extensions: Mapping[str, Path] = field(default_factory=dict)
    programs: Mapping[str, Path] = field(default_factory=dict)
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
    plan = make_plan(catalogue, order.selected, testbed.features, repeats=profile.scaling.repeats)
    drop = read_drop(order.drop)
    if testbed.driver != "embedded":
        raise TestbedError(
            f"this edition drives embedded testbeds only, not '{testbed.driver}'",
            where=str(order.testbed),
            hint="use testbeds/embedded.yaml",
        )
    if not testbed.has_stack and (needing := plan.on("stack").scenarios):
        raise TestbedError(
            "the testbed has a dataplane only and no hosts with a MANO stack",
            where=str(order.testbed),
            found=f"planned: {', '.join(needing)}",
            hint="select what it can show: --requirement REL002.MA",
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
    beside = [scenario for scenario in SCENARIOS if (folder.history / f"{scenario}.jsonl").exists()]
    needed = [*plan.scenarios, *(scenario for purpose in plan.purposes for scenario in purpose.scenarios)]
    histories = recorded(folder, list(dict.fromkeys([*needed, *beside])))
    final = final_judgements(plan, read_reported(folder.reported), histories, declared)
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
    order, drop = prepared.order, prepared.drop
    Staging(
        folder=folder,
        root=order.root,
        testbed=prepared.testbed,
        drop=drop.path,
        profile=order.profile,
        trusted=[*(drop.path / name for name in drop.declaration.trusted), *order.trusted],
        extensions=order.extensions,
        programs=order.programs,
        reports=bool(order.formats),
    ).run(plan, progress)


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
