"""The packet engine as the server sees it: orders that are answered, events that come by themselves.

Orders and events are those of the engine's control socket (JSON, one object a line).
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from nfvcert.errors import TestbedError

LONGEST_LINE = 256 << 20
"""A longer answer means that the other end is no engine."""


class EngineRefusal(TestbedError):
    """The engine did not carry out an order; ``code`` is its word for the reason."""

    def __init__(self, op: str, code: str, text: str) -> None:
        super().__init__(text or "refused", where=f"packet engine, {op}")
        self.code = code


class EngineSilent(TestbedError):
    """The engine did not answer in time."""


class EngineGone(TestbedError):
    """The engine has ended, or what it says is no answer."""


Answer = dict[str, Any] | TestbedError
OnAnswer = Callable[[Answer], None]


class Engine(Protocol):
    """Drives packets; knows nothing of sessions, ownership or rates other than packets per second."""

    def call(self, op: str, fields: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Give an order and wait for the answer.

        Raises:
            EngineRefusal, EngineSilent, EngineGone
        """

    def submit(self, op: str, fields: dict[str, Any], on_answer: OnAnswer) -> None:
        """Give an order whose answer may take long; ``on_answer`` is called from :meth:`service`."""

    def service(self) -> None:
        """Take in what has come, without waiting. Raises: EngineGone."""

    def events(self) -> list[dict[str, Any]]:
        """Events since the last call, oldest first."""

    def fileno(self) -> int | None:
        """What becomes readable when something has come; None: ask again and again."""

    def close(self) -> None:
        """Let go of it."""


class ControlEngine:
    """An engine at its control socket.

    Raises:
        TestbedError: nobody accepts there within ``timeout_s``.
    """

    def __init__(self, path: str | Path, *, timeout_s: float = 10.0) -> None:
        self.path = str(path)
        self._socket = _connect(self.path, timeout_s)
        self._received = bytearray()
        self._searched = 0
        self._events: list[dict[str, Any]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._awaited: set[int] = set()
        self._later: dict[int, tuple[str, OnAnswer]] = {}
        self._last_id = 0
        self._gone: EngineGone | None = None
        self.call("subscribe", {}, timeout_s)

    def call(self, op: str, fields: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        number = self._send(op, fields, deadline)
        self._awaited.add(number)
        try:
            while number not in self._answers:
                left = deadline - time.monotonic()
                if left <= 0 or not self._receive(left):
                    raise EngineSilent(f"no answer within {timeout_s:.2g} s", where=f"packet engine, {op}")
            return _accepted(op, self._answers.pop(number))
        finally:
            self._awaited.discard(number)

    def submit(self, op: str, fields: dict[str, Any], on_answer: OnAnswer) -> None:
        number = self._send(op, fields, time.monotonic() + 0.5)
        self._later[number] = (op, on_answer)

    def service(self) -> None:
        while self._receive(0):
            pass

    def events(self) -> list[dict[str, Any]]:
        taken, self._events = self._events, []
        return taken

    def fileno(self) -> int | None:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def _send(self, op: str, fields: dict[str, Any], deadline: float) -> int:
        if self._gone is not None:
            raise self._gone
        self._last_id += 1
        line = json.dumps({"op": op, "id": self._last_id, **fields}, separators=(",", ":")).encode() + b"\n"
        rest = memoryview(line)
        while rest:
            left = deadline - time.monotonic()
            try:
                if left <= 0 or not select.select([], [self._socket], [], left)[1]:
                    # half an order on the way cannot be taken back
                    raise self._ended("it does not read its orders")
                rest = rest[self._socket.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                continue
            except (OSError, ValueError) as error:
                raise self._ended(str(error)) from error
        return self._last_id

    def _receive(self, timeout_s: float) -> bool:
        """Read once; False when nothing came in time."""
        if self._gone is not None:
            raise self._gone
        try:
            if not select.select([self._socket], [], [], timeout_s)[0]:
                return False
            data = self._socket.recv(1 << 20)
        except (OSError, ValueError) as error:
            raise self._ended(str(error)) from error
        if not data:
            raise self._ended("it closed its control socket")
        self._received += data
        while (end := self._received.find(b"\n", self._searched)) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            self._searched = 0
            self._take(line)
        self._searched = len(self._received)
        if self._searched > LONGEST_LINE:
            raise self._ended(f"a line of more than {LONGEST_LINE} octets")
        return True

    def _take(self, line: bytes) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            raise self._ended(f"no JSON: {line[:80]!r}") from None
        if not isinstance(told, dict):
            raise self._ended(f"no object: {line[:80]!r}")
        if "event" in told:
            self._events.append(told)
            return
        number = told.get("id")
        if number in self._awaited:
            self._answers[number] = told
        elif number in self._later:
            op, on_answer = self._later.pop(number)
            try:
                on_answer(_accepted(op, told))
            except EngineRefusal as refusal:
                on_answer(refusal)
        # else: the answer to an order that nobody waits for any more

    def _ended(self, found: str) -> EngineGone:
        self._gone = EngineGone("the packet engine is gone", where=self.path, found=found)
        waiting, self._later = self._later, {}
        for _, on_answer in waiting.values():
            on_answer(self._gone)
        return self._gone


def _accepted(op: str, answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("ok") is not True:
        raise EngineRefusal(op, str(answer.get("code", "failed")), str(answer.get("error", "")))
    return answer


def _connect(path: str, timeout_s: float) -> socket.socket:
    deadline = time.monotonic() + timeout_s
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            connection.connect(path)
            return connection
        except OSError as error:
            connection.close()
            if time.monotonic() > deadline:
                raise TestbedError(
                    "the packet engine cannot be reached",
                    where=path,
                    found=str(error),
                    hint="start nfvcert-packet-engine with this control socket",
                ) from error
            time.sleep(0.05)
