"""Verbs about testbeds: doctor, validate, up, down, show, lease."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nfvcert.cli.places import find_testbed
from nfvcert.errors import ExitCode

app = typer.Typer(
    help="Testbeds: check a file, bring one up for work on suites, see who holds one.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="testbed file, or name of one that ships", metavar="TESTBED")]


def doctor(testbed: Annotated[str, typer.Option(help="testbed file, or name of one that ships")] = "embedded") -> int:
    """Say what is missing on this machine, how noisy it is, and what to do about it."""
    from nfvcert.errors import NfvcertError
    from nfvcert.nfvi.requirements import check
    from nfvcert.runner.noise import measure_noise
    from nfvcert.testbed.model import read_testbed
    from nfvcert.testbed.requirements import check as check_dataplane
    from nfvcert.traffic.native import binary

    console = Console()
    about = read_testbed(find_testbed(testbed))
    findings = [*(check() if about.has_stack else []), *check_dataplane(about.dataplane)]
    for finding in findings:
        console.print(
            f"{finding.severity:8} {finding.what} - {finding.hint}", markup=False, highlight=False, soft_wrap=True
        )
    missing = any(finding.severity == "missing" for finding in findings)
    for name in ("nfvcert-generator", "nfvcert-observer") if about.has_stack else ():
        try:
            binary(name)
        except NfvcertError as error:
            console.print(f"missing  {error.message}", markup=False, highlight=False, soft_wrap=True)
            missing = True
    console.print(measure_noise().text, markup=False, highlight=False, soft_wrap=True)
    console.print("not usable" if missing else "ready")
    return ExitCode.TESTBED if missing else ExitCode.PASS


@app.command()
def validate(name: Name) -> int:
    """Check a testbed file and that its secrets are there."""
    from nfvcert.testbed.model import read_testbed
    from nfvcert.testbed.secrets import references, resolve

    path = find_testbed(name)
    testbed = read_testbed(path)
    for where, reference in references(testbed):
        resolve(reference, where=f"{path}: {where}")
    Console().print(
        f"{path}: valid, driver {testbed.driver}, {len(testbed.hosts)} hosts", markup=False, highlight=False
    )
    return ExitCode.PASS


@app.command()
def up(name: Name = "embedded") -> int:
    """Bring an embedded testbed up and hold it until Ctrl-C."""
    import tempfile

    from nfvcert.cli.run import refuse_missing
    from nfvcert.errors import UsageError
    from nfvcert.nfvi.requirements import check
    from nfvcert.testbed.embedded.strategy import EmbeddedTestbed
    from nfvcert.testbed.model import read_testbed

    testbed_file = find_testbed(name)
    about = read_testbed(testbed_file)
    if not about.has_stack:
        hint = "each scenario brings the dataplane up for itself: nfvcert certify"
        raise UsageError("there is no stack to bring up on this testbed", where=str(testbed_file), hint=hint)
    refuse_missing(check(), "the embedded testbed")
    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="nfvcert-") as folder,
        EmbeddedTestbed.up(about, log_dir=Path(folder), trusted_certificates=[], say=console.print) as testbed,
    ):
        assert testbed.attachment is not None
        console.print_json(testbed.attachment.model_dump_json())
        console.print("up; Ctrl-C takes it down")
        signal.pause()
    return ExitCode.PASS


@app.command()
def down() -> int:
    """Remove everything that dead runs left on this machine."""
    from nfvcert.nfvi.sweep import sweep

    console = Console()
    for swept in sweep():
        console.print(str(swept), markup=False, highlight=False)
    console.print("nothing of dead runs is left")
    return ExitCode.PASS


@app.command()
def show(name: Name) -> int:
    """Print a testbed as it was understood."""
    from nfvcert.testbed.model import read_testbed

    Console().print_json(read_testbed(find_testbed(name)).model_dump_json())
    return ExitCode.PASS


@app.command()
def lease() -> int:
    """List the runs that are alive on this machine and who holds them."""
    from nfvcert.nfvi.lease import is_alive, read_lease
    from nfvcert.nfvi.rundir import known_runs

    console = Console()
    for rid in known_runs():
        record = read_lease(rid)
        state = "alive" if is_alive(rid) else "dead"
        holder = f"pid {record.pid}, testbed {record.testbed}: {record.command}" if record else "no lease"
        console.print(f"{rid}  {state:6} {holder}", markup=False, highlight=False, soft_wrap=True)
    return ExitCode.PASS
