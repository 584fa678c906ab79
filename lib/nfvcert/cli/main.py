"""Entry point: all verbs, and one way in which errors reach the user."""

from __future__ import annotations

import os
import sys
import traceback

import typer
from rich.console import Console

from nfvcert.cli import bench, catalogue, drop, gate, nonconformity, run, testbed
from nfvcert.errors import ExitCode, NfvcertError

app = typer.Typer(
    name="nfvcert",
    help="Certify software modifications of network functions: upgrade, rollback and their records, under traffic.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.command("certify")(run.certify)
app.command("judge")(run.judge)
app.command("report")(run.report)
app.command("verify")(run.verify)
app.command("list")(catalogue.list_purposes)
app.command("doctor")(testbed.doctor)
app.command("gate")(gate.gate)
app.command("compare")(gate.compare)
app.add_typer(drop.app, name="drop")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(testbed.app, name="testbed")
app.add_typer(nonconformity.app, name="nonconformity")
app.add_typer(bench.app, name="bench")


def main() -> None:
    """Run a verb and exit with its status (see :class:`nfvcert.errors.ExitCode`)."""
    console = Console(stderr=True)
    try:
        status = app(standalone_mode=False)
        code = int(status) if isinstance(status, int) else ExitCode.PASS
        if code == ExitCode.INTERRUPTED:  # Ctrl-C, which the library below has turned into a status
            console.print("nfvcert: interrupted", markup=False)
    except NfvcertError as error:
        console.print(f"nfvcert: {error.message}", markup=False, highlight=False, soft_wrap=True)
        folder = getattr(error, "run_folder", None)
        if folder is not None:
            console.print(f"what was seen until then: {folder}", markup=False, highlight=False, soft_wrap=True)
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        console.print("nfvcert: interrupted", markup=False)
        code = ExitCode.INTERRUPTED
    except typer.Exit as wanted:
        code = wanted.exit_code
    except Exception as error:
        if error.__class__.__module__.startswith(("click", "typer")) and hasattr(error, "show"):
            error.show()
            code = ExitCode.USAGE
        else:
            console.print(f"nfvcert: internal error: {error!r}", markup=False)
            if os.environ.get("NFVCERT_DEBUG"):
                traceback.print_exc()
            else:
                console.print("set NFVCERT_DEBUG=1 to see where it happened", markup=False)
            code = ExitCode.INTERNAL
    sys.stdout.flush()
    sys.exit(int(code))
