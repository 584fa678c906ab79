"""Native programs: where they are, and speaking JSON lines with one that runs.

``NFVCERT_NATIVE`` names the folder of the built programs; without it they are looked up below ``build/native`` of the
checkout that holds this package.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nfvcert.errors import TestbedError

ENVIRONMENT = "NFVCERT_NATIVE"
NETNS_FOLDER = Path("/run/netns")

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl

# The death signal comes when the thread that forked ends, so one thread, which lives as long as the process, forks all.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="native-spawner")

Event = dict[str, Any]


def _renew_spawner() -> None:
    global _spawner
    _spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="native-spawner")


os.register_at_fork(after_in_child=_renew_spawner)


def binary(name: str) -> Path:
    """Path of a built native program.

    Raises:
        TestbedError: it has not been built.
    """
    chosen = os.environ.get(ENVIRONMENT)
    root = Path(chosen) if chosen else Path(__file__).resolve().parents[3] / "build" / "native"
    for candidate in [root / name, *sorted(root.rglob(name))]:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    raise TestbedError(
        f"the native program '{name}' is not built", where=str(root), hint="build the native programs: make native"
    )


class NativeProcess:
    """A program that takes orders and tells events as JSON objects, one a line.

    It dies with the process that started it. Events are read by a thread of their own as they come: those for which
    ``on_event`` gives True are done with, the others wait for :meth:`await_event`.

    Args:
        argv: program and arguments.
        netns: name of the network namespace in which it runs; default: the caller's.
        log: file to which its standard error is appended.
        on_event: called in the reader's thread; it must not wait for other events.

    Raises:
        TestbedError: it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        netns: str | None = None,
        log: Path | None = None,
        on_event: Callable[[Event], bool] | None = None,
    ) -> None:
        self.name = Path(argv[0]).name
        self.log = log
        self._on_event = on_event
        self._waiting: queue.Queue[Event | None] = queue.Queue()
        self._send_lock = threading.Lock()
        command = [str(part) for part in argv]
        if netns is not None:
            command = ["nsenter", f"--net={NETNS_FOLDER / netns}", "--", *command]
        self._process = _spawner.submit(_spawn, command, log).result()
        self._reader = threading.Thread(target=self._read, name=f"{self.name}-reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, order: dict[str, Any]) -> None:
        """Give an order.

        Raises:
            TestbedError: the program has ended.
        """
        line = json.dumps(order, separators=(",", ":")).encode() + b"\n"
        try:
            with self._send_lock:
                assert self._process.stdin is not None
                self._process.stdin.write(line)
                self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._ended() from error

    def await_event(self, *, timeout_s: float) -> Event:
        """The next event that is nobody else's.

        Raises:
            TestbedError: none came in time, or the program has ended.
        """
        try:
            event = self._waiting.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            raise TestbedError("a native program says nothing", where=self.name, found=f"{timeout_s:g} s") from None
        if event is None:
            self._waiting.put(None)
            raise self._ended()
        return event

    def request(self, order: dict[str, Any], *, timeout_s: float = 10.0) -> Event:
        """Give an order that is answered by one object with ``ok``.

        Raises:
            TestbedError: refused, not answered in time, or the program has ended.
        """
        self.send(order)
        answer = self.await_event(timeout_s=timeout_s)
        if not answer.get("ok"):
            raise TestbedError(
                f"the order '{order.get('op')}' was refused", where=self.name, found=str(answer.get("error", answer))
            )
        return answer

    def close(self, *, grace_s: float = 2.0) -> int:
        """End it: its input is closed, then SIGTERM, after ``grace_s`` SIGKILL. Answers its exit status."""
        with contextlib.suppress(OSError), self._send_lock:
            assert self._process.stdin is not None
            self._process.stdin.close()
        for end in (None, signal.SIGTERM, signal.SIGKILL):
            if end is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(end)
            try:
                status = self._process.wait(grace_s if end is not signal.SIGKILL else None)
            except subprocess.TimeoutExpired:
                continue
            break
        self._reader.join(timeout=1.0)
        return status

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                try:
                    event = json.loads(line)
                except ValueError:
                    event = {"event": "error", "message": f"no JSON: {line[:200]!r}"}
                if self._on_event is None or not self._on_event(event):
                    self._waiting.put(event)
        self._waiting.put(None)

    def _ended(self) -> TestbedError:
        deadline = time.monotonic() + 1.0
        while (status := self._process.poll()) is None and time.monotonic() < deadline:
            time.sleep(0.005)
        tail = ""
        if self.log is not None:
            with contextlib.suppress(OSError):
                tail = " | ".join(self.log.read_text(errors="replace").splitlines()[-3:])
        found = f"status {status}" + (f": {tail}" if tail else "")
        return TestbedError("a native program has ended", where=self.name, found=found)


def _spawn(command: list[str], log: Path | None) -> subprocess.Popen[bytes]:
    parent = os.getpid()

    def in_child() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(127)

    errors = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            process_group=0,
            preexec_fn=in_child,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise TestbedError("cannot start a program", where=command[0], found=str(error)) from error
    finally:
        os.close(errors)
