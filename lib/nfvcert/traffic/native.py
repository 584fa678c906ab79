"""Native programs: where they are, and speaking JSON lines with one that runs."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from nfvcert.closing import Closing
from nfvcert.errors import TestbedError

VARIABLE = "NFVCERT_NATIVE"
"""Environment variable that names another folder with native programs."""

REPOSITORY = Path(__file__).resolve().parents[3]


def native_folder() -> Path:
    """The folder below which native programs are looked for."""
    return Path(os.environ.get(VARIABLE) or REPOSITORY / "build" / "native")


def binary(name: str) -> Path:
    """A native program by its name.

    Raises:
        TestbedError: it has not been built.
    """
    folder = native_folder()
    found = [path for path in folder.rglob(name) if path.is_file() and os.access(path, os.X_OK)]
    if not found:
        raise TestbedError(f"the native program {name} is missing", where=str(folder), hint="build it: make native")
    return found[0]


class NativeProcess(Closing):
    """A program that takes orders and tells events, JSON objects, one a line; it dies with the process that started it.

    A thread of its own reads the events as they come. Those that ``on_event`` wants (it answers True) are done with;
    the others wait for :meth:`await_event`.

    Args:
        argv: program and arguments.
        log: file to which its standard error is appended.
        netns: name of the network namespace in which it runs; default: the caller's.
        environment: variables that it gets beside the caller's.
        on_event: called in the reader's thread; must not wait for events itself.

    Raises:
        TestbedError: it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        netns: str | None = None,
        environment: Mapping[str, str] | None = None,
        on_event: Callable[[dict[str, Any]], bool] | None = None,
    ) -> None:
        self.name = Path(argv[0]).name
        self._log = log
        self._on_event = on_event
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        inside = ["nsenter", f"--net=/run/netns/{netns}", "--"] if netns else []
        command = [*inside, *_DEATH_SIGNAL, *(str(part) for part in argv)]
        self._process = _spawner.submit(_spawn, command, log, environment).result()
        assert self._process.stdout is not None
        reader = threading.Thread(target=self._read, args=(self._process.stdout,), name=self.name, daemon=True)
        reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def send(self, order: dict[str, Any]) -> None:
        """Give an order.

        Raises:
            TestbedError: the program has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order, separators=(",", ":")).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            self._raise_error_told()
            raise self._ended() from error

    def await_event(self, event: str, timeout_s: float) -> dict[str, Any]:
        """The next event of that name; what comes before it is dropped.

        Raises:
            TestbedError: it did not come in time, the program told an error, or it has ended.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                found = self._events.get(timeout=max(0.001, deadline - time.monotonic()))
            except queue.Empty:
                raise TestbedError(
                    f"no '{event}' within {timeout_s:g} s", where=self.name, found="silence", hint=f"see {self._log}"
                ) from None
            if found is None:
                self._events.put(None)
                raise self._ended()
            if found.get("event") == event:
                return found
            if found.get("event") == "error":
                raise TestbedError("an error was told", where=self.name, found=str(found.get("message")))

    def request(self, order: dict[str, Any], *, timeout_s: float = 10.0) -> dict[str, Any]:
        """Give an order that is answered by one object with ``ok``; for programs that tell nothing else.

        Raises:
            TestbedError: refused, not answered in time, or the program has ended.
        """
        self.send(order)
        try:
            answer = self._events.get(timeout=timeout_s)
        except queue.Empty:
            raise TestbedError(f"no answer within {timeout_s:g} s", where=self.name, found="silence") from None
        if answer is None:
            self._events.put(None)
            raise self._ended()
        if not answer.get("ok"):
            raise TestbedError(f"'{order.get('op')}' was refused", where=self.name, found=str(answer.get("error")))
        return answer

    def close(self, grace_s: float = 2.0) -> int:
        """End it: its input ends, then SIGTERM, after ``grace_s`` each; at last SIGKILL. Answers its exit status."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(grace_s)
            self._process.send_signal(number)
        return self._process.wait()

    def _read(self, lines: IO[bytes]) -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    event = {"event": "error", "message": f"no JSON: {line[:80]!r}"}
                if self._on_event is None or not self._on_event(event):
                    self._events.put(event)
        self._events.put(None)

    def _raise_error_told(self) -> None:
        """A program that ends because of an error tells it first."""
        with contextlib.suppress(queue.Empty):
            while (event := self._events.get(timeout=1.0)) is not None:
                if event.get("event") == "error":
                    raise TestbedError("an error was told", where=self.name, found=str(event.get("message")))

    def _ended(self) -> TestbedError:
        status: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = self._process.wait(1.0)
        return TestbedError("the program has ended", where=self.name, found=f"status {status}", hint=f"see {self._log}")


_DEATH_SIGNAL = ("setpriv", "--pdeathsig", "KILL", "--")

# The death signal comes when the thread that forked ends, so one thread that lives as long as the process forks all.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="native-spawner")


def _renew_spawner() -> None:
    """A forked child has none of its parent's threads."""
    global _spawner
    _spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="native-spawner")


os.register_at_fork(after_in_child=_renew_spawner)


def _spawn(command: list[str], log: Path, environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    try:
        with log.open("ab") as errors:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
    except OSError as error:
        raise TestbedError("cannot start a program", where=command[0], found=str(error)) from error
