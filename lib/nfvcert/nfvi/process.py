"""Child processes that never outlive their parent: death signal, own process group, own log file."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from nfvcert.errors import TestbedError
from nfvcert.nfvi import namespaces

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

_prctl = ctypes.CDLL(None, use_errno=True).prctl

# The death signal is sent when the *thread* that forked ends, so all children are forked by one thread that lives as
# long as the process does.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


def _renew_spawner() -> None:
    """A forked child of this process has none of its threads."""
    global _spawner
    _spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


os.register_at_fork(after_in_child=_renew_spawner)


class Child:
    """A process started by :func:`spawn`."""

    def __init__(self, popen: subprocess.Popen[bytes], argv: Sequence[str], log: Path | None) -> None:
        self.popen = popen
        self.argv = list(argv)
        self.log = log

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def stdin(self) -> IO[bytes] | None:
        return self.popen.stdin

    @property
    def stdout(self) -> IO[bytes] | None:
        return self.popen.stdout

    def poll(self) -> int | None:
        """Exit status (negative: the signal), or None while it runs."""
        return self.popen.poll()

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired."""
        return self.popen.wait(timeout_s)

    def terminate(self, grace_s: float = 2.0) -> int:
        """End the whole process group: SIGTERM, after `grace_s` SIGKILL. Answers the exit status of the leader."""
        if self.popen.returncode is None:
            if grace_s > 0:
                self._signal(signal.SIGTERM)
                self._wait_unreaped(grace_s)
            # The leader is still unreaped here, so its process group id cannot belong to anybody else.
            self._signal(signal.SIGKILL)
        return self.popen.wait()

    def log_tail(self, lines: int = 15) -> str:
        """Last lines of the log, for error messages."""
        if self.log is None:
            return ""
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _wait_unreaped(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                    return
            except ChildProcessError:
                return
            time.sleep(0.005)


def spawn(
    argv: Sequence[str | Path],
    *,
    netns: str | None = None,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    stdin: int = subprocess.DEVNULL,
    stdout: int | None = None,
    cwd: Path | None = None,
) -> Child:
    """Start a program that is killed when this process dies, whatever way it dies.

    Args:
        argv: program and arguments.
        netns: name of the network namespace in which it starts; default: that of the caller's process.
        log: file to which its standard error, and its standard output unless `stdout` says otherwise, are appended.
        env: its whole environment; default: the caller's.
        pass_fds: descriptors kept open for it.
        stdin, stdout: as for subprocess.Popen.
        cwd: its working directory.

    Raises:
        TestbedError: the program cannot be started.
    """
    command = [str(part) for part in argv]
    return _spawner.submit(_spawn, command, netns, log, env, pass_fds, stdin, stdout, cwd).result()


def become_subreaper() -> None:
    """Let orphans among the descendants become children of this process, so that their exit status is not lost."""
    if _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _spawn(
    argv: list[str],
    netns: str | None,
    log: Path | None,
    env: Mapping[str, str] | None,
    pass_fds: Sequence[int],
    stdin: int,
    stdout: int | None,
    cwd: Path | None,
) -> Child:
    parent = os.getpid()

    def in_child() -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)

    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC) if netns else None
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600) if log else None
    try:
        if netns:
            namespaces.enter(netns)
        popen = subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=stdout if stdout is not None else output,
            stderr=output,
            env=env,
            cwd=cwd,
            pass_fds=pass_fds,
            process_group=0,
            preexec_fn=in_child,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TestbedError("cannot start a program", where=argv[0], found=str(error)) from error
    finally:
        if home is not None:
            namespaces.libc_call("setns", home, namespaces.CLONE_NEWNET)
            os.close(home)
        if output is not None:
            os.close(output)
    return Child(popen, argv, log)
