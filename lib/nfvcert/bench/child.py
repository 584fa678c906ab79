"""Programs of others as children: started in a session of their own, read by what they write, surely ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from nfvcert.closing import Closing
from nfvcert.errors import TestbedError

GRACE_S = 3.0
POLL_S = 0.005


class Child(Closing):
    """A program that runs until it is closed. It and what it starts end with this process.

    Args:
        argv: program and arguments.
        log: file that takes what it writes.
        own_network: run it in a network namespace (and a process namespace) of its own that goes when it ends.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        own_network: bool = False,
    ) -> None:
        self.name = Path(argv[0]).name
        self.log = log
        apart = ["unshare", "--net", "--pid", "--fork", "--kill-child=KILL", "--"] if own_network else []
        command = ["setpriv", "--pdeathsig", "KILL", "--", *apart, *argv]
        try:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})},
                    start_new_session=True,
                )
        except OSError as error:
            raise TestbedError("cannot start a program", where=argv[0], found=str(error)) from error

    @property
    def pid(self) -> int:
        """Process id; with a network of its own that of the process which holds it."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def say(self, *lines: str) -> None:
        """Write lines to its standard input.

        Raises:
            TestbedError: it has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
            self._process.stdin.flush()
        except OSError as error:
            raise self._ended() from error

    def written(self, offset: int = 0) -> str:
        """What it has written, from an octet on."""
        with self.log.open("rb") as file:
            file.seek(offset)
            return file.read().decode(errors="replace")

    def size(self) -> int:
        """Octets that it has written."""
        return self.log.stat().st_size

    def await_text(self, text: str, *, offset: int = 0, timeout_s: float = 10.0) -> str:
        """Wait until it has written a text after an offset; what was written from there.

        Raises:
            TestbedError: it has ended, or the text did not come in time.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            found = self.written(offset)
            if text in found:
                return found
            if not self.running:
                raise self._ended()
            if time.monotonic() > deadline:
                raise TestbedError(
                    f"'{text}' was not told within {timeout_s:g} s", where=self.name, found=found[-200:].strip()
                )
            time.sleep(POLL_S)

    def close(self, grace_s: float = GRACE_S) -> None:
        """End it with all that it started: its input ends, SIGTERM, after ``grace_s`` SIGKILL."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_s)
                break
        with contextlib.suppress(ProcessLookupError):  # what it left behind in its session
            os.killpg(self._process.pid, signal.SIGKILL)

    def _ended(self) -> TestbedError:
        status = self._process.wait(GRACE_S)
        lines = self.written().strip().splitlines()
        return TestbedError(
            "the program has ended", where=self.name, found=f"status {status}: {lines[-1] if lines else 'no word'}"
        )
