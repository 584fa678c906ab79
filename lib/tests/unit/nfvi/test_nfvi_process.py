import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nfvcert.errors import TestbedError
from nfvcert.nfvi import procfs
from nfvcert.nfvi.process import spawn

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


def test_output_goes_to_the_log_and_the_status_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    child = spawn([sys.executable, "-c", code], log=log)
    assert child.wait(10) == 3
    assert set(log.read_text().split()) == {"out", "err"}
    assert "err" in child.log_tail()


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(TestbedError, match="/no/such/program"):
        spawn(["/no/such/program"])


@pytest.mark.parametrize(("argv", "status"), [(SLEEP, -signal.SIGTERM), (STUBBORN, -signal.SIGKILL)])
def test_terminate_asks_first_and_kills_then(argv: list[str], status: int) -> None:
    child = spawn(argv, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"up\n"
    assert child.terminate(10 if argv is SLEEP else 0.1) == status
    assert child.terminate() == status


def test_terminate_takes_grandchildren_along() -> None:
    code = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    child = spawn([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    descriptor = os.pidfd_open(grandchild)
    child.terminate(0)
    found = procfs.stat(grandchild)
    assert found is None or not found.alive or _ends(descriptor)


def test_a_child_outlives_the_thread_that_asked_for_it() -> None:
    children = []
    thread = threading.Thread(target=lambda: children.append(spawn(SLEEP, stdout=subprocess.PIPE)))
    thread.start()
    thread.join()
    assert children[0].stdout.readline() == b"up\n"
    assert children[0].poll() is None
    children[0].terminate(0)


def test_a_child_dies_with_its_parent() -> None:
    code = (
        "from nfvcert.nfvi.process import spawn\nimport time\n"
        "print(spawn(['sleep', '60']).pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        descriptor = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        assert _ends(descriptor)


def _ends(descriptor: int) -> bool:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ended = bool(poll.poll(10_000))
    os.close(descriptor)
    return ended
