import os
import subprocess
import sys
import time

from nfvcert.nfvi import procfs


def test_a_command_name_with_brackets_does_not_confuse() -> None:
    fields = "S 7 8 8 0 -1 0 0 0 0 0 30 12 0 0 20 0 1 0 4711 0 0"
    found = procfs.parse_stat(f"42 (a) (b c) {fields}")
    assert (found.pid, found.state, found.parent, found.start_ticks) == (42, "S", 7, 4711)
    assert found.cpu_ns == 42 * (1_000_000_000 // procfs.TICKS_PER_SECOND)
    assert found.alive


def test_this_process_runs_and_started_before_now() -> None:
    me = procfs.stat(os.getpid())
    assert me is not None
    assert procfs.is_running(me.pid, me.start_ticks)
    assert not procfs.is_running(me.pid, me.start_ticks + 1)
    assert 0 <= me.start_time_ns <= time.monotonic_ns()


def test_a_zombie_does_not_run() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    found = procfs.stat(child.pid)
    assert found is not None
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not procfs.is_running(child.pid, found.start_ticks)
    child.wait()
    assert procfs.stat(child.pid) is None
