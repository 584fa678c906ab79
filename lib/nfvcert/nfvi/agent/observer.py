"""The port observer program of a host: started here, spoken to in JSON lines."""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Literal

from nfvcert.nfvi.agent.refusal import Unavailable
from nfvcert.nfvi.process import Child, spawn

ANSWER_TIMEOUT_S = 10.0


class Observer:
    """One request at a time to the observer; a host without one is asked nothing and says so when asked.

    Args:
        program: the observer's path, or None.
        log: file for its standard error.
    """

    def __init__(self, program: Path | None, log: Path) -> None:
        self.program = program
        self._lock = threading.Lock()
        self._buffer = b""
        self._child: Child | None = None
        if program is not None and program.is_file():
            self._child = spawn([program], log=log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    @property
    def status(self) -> Literal["running", "absent", "dead"]:
        """Whether ports are observed."""
        if self._child is None:
            return "absent"
        return "running" if self._child.poll() is None else "dead"

    def add(self, ifname: str, port: str, mac: str) -> None:
        """Observe a port of that MAC address; nothing happens on a host without observer."""
        if self._child is not None:
            self.request({"op": "add", "ifname": ifname, "port": port, "mac": mac})

    def remove(self, port: str) -> None:
        """Stop observing a port; what was seen of it stays until it is dumped."""
        if self._child is not None and self._child.poll() is None:
            self.request({"op": "remove", "port": port})

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send one request and give back its answer.

        Raises:
            Unavailable: no observer, it died, or it does not answer in time or with success.
        """
        child = self._child
        if child is None:
            raise Unavailable(
                "this host has no port observer",
                where=str(self.program) if self.program else "",
                hint="build the native programs: make native",
            )
        with self._lock:
            try:
                assert child.stdin is not None
                child.stdin.write(json.dumps(request, separators=(",", ":")).encode() + b"\n")
                child.stdin.flush()
                answer = json.loads(self._read_line(child))
            except (OSError, ValueError) as error:
                status = child.poll()
                found = f"ended with status {status}" if status is not None else str(error)
                raise Unavailable("the port observer does not answer", where=str(self.program), found=found) from error
        if not isinstance(answer, dict) or not answer.get("ok"):
            raise Unavailable("the port observer refused", where=str(request), found=str(answer))
        return answer

    def close(self) -> None:
        """End the program."""
        if self._child is not None:
            self._child.terminate(1.0)

    def _read_line(self, child: Child) -> bytes:
        assert child.stdout is not None
        descriptor = child.stdout.fileno()
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise OSError(f"no answer within {ANSWER_TIMEOUT_S:g} s")
            data = os.read(descriptor, 1 << 16)
            if not data:
                raise OSError("it closed its output")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line
