"""Verbs that measure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from nfvcert.cli.places import BUILT, SAMPLE, find_testbed
from nfvcert.errors import ExitCode

if TYPE_CHECKING:
    from nfvcert.bench.results import Report

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


Repeats = Annotated[int, typer.Option(min=1, help="how often everything is measured, in turn")]
Seconds = Annotated[float, typer.Option(min=0.1, help="length of one measurement")]
Sweeps = Annotated[bool, typer.Option(help="also measure the cost of more work")]
GeneratorCore = Annotated[int, typer.Option(min=0, help="processor core of the generator")]
DeviceCore = Annotated[int, typer.Option(min=0, help="processor core of the device")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="file for the figures")]


@app.command()
def generator(
    repeats: Repeats = 5,
    seconds: Seconds = 3.0,
    part: Annotated[
        list[str] | None,
        typer.Option(help="comparison (64 octets, all contenders), flows or frames; can be given again; default: all"),
    ] = None,
    generator_core: GeneratorCore = 0,
    device_core: DeviceCore = 1,
    json_file: JsonFile = None,
) -> int:
    """The packet engine beside testpmd, trafgen and scapy; cost of more flows and longer frames."""
    from nfvcert.bench.generator import PARTS, GeneratorSettings, run_generator_bench
    from nfvcert.bench.room import Cores, open_room

    console = Console()
    if unknown := sorted(set(part or ()) - set(PARTS)):
        raise typer.BadParameter(f"{', '.join(unknown)}; there are {', '.join(PARTS)}", param_hint="--part")
    with open_room(Cores(generator_core, device_core)) as room:
        settings = GeneratorSettings(repeats=repeats, seconds=seconds, parts=tuple(part or PARTS))
        report = run_generator_bench(room, settings, _teller(console))
    return _finish(report, console, json_file)


@app.command()
def switch(
    repeats: Repeats = 5,
    seconds: Seconds = 1.0,
    soak_seconds: Annotated[
        float, typer.Option(min=0, help="length of the trial at 1.488 Mpps; 0 leaves it out")
    ] = 60.0,
    loss: Annotated[float, typer.Option(min=0, max=1, help="share of lost packets that a peak may have")] = 0.0,
    sweeps: Sweeps = True,
    generator_core: GeneratorCore = 0,
    device_core: DeviceCore = 1,
    json_file: JsonFile = None,
) -> int:
    """Switch and NAT beside Open vSwitch with DPDK and the bare link; cost of more rules and instances."""
    from nfvcert.bench.room import Cores, open_room
    from nfvcert.bench.switch import SwitchSettings, run_switch_bench

    console = Console()
    with open_room(Cores(generator_core, device_core)) as room:
        settings = SwitchSettings(
            repeats=repeats, seconds=seconds, soak_seconds=soak_seconds, loss_limit=loss, sweeps=sweeps
        )
        report = run_switch_bench(room, settings, _teller(console))
    return _finish(report, console, json_file)


@app.command("migration-avoidance")
def migration_avoidance(
    repeats: Repeats = 3,
    seconds: Annotated[float, typer.Option(min=5, help="length of one scenario")] = 20.0,
    load: Annotated[float, typer.Option(min=0.01, max=1, help="share of the testbed's load that is offered")] = 1.0,
    testbed: Annotated[str, typer.Option(help="testbed file, or name of one that ships")] = "dataplane",
    scenario: Annotated[list[str] | None, typer.Option(help="one scenario; can be given again")] = None,
    output: Annotated[Path, typer.Option(help="folder for histories")] = Path("reports/output/bench-migration"),
    json_file: JsonFile = None,
) -> int:
    """Methods of scaling beside each other: plain, sub-ranges, alternative, never, always, heavy-tailed flows."""
    from nfvcert.bench.migration import SCENARIOS, MigrationSettings, run_migration_bench
    from nfvcert.testbed.model import read_testbed

    console = Console()
    settings = MigrationSettings(
        repeats=repeats, seconds=seconds, load=load, scenarios=tuple(scenario) if scenario else SCENARIOS
    )
    report = run_migration_bench(read_testbed(find_testbed(testbed)), output, settings, _teller(console))
    return _finish(report, console, json_file)


def _teller(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True)


def _finish(report: Report, console: Console, json_file: Path | None) -> int:
    """Print a report and write it where wanted. Benchmarks judge nothing: the status does not tell of targets."""
    from nfvcert.bench.printing import lines_of

    console.print()
    for line in lines_of(report):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if json_file is not None:
        json_file.write_text(json.dumps(report.to_dict(), indent=1), encoding="utf-8")
    return ExitCode.PASS
