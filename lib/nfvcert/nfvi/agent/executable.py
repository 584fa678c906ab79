"""Digests of what processes really execute."""

from __future__ import annotations

import hashlib
import os
import threading


class ExecutableDigests:
    """SHA-256 of /proc/<pid>/exe, read once for each file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[int, int, int, int], str] = {}

    def of(self, pid: int) -> str | None:
        """Digest of the file the process executes now, or None when it is gone."""
        try:
            descriptor = os.open(f"/proc/{pid}/exe", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
            with self._lock:
                if key not in self._known:
                    self._known[key] = hashlib.file_digest(file, "sha256").hexdigest()
                return self._known[key]
