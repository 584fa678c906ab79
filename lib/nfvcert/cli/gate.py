"""Verbs for CI: gate, compare."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nfvcert.errors import ExitCode

Run = Annotated[Path, typer.Argument(help="run folder", metavar="RUN")]


def gate(
    run: Run,
    profile: Annotated[str, typer.Option(help="gate profile: default, strict, or a file")] = "default",
    waivers: Annotated[Path | None, typer.Option(help="file with waivers")] = None,
    against: Annotated[Path | None, typer.Option(help="earlier run to compare with")] = None,
) -> int:
    """Open or close the gate for a stored run."""
    from nfvcert.gate import evaluate, load_profile, load_waivers, outcome_text, read_run

    outcome = evaluate(
        read_run(run),
        load_profile(profile),
        load_waivers(waivers) if waivers else (),
        today=datetime.date.today(),
        against=read_run(against) if against else None,
    )
    Console().print(outcome_text(outcome), markup=False, highlight=False, soft_wrap=True)
    return outcome.exit_code


def compare(old: Run, new: Annotated[Path, typer.Argument(help="the newer run", metavar="RUN")]) -> int:
    """Compare two stored runs."""
    from nfvcert.gate import compare as difference
    from nfvcert.gate import comparison_text, read_run

    comparison = difference(read_run(old), read_run(new))
    Console().print(comparison_text(comparison), markup=False, highlight=False, soft_wrap=True)
    return ExitCode.FAIL if comparison.regressions else ExitCode.PASS
