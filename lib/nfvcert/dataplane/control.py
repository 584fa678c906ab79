"""Client of a native program's control socket: one JSON object a line, order and answer in turn."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import orjson

from nfvcert.dataplane.connection import Connection
from nfvcert.errors import TestbedError

Answer = dict[str, Any]

LONGEST_ANSWER = 256 << 20
"""Octets of an answer; the dump of a full flow table stays far below."""


class OrderRefused(TestbedError):
    """A program understood an order and refused it.

    Attributes:
        code: the reason for machines, such as ``table-full``.
        answer: the whole answer.
    """

    def __init__(self, path: Path, op: str, answer: Answer) -> None:
        self.op = op
        self.code = str(answer.get("code", ""))
        self.answer = answer
        more = {k: v for k, v in answer.items() if k not in ("ok", "error", "code", "id")}
        found = ", ".join([self.code, *(f"{key} {value}" for key, value in more.items())])
        super().__init__(
            f"order {op} is refused: {answer.get('error', 'no reason given')}", where=str(path), found=found
        )


class ControlLost(TestbedError):
    """A program does not answer: it is not there, it ended, or it took too long."""


class ControlClient:
    """Orders to one program; safe for several threads, which wait for each other.

    Args:
        path: the program's control socket.
        timeout_s: longest wait for one answer, connecting included.
    """

    def __init__(self, path: Path | str, *, timeout_s: float = 2.0) -> None:
        self.path = Path(path)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._rest = b""
        self._number = 0

    def call(self, op: str, **fields: Any) -> Answer:
        """Send an order and wait for its answer (fields of the order by keyword).

        A connection that turns out to be closed is made anew once: its program was started again, and what that has
        not answered it has not done. An order whose answer does not come in time is not repeated.

        Raises:
            OrderRefused: the program says no.
            ControlLost: no answer.
        """
        with self._lock:
            deadline = time.monotonic() + self._timeout_s
            fresh = self._connection is None
            try:
                answer = self._exchange(op, fields, deadline)
            except (ConnectionError, FileNotFoundError) as error:
                self._drop()
                if fresh:
                    raise self._lost(op, error) from error
                try:
                    answer = self._exchange(op, fields, deadline)
                except (OSError, ValueError) as second:
                    self._drop()
                    raise self._lost(op, second) from second
            except (OSError, ValueError) as error:
                self._drop()
                raise self._lost(op, error) from error
        if not answer.get("ok", False):
            raise OrderRefused(self.path, op, answer)
        return answer

    def close(self) -> None:
        """Close the connection; a later call opens another."""
        with self._lock:
            self._drop()

    def _lost(self, op: str, error: Exception) -> ControlLost:
        if isinstance(error, TimeoutError):
            found = f"no answer within {self._timeout_s:g} s"
        else:
            found = str(error) or type(error).__name__
        return ControlLost(
            f"order {op} is not answered", where=str(self.path), found=found, hint="see the program's log"
        )

    def _exchange(self, op: str, fields: dict[str, Any], deadline: float) -> Answer:
        if self._connection is None:
            self._connection = Connection.to(self.path, deadline)
        self._number += 1
        order = {"op": op, "id": self._number, **fields}
        self._connection.send(orjson.dumps(order) + b"\n", deadline)
        while True:
            answer = orjson.loads(self._line(self._connection, deadline))
            if not isinstance(answer, dict):
                raise ValueError(f"an answer is no object: {str(answer)[:80]}")
            if "event" not in answer and answer.get("id", self._number) == self._number:
                return answer

    def _line(self, connection: Connection, deadline: float) -> bytes:
        parts = [self._rest]
        size = len(self._rest)
        while b"\n" not in parts[-1]:
            part = connection.receive(deadline)
            size += len(part)
            if size > LONGEST_ANSWER:
                raise ValueError(f"an answer is longer than {LONGEST_ANSWER} octets")
            parts.append(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._rest = None, b""
