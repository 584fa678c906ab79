"""Verbs that measure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nfvcert.cli.places import BUILT, SAMPLE, find_testbed
from nfvcert.errors import ExitCode

app = typer.Typer(help="Measurements that can be run again.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measurements that can be run again; they judge nothing."""


@app.command()
def certification(
    repeats: Annotated[int, typer.Option(help="how many certifications")] = 3,
    testbed: Annotated[str, typer.Option(help="testbed file, or name of one that ships")] = "embedded",
    profile: Annotated[str, typer.Option(help="run profile")] = "default",
    output: Annotated[Path, typer.Option(help="folder for run folders")] = Path("reports/output/bench"),
    json_file: Annotated[Path | None, typer.Option("--json", help="file for the figures")] = None,
) -> int:
    """Certify the sample drop and judge it again: wall time, peak memory of all processes, lost packets."""
    from nfvcert.runner.bench import measure_certification

    figures = measure_certification(BUILT / SAMPLE.name, find_testbed(testbed), profile, output, repeats)
    console = Console()
    for run in figures["runs"]:
        console.print(
            f"certify {run['certify_s']:.1f} s, peak {run['peak_mib']:.0f} MiB, judge {run['judge_s']:.2f} s, "
            f"{run['lost_packets']} packets lost, {run['verdict']}",
            highlight=False,
        )
    middle = figures["median"]
    console.print(
        f"median: certify {middle['certify_s']:.1f} s, peak {middle['peak_mib']:.0f} MiB, "
        f"judge {middle['judge_s']:.2f} s",
        highlight=False,
    )
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return ExitCode.PASS
