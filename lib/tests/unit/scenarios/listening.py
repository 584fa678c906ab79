"""A double that listens on a Unix socket and talks to each that connects, in a thread of its own."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import Any


class Listening:
    """Subclasses say how they talk."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more; the thread is not left waiting on a number that another socket gets."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._hold, args=(connection,), daemon=True).start()

    def _hold(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        raise NotImplementedError


class Component(Listening):
    """A native program's control socket: an answer, and events before it, for each order."""

    def __init__(self, path: Path) -> None:
        self.orders: list[dict[str, Any]] = []
        super().__init__(path)

    def _talk(self, connection: socket.socket) -> None:
        with connection.makefile("rwb") as stream:
            for line in stream:
                order = json.loads(line)
                self.orders.append(order)
                for message in self._messages(order):
                    stream.write(json.dumps(message).encode() + b"\n")
                stream.flush()

    def _messages(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        raise NotImplementedError
