"""A connection to a Unix socket on which nothing waits beyond a deadline."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path
from typing import Self

CHUNK = 1 << 20
SOON_S = 0.001


class Connection:
    """A byte stream. Deadlines are instants of ``time.monotonic()``.

    All methods raise OSError, TimeoutError among them; ConnectionError when there is nobody (any more).
    """

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream

    @classmethod
    def to(cls, path: Path, deadline: float) -> Self:
        """A new connection."""
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            stream.settimeout(max(SOON_S, deadline - time.monotonic()))
            stream.connect(str(path))
        except BaseException:
            stream.close()
            raise
        return cls(stream)

    def send(self, data: bytes, deadline: float) -> None:
        """Send all of it."""
        self._stream.settimeout(max(SOON_S, deadline - time.monotonic()))
        self._stream.sendall(data)

    def receive(self, deadline: float) -> bytes:
        """What has come, at least one octet."""
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._stream.settimeout(remaining)
        data = self._stream.recv(CHUNK)
        if not data:
            raise ConnectionResetError("the other side closed the connection")
        return data

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._stream.close()
