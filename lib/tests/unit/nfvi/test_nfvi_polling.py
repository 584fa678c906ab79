"""Processor time for processes that poll."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nfvcert.nfvi.cgroups import Hierarchies, hierarchies, runs
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.polling import SHORTEST_TURN_NS, PollingGroup, ask_for_turns


def made(root: Path, *, unified: bool) -> Hierarchies:
    """Hierarchies in an ordinary folder."""
    return Hierarchies(root, {}) if unified else Hierarchies(None, {"cpu": root})


@pytest.mark.parametrize(("unified", "name", "usual"), [(True, "cpu.weight", 100), (False, "cpu.shares", 1024)])
def test_a_group_weighs_so_many_times_a_process(tmp_path: Path, unified: bool, name: str, usual: int) -> None:
    group = PollingGroup(made(tmp_path, unified=unified), "polling")
    assert group.usable
    assert (tmp_path / "polling" / name).read_text() == str(usual)
    group.weigh(7)
    assert (tmp_path / "polling" / name).read_text() == str(7 * usual)
    assert (tmp_path / "cgroup.subtree_control").exists() == unified


def test_runs_do_not_weigh_for_each_other(tmp_path: Path) -> None:
    mounted = made(tmp_path, unified=False)
    one, other = RunId("abcdef").polling_cgroup(), RunId("ghijkl").polling_cgroup()
    PollingGroup(mounted, one).weigh(10)
    PollingGroup(mounted, other)
    shares = {file.parent.relative_to(tmp_path).as_posix(): file.read_text() for file in tmp_path.rglob("cpu.shares")}
    assert shares == {one: "10240", other: "1024"}
    assert runs(mounted) == {"abcdef", "ghijkl"}


def test_a_process_is_moved_with_its_threads(tmp_path: Path) -> None:
    PollingGroup(made(tmp_path, unified=False), "polling").add(1234)
    assert (tmp_path / "polling" / "cgroup.procs").read_text() == "1234"


def test_a_machine_without_the_controller_does_without() -> None:
    group = PollingGroup(Hierarchies(None, {}), "polling")
    assert not group.usable
    group.weigh(3)
    group.add(os.getpid())


def test_a_folder_that_cannot_be_written_does_without(tmp_path: Path) -> None:
    file = tmp_path / "no-folder"
    file.write_text("")
    assert not PollingGroup(made(file, unified=False), "polling").usable


@pytest.mark.skipif("cpu" not in hierarchies().controllers and not hierarchies().unified, reason="no control groups")
def test_the_kernel_takes_a_process() -> None:
    group = PollingGroup(hierarchies(), f"nfvcert-test-{os.getpid()}")
    if not group.usable:
        pytest.skip("control groups cannot be made here")
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        group.add(sleeper.pid)
        assert f"nfvcert-test-{os.getpid()}" in Path(f"/proc/{sleeper.pid}/cgroup").read_text()
    finally:
        sleeper.kill()
        sleeper.wait()
        for place in hierarchies().mount_points():
            if (place / f"nfvcert-test-{os.getpid()}").is_dir():
                (place / f"nfvcert-test-{os.getpid()}").rmdir()


def test_turns_leave_niceness_alone() -> None:
    code = (
        "import os; from nfvcert.nfvi.polling import ask_for_turns; os.nice(3); ask_for_turns(2_000_000);"
        "print(os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0) == os.SCHED_OTHER)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["3", "True"]


def test_turns_of_nobody_change_nothing() -> None:
    ask_for_turns(SHORTEST_TURN_NS, os.getpid())
    with pytest.raises(ProcessLookupError):
        ask_for_turns(SHORTEST_TURN_NS, 2**22 + 1)
