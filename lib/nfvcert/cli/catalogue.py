"""Verbs about the catalogue: list, check, matrix."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from nfvcert.cli.places import NONCONFORMITIES, ROOT
from nfvcert.errors import ExitCode

app = typer.Typer(help="The catalogue of requirements, test purposes and seeded defects.", no_args_is_help=True)


def list_purposes(
    requirement: Annotated[list[str] | None, typer.Option(help="id or dotted prefix; repeatable")] = None,
    tag: Annotated[str | None, typer.Option(help="a scenario, a workload, a feature, 'tested' or 'not-tested'")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> int:
    """List test purposes: what they show and where they are tested."""
    from nfvcert.catalogue import load, select
    from nfvcert.runner.known import feature_of

    purposes = select(load(), requirement or [])
    needs = {p.id: feature_of(p.test.suite) if p.test else None for p in purposes}
    if tag:
        tags = {p.id: {*p.scenarios, *p.workloads, p.status.replace(" ", "-"), needs[p.id]} for p in purposes}
        purposes = [p for p in purposes if tag in tags[p.id]]
    if as_json:
        listed = [p.model_dump(mode="json") | {"status": p.status, "needs": needs[p.id]} for p in purposes]
        print(json.dumps(listed, indent=1))
        return ExitCode.PASS
    console = Console()
    for p in purposes:
        where = f"{p.test}" if p.test else f"not tested: {p.not_tested_reason}"
        if needs[p.id]:
            where += f" (needs a testbed that declares {needs[p.id]})"
        console.print(f"{p.id:20} {p.title}\n{'':20} {where}", markup=False, highlight=False, soft_wrap=True)
    return ExitCode.PASS


@app.command()
def check() -> int:
    """Check that requirements, purposes, tests, checkers and defects fit together, both ways."""
    from nfvcert.catalogue import check as look
    from nfvcert.catalogue import load
    from nfvcert.checkers import registered

    problems = look(load(), ROOT, registered())
    console = Console()
    for problem in problems:
        console.print(str(problem), markup=False, highlight=False, soft_wrap=True)
    console.print("the catalogue is whole" if not problems else f"{len(problems)} problems")
    return ExitCode.FAIL if problems else ExitCode.PASS


@app.command()
def matrix(
    format_: Annotated[str, typer.Option("--format", help="text, csv or markdown")] = "text",
) -> int:
    """Print the traceability matrix."""
    from nfvcert.catalogue import discover, load, render
    from nfvcert.catalogue import matrix as rows

    print(render(rows(load(), discover(NONCONFORMITIES)), format_))  # type: ignore[arg-type]
    return ExitCode.PASS
