"""Verbs about vendor drops: inspect, build."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nfvcert.cli.places import BUILT, SAMPLE
from nfvcert.errors import ExitCode

app = typer.Typer(help="Vendor drops: read one and say everything wrong with it, build a sample.", no_args_is_help=True)


@app.command()
def inspect(path: Annotated[Path, typer.Argument(help="drop (folder or ZIP archive) or package (.csar)")]) -> int:
    """Say everything wrong with a drop or a package."""
    from nfvcert.drop.findings import errors, render_findings
    from nfvcert.drop.inspect import inspect as look

    findings = look(path)
    console = Console()
    console.print(render_findings(findings), markup=False, highlight=False, soft_wrap=True)
    return ExitCode.FAIL if errors(findings) else ExitCode.PASS


@app.command()
def build(
    source: Annotated[Path, typer.Argument(help="folder with the sources of a sample drop")] = SAMPLE,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="folder for the built drop")] = None,
) -> int:
    """Build a sample drop from its sources, the same bytes each time."""
    from nfvcert.drop.build import build_drop
    from nfvcert.traffic.native import binary

    built = build_drop(source, output or BUILT / source.resolve().name, binaries=binary)
    Console().print(f"built {built}", markup=False, highlight=False, soft_wrap=True)
    return ExitCode.PASS
