"""Verbs about runs: certify, judge, report, verify."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from nfvcert.cli.places import OUTPUT, ROOT, find_testbed
from nfvcert.errors import ExitCode
from nfvcert.history.repeated import in_words

if TYPE_CHECKING:
    from nfvcert.nfvi.requirements import Finding
    from nfvcert.runner.plan import Plan
    from nfvcert.testbed.model import Testbed

VERDICT_EXIT = {
    "PASS": ExitCode.PASS,
    "FAIL": ExitCode.FAIL,
    "INCONC": ExitCode.INCONCLUSIVE,
    "ERROR": ExitCode.INTERNAL,
}

Run = Annotated[Path, typer.Argument(help="run folder", metavar="RUN")]


def certify(
    drop: Annotated[Path, typer.Argument(help="folder or ZIP archive of a vendor drop")],
    testbed: Annotated[str, typer.Option(help="testbed file, or name of one that ships")] = "embedded",
    profile: Annotated[str, typer.Option(help="run profile: default, light, full, or a file")] = "default",
    requirement: Annotated[
        list[str] | None, typer.Option(help="requirement, purpose, or a dotted prefix of one; repeatable")
    ] = None,
    output: Annotated[Path, typer.Option(help="folder for run folders")] = OUTPUT,
    resume: Annotated[Path | None, typer.Option(help="run whose missing scenarios are run now")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the plan and stop")] = False,
) -> int:
    """Certify the candidate of a vendor drop: run, judge, report."""
    from nfvcert.report.runfolder import read_results
    from nfvcert.runner.certify import Order, prepare
    from nfvcert.runner.certify import certify as run_certify
    from nfvcert.runner.folder import existing_run

    console = Console()
    order = Order(
        drop=drop,
        testbed=find_testbed(testbed),
        output=output,
        root=ROOT,
        profile=profile,
        selected=list(requirement or []),
        resume=existing_run(resume) if resume else None,
    )
    prepared = prepare(order)
    if dry_run:
        for purpose in prepared.plan.purposes:
            line = f"{purpose.id:14} {purpose.backend:7} {in_words(purpose.scenarios):20} {purpose.title}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        for excluded in prepared.plan.excluded:
            line = f"{excluded.id:14} {'N/A':7} {excluded.reason}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        return ExitCode.PASS
    require_machine(prepared.plan, prepared.testbed)
    folder, _ = run_certify(prepared, console)
    results = read_results(folder.path)
    _show(console, results, folder.path)
    return VERDICT_EXIT[results.verdict]


def judge(
    run: Run,
    as_json: Annotated[bool, typer.Option("--json", help="print the verdicts as JSON")] = False,
) -> int:
    """Judge a stored run again, from its history alone."""
    from nfvcert.catalogue import load
    from nfvcert.report.runfolder import read_results
    from nfvcert.runner.folder import existing_run
    from nfvcert.runner.plan import read_plan
    from nfvcert.runner.reconcile import final_judgements
    from nfvcert.runner.reported import read_reported
    from nfvcert.runner.session import read_declared, recorded

    folder = existing_run(run)
    plan = read_plan(folder.plan)
    load()
    scenarios = sorted({scenario for purpose in plan.purposes for scenario in purpose.scenarios})
    final = final_judgements(plan, read_reported(folder.reported), recorded(folder, scenarios), read_declared(folder))
    before = {p.id: p.verdict for p in read_results(folder.path).purposes} if folder.results.exists() else {}
    console = Console()
    changed = [p for p, judgement in final.items() if p in before and before[p] != str(judgement.verdict)]
    if as_json:
        print(json.dumps([judgement.to_dict() for judgement in final.values()], indent=1))
    else:
        for purpose, judgement in final.items():
            note = f"  (was {before[purpose]})" if purpose in changed else ""
            line = f"{purpose:14} {judgement.verdict:7} {judgement.reason}{note}"
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        told = "the same verdicts as stored" if not changed else f"{len(changed)} verdicts differ from those stored"
        console.print(told)
    from nfvcert.measure import worst

    return VERDICT_EXIT.get(str(worst(judgement.verdict for judgement in final.values())), ExitCode.INCONCLUSIVE)


def report(
    run: Run,
    format_: Annotated[
        list[str] | None, typer.Option("--format", help="html, pdf, junit, allure, attestation; all, if none is named")
    ] = None,
    key: Annotated[str | None, typer.Option(help="signing key by reference: env:NAME or file:PATH")] = None,
) -> int:
    """Write the reports of a stored run."""
    from nfvcert.report.generate import FORMATS, generate
    from nfvcert.runner.folder import existing_run

    made = generate(existing_run(run).path, format_ or FORMATS, key=key)
    console = Console()
    for name, path in made.items():
        console.print(f"{name:12} {path}", highlight=False, markup=False, soft_wrap=True)
    return ExitCode.PASS


def verify(
    run: Annotated[Path, typer.Argument(help="run folder or certificate", metavar="RUN|CERTIFICATE")],
    trust: Annotated[list[Path] | None, typer.Option(help="public key (PEM) of a signer you trust; repeatable")] = None,
) -> int:
    """Verify signature, hashes and completeness of a run."""
    from nfvcert.report.verification import sound
    from nfvcert.report.verification import verify as check

    findings = check(run, trusted=[path.read_text(encoding="utf-8") for path in trust or []])
    console = Console()
    for finding in findings:
        console.print(
            f"{finding.level:8} {finding.where}: {finding.what}", highlight=False, markup=False, soft_wrap=True
        )
    good = sound(findings)
    console.print("the run is as it was signed" if good else "the run is not as it was signed")
    return ExitCode.PASS if good else ExitCode.FAIL


def _show(console: Console, results: object, folder: Path) -> None:
    from nfvcert.report.results_model import Results
    from nfvcert.report.text import plain_table, verdict_table

    assert isinstance(results, Results)
    if console.is_terminal:
        console.print(verdict_table(results))
    else:
        console.print(plain_table(results), markup=False, highlight=False, soft_wrap=True)
    console.print(f"\ncertificate: {folder / 'certificate.html'}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"             {folder / 'certificate.pdf'}", markup=False, highlight=False, soft_wrap=True)


def require_machine(plan: Plan, testbed: Testbed) -> None:
    """Refuse to begin where this machine lacks what the plan needs.

    Raises:
        TestbedError: with everything that is missing and what to do about it.
    """
    from nfvcert.nfvi import requirements as of_hosts
    from nfvcert.testbed import requirements as of_dataplane

    if plan.on("stack").scenarios:
        refuse_missing(of_hosts.check(), "the embedded testbed")
    if plan.on("dataplane").scenarios:
        refuse_missing(of_dataplane.check(testbed.dataplane), "the dataplane of the testbed")


def refuse_missing(findings: Iterable[Finding], what: str) -> None:
    """Raise a TestbedError when anything is missing that cannot be done without."""
    from nfvcert.errors import TestbedError

    missing = [finding for finding in findings if finding.severity == "missing"]
    if missing:
        listed = "\n  ".join(f"{finding.what} - {finding.hint}" for finding in missing)
        raise TestbedError(f"this machine lacks what {what} needs:\n  {listed}")
