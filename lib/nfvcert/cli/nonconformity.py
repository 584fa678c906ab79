"""Verbs about seeded defects: list, run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nfvcert.cli.places import BUILT, NONCONFORMITIES, ROOT, SAMPLE, find_testbed
from nfvcert.errors import ExitCode

app = typer.Typer(
    help="Seeded defects: show that every check can fail, and for the right reason.", no_args_is_help=True
)


@app.command("list")
def list_defects() -> int:
    """List the seeded defects with the purpose that has to catch each."""
    from nfvcert.catalogue import discover

    console = Console()
    for defect in discover(NONCONFORMITIES):
        purposes = ", ".join(defect.purposes)
        console.print(
            f"{defect.id:14} {defect.component:13} {purposes:14} {defect.reason}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    return ExitCode.PASS


@app.command("run")
def run_defects(
    ids: Annotated[list[str] | None, typer.Argument(help="ids of defects; all, if none is named")] = None,
    jobs: Annotated[int, typer.Option(help="how many at the same time")] = 1,
    testbed: Annotated[str, typer.Option(help="testbed for defects of stack, VNF and packages")] = "embedded",
    dataplane: Annotated[str, typer.Option(help="testbed for defects of migration avoidance")] = "dataplane",
    profile: Annotated[str, typer.Option(help="run profile")] = "light",
    output: Annotated[Path, typer.Option(help="folder for run folders")] = Path("reports/output/nonconformities"),
) -> int:
    """Seed each defect, run what has to catch it, and show which purpose failed and why."""
    from nfvcert.runner.nonconformity import Campaign, run_campaign

    campaign = Campaign(
        root=ROOT,
        folder=NONCONFORMITIES,
        source=SAMPLE,
        drop=BUILT / SAMPLE.name,
        testbed=find_testbed(testbed),
        dataplane=find_testbed(dataplane),
        profile=profile,
        output=output,
        jobs=jobs,
    )
    outcomes = run_campaign(campaign, list(ids or []), Console())
    return ExitCode.PASS if all(outcome.caught for outcome in outcomes) else ExitCode.FAIL
