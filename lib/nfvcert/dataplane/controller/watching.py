"""Noticing at once that an instance has died: its control socket closes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

RETRY_S = 0.05
POLL_S = 0.5


class Watcher:
    """A connection to each instance that is only read from; its end is told, once for each time that it was there."""

    def __init__(self, sockets: dict[str, Path], lost: Callable[[str], None]) -> None:
        self._lost = lost
        self._closing = threading.Event()
        for name, path in sockets.items():
            threading.Thread(target=self._watch, args=(name, path), name=f"watch {name}", daemon=True).start()

    def close(self) -> None:
        """Stop watching."""
        self._closing.set()

    def _watch(self, name: str, path: Path) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(str(path))
                connection.settimeout(POLL_S)
                if self._ended(connection):
                    self._lost(name)
            self._closing.wait(RETRY_S)

    def _ended(self, connection: socket.socket) -> bool:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                try:
                    if not connection.recv(4096):
                        return True
                except ConnectionError:
                    return True
        return False
