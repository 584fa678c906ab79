"""A relay in front of a control socket: what the controller orders is passed on, recorded, and slowed or cut on demand.

What a controller says that it did is not evidence of what it ordered, and when. The relay stands between the two and
writes each order with the times of request and answer.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

Observer = Callable[[str, dict[str, Any], int], None]
"""Told (component, exchange, time of the answer in ns)."""

QUIET = frozenset(
    {"counters", "count", "info", "ports", "occupancy", "flows", "dump", "statistics", "watch", "subscribe"}
)
"""Orders that change nothing; their answers, some long, are passed on and not recorded."""


UNREAD = ("state", "map")
"""Long fields that no checker reads; what they bring about is seen in dumps and in packets."""


@dataclass
class _Held:
    seconds: float
    skip: int = 0
    lose: bool = False


_FREE = _Held(0.0)


class ControlRelay:
    """Listens on a socket and passes lines to a component's own control socket and back.

    Args:
        component: its name in the history.
        listen: socket to create.
        target: the component's own control socket; connected anew for each connection taken.
        observer: told of each order with its answer.
    """

    def __init__(self, component: str, listen: Path, target: Path, observer: Observer) -> None:
        self.component = component
        self.path = listen
        self._target = target
        self._observer = observer
        self._delays: dict[str, float] = {}
        self._cuts: dict[str, int] = {}
        self._holds: dict[str, _Held] = {}
        self._arrived: dict[str, threading.Event] = {}
        self._closed = threading.Event()
        self._connections: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            listen.unlink()
        self._listener.bind(str(listen))
        self._listener.listen(8)
        threading.Thread(target=self._accept, name=f"relay {component}", daemon=True).start()

    def delay(self, op: str, seconds: float) -> None:
        """Hold every order of that name back for some time before it is passed on; 0 ends it."""
        self._delays[op] = seconds

    def hold_next(self, op: str, seconds: float, *, skip: int = 0, lose: bool = False) -> None:
        """Hold the next order of that name back for some time; :meth:`await_order` tells when it is there.

        Args:
            skip: let so many of them pass before.
            lose: then break the connection in the place of passing it on, as when the one who sent it has died.
        """
        self._arrived[op] = threading.Event()
        self._holds[op] = _Held(seconds, skip, lose)

    def await_order(self, op: str, timeout_s: float) -> bool:
        """Wait for the order that is to be held; False when it does not come in time."""
        return self._arrived[op].wait(timeout_s)

    def cut(self, op: str, times: int) -> None:
        """Break the connection in the place of passing the next orders of that name on."""
        self._cuts[op] = times

    def close(self) -> None:
        """Take nothing more and close all connections."""
        self._closed.set()
        for connection in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                server.connect(str(self._target))
            except OSError:
                client.close()
                continue
            self._connections += [client, server]
            asked: deque[dict[str, Any] | None] = deque()
            for work in (self._orders, self._answers):
                threading.Thread(target=work, args=(client, server, asked), daemon=True).start()

    def _orders(self, client: socket.socket, server: socket.socket, asked: deque[dict[str, Any] | None]) -> None:
        """Pass orders on, one line at a time."""
        try:
            for line in _lines(client):
                order = orjson.loads(line)
                op = str(order.get("op", ""))
                seen = time.monotonic_ns()
                if not self._let_pass(op):
                    break
                asked.append(None if op in QUIET else {"op": op, "t_request": seen, "request": order})
                server.sendall(line + b"\n")
        except (OSError, ValueError):
            pass
        finally:
            shut(client, server)

    def _let_pass(self, op: str) -> bool:
        """Hold an order back as long as it is to be held; False when the connection is to break in its place."""
        if self._cuts.get(op, 0) > 0:
            self._cuts[op] -= 1
            return False
        held = self._held(op)
        time.sleep(max(held.seconds, self._delays.get(op, 0.0)))
        return not held.lose

    def _held(self, op: str) -> _Held:
        """How the order that has just come is held back."""
        held = self._holds.get(op, _FREE)
        if held.skip > 0:
            held.skip -= 1
            return _FREE
        self._holds.pop(op, None)
        if op in self._arrived:
            self._arrived[op].set()
        return held

    def _answers(self, client: socket.socket, server: socket.socket, asked: deque[dict[str, Any] | None]) -> None:
        """Pass answers and events back; each answer belongs to the oldest order without one."""
        try:
            for line in _lines(server):
                if line.startswith(b'{"event"') or b'"event"' in line[:200]:
                    client.sendall(line + b"\n")
                    continue
                order = asked.popleft() if asked else None
                if order is not None:
                    self._tell(order, line)
                client.sendall(line + b"\n")
        except (OSError, ValueError):
            pass
        finally:
            shut(client, server)

    def _tell(self, order: dict[str, Any], line: bytes) -> None:
        at = time.monotonic_ns()
        answer = orjson.loads(line)
        request = {key: value for key, value in order["request"].items() if key not in ("op", "id")}
        for long in UNREAD:
            request.pop(long, None)
            answer.pop(long, None)
        told = {
            "component": self.component,
            "op": order["op"],
            "t_request": order["t_request"],
            "request": request,
            "ok": bool(answer.pop("ok", False)),
            "error": answer.pop("error", None),
            "code": answer.pop("code", None),
            "answer": answer,
        }
        self._observer(self.component, told, at)


def _lines(connection: socket.socket) -> Any:
    """Lines that come over a connection, without their line feeds."""
    rest = b""
    while True:
        part = connection.recv(1 << 20)
        if not part:
            return
        *whole, rest = (rest + part).split(b"\n")
        yield from whole


def shut(*connections: socket.socket) -> None:
    """Close both sides."""
    for connection in connections:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
