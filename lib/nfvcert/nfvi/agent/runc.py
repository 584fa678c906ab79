"""The container runtime: runc, called as a program."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from nfvcert.errors import TestbedError
from nfvcert.nfvi import procfs
from nfvcert.nfvi.process import spawn

START_TIMEOUT_S = 30.0
EXEC_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Init:
    """The first process of a container."""

    pid: int
    start_ticks: int

    def running(self) -> bool:
        return procfs.is_running(self.pid, self.start_ticks)

    def signal(self, number: int) -> None:
        """Send a signal to exactly this process; harmless when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            descriptor = os.pidfd_open(self.pid)
            try:
                if self.running():
                    signal.pidfd_send_signal(descriptor, number)
            finally:
                os.close(descriptor)


class Runc:
    """runc with its state below `root`.

    Args:
        limited: whether control groups can be set on this machine; without, runc is told to do without.
    """

    def __init__(self, root: Path, *, limited: bool) -> None:
        self.root = root
        self._base = ["runc", "--root", str(root), *([] if limited else ["--rootless=true"])]

    def start(self, identifier: str, bundle: Path, log: Path) -> Init:
        """Run a bundle; its output goes to `log`. Returns when its own program has been executed.

        Raises:
            TestbedError: runc failed; the message holds what it said.
        """
        pid_file, own_log = bundle / "pid", bundle / "runc.log"
        command = [*self._base, "--log", str(own_log), "run", "--detach", "--bundle", str(bundle)]
        child = spawn([*command, "--pid-file", str(pid_file), identifier], log=log)
        try:
            status = child.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            status = child.terminate(0)
        if status != 0:
            said = own_log.read_text(errors="replace") if own_log.exists() else ""
            self.delete(identifier)
            raise TestbedError(
                "runc cannot start the container", where=identifier, found=said.strip()[-600:] or f"status {status}"
            )
        pid = int(pid_file.read_text())
        found = procfs.stat(pid)
        if found is None:  # it ran, ended and was reaped; a pid nobody can have stands for it
            return Init(pid, -1)
        init = Init(pid, found.start_ticks)
        _await_exec(init)
        return init

    def delete(self, identifier: str) -> None:
        """Remove a container whose processes are dead (or are to be), with its control group."""
        if (self.root / identifier).exists():
            spawn([*self._base, "delete", "--force", identifier], log=self.root.with_suffix(".log")).wait(
                START_TIMEOUT_S
            )


def _await_exec(init: Init) -> None:
    """Wait until the process is no longer runc preparing the container."""
    deadline = time.monotonic() + EXEC_TIMEOUT_S
    while time.monotonic() < deadline and init.running():
        try:
            program = str(Path(f"/proc/{init.pid}/exe").readlink())
        except OSError:
            return
        if not (program.startswith("/memfd:runc") or program.endswith(("/runc", "/runc (deleted)"))):
            return
        time.sleep(0.001)
