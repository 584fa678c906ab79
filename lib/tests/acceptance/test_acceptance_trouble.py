"""Trouble on the way: killed back-ends and parents, dead components, drops and testbeds that cannot be used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import DROP, ROOT, Nfvcert, left_behind

START_TIMEOUT_S = 60.0


def start(output: Path, *more: str) -> subprocess.Popen[str]:
    """A certification in the background."""
    argv = [sys.executable, "-m", "nfvcert", "certify", str(DROP), "--profile", "light", "--output", str(output), *more]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)


def await_line(process: subprocess.Popen[str], text: str) -> None:
    """Read what the run prints until a line has ``text``."""
    assert process.stdout is not None
    deadline = time.monotonic() + START_TIMEOUT_S
    for line in process.stdout:
        if text in line:
            return
        assert time.monotonic() < deadline, f"'{text}' was not printed in time"
    pytest.fail(f"the run ended before it printed '{text}'")


def robot_of(parent: int) -> int:
    """Pid of the Robot back-end of a run."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            status = (entry / "stat").read_text()
        except OSError:
            continue
        if b"robot" in command and int(status.rpartition(")")[2].split()[1]) == parent:
            return int(entry.name)
    raise AssertionError("no Robot back-end runs")


@pytest.mark.usefixtures("clean_machine")
def test_killed_back_end_leaves_purposes_inconclusive(tmp_path: Path) -> None:
    """Kill Robot in the middle: what it did not report is INCONC, exit status 2."""
    process = start(tmp_path, "--requirement", "TP.VNF.08.3")
    await_line(process, "exposure: offering traffic")
    os.kill(robot_of(process.pid), signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 2, output
    results = json.loads((tmp_path / "latest" / "results.json").read_text())
    verdicts = {p["id"]: p["verdict"] for r in results["requirements"] for p in r["purposes"]}
    assert verdicts["TP.VNF.08.3"] == "INCONC"


@pytest.mark.usefixtures("clean_machine")
def test_killed_parent_leaves_nothing_after_the_next_start(nfvcert: Nfvcert, tmp_path: Path) -> None:
    """After kill -9 of the parent the next start removes everything."""
    process = start(tmp_path, "--requirement", "TP.VNF.08.3")
    await_line(process, "exposure: offering traffic")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert left_behind()
    assert nfvcert("testbed", "down").returncode == 0
    assert left_behind() == []


@pytest.mark.usefixtures("clean_machine")
def test_interrupt_ends_in_order(tmp_path: Path) -> None:
    """Ctrl-C: exit status 130, results of what was seen, nothing left."""
    process = start(tmp_path, "--requirement", "TP.VNF.08.3")
    await_line(process, "exposure: offering traffic")
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert json.loads((tmp_path / "latest" / "results.json").read_text())["interrupted"]


@pytest.mark.usefixtures("clean_machine")
def test_component_that_dies_is_named(tmp_path: Path) -> None:
    """A stack that dies midway: its name, the end of its log, exit status 3, a run folder."""
    process = start(tmp_path, "--requirement", "TP.VNF.08.3")
    await_line(process, "exposure: offering traffic")
    vnfm = subprocess.run(
        ["pgrep", "-P", str(process.pid), "-f", "nfvcert.reference.vnfm"], capture_output=True, text=True, check=True
    )
    os.kill(int(vnfm.stdout.split()[0]), signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 3, output
    assert "the vnfm died" in output
    assert "what was seen until then" in output
    assert (tmp_path / "latest" / "results.json").exists()


def test_package_with_a_wrong_hash_is_refused_at_once(nfvcert: Nfvcert, tmp_path: Path) -> None:
    """A broken version in service: one message, exit status 4, nothing started."""
    import shutil

    from nfvcert.drop import edits
    from nfvcert.drop.derive import derive

    copy = tmp_path / "drop"
    shutil.copytree(DROP, copy)
    package = next(copy.glob("*1.0.0.csar"))
    derive(package, package, edits.stale_manifest(), edits.put("Files/added.txt", b"not in the manifest"), signing=None)
    done = nfvcert("certify", copy, "--output", tmp_path / "runs")
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("features:", ["unknown key", "did you mean 'features'"]),
        ("driver: embedded\nhosts", ["driver"]),
        ("vcpus: 8", ["vcpus"]),
    ],
)
def test_broken_testbed_names_the_line(nfvcert: Nfvcert, tmp_path: Path, change: str, told: list[str]) -> None:
    """File, line, what was found and the nearest valid name; exit status 3."""
    broken = {"features:": "feature:", "driver: embedded\nhosts": "driver: embeded\nhosts", "vcpus: 8": "vcpus: many"}
    text = (ROOT / "testbeds" / "embedded.yaml").read_text().replace(change, broken[change], 1)
    path = tmp_path / "testbed.yaml"
    path.write_text(text)
    done = nfvcert("certify", DROP, "--testbed", path, "--output", tmp_path / "runs")
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"{path}:" in done.stderr
    for words in told:
        assert words in done.stderr
