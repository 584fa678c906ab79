"""Hugepages for peers that need them: reserved for a while, given back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

RESERVED = Path("/proc/sys/vm/nr_hugepages")
MEMORY = Path("/proc/meminfo")
KEPT_MIB = 2048
"""Memory that has to stay free beside them."""


def available_mib(text: str) -> int:
    """MiB that are available, of the text of /proc/meminfo."""
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


@contextlib.contextmanager
def hugepages(wanted_mib: int) -> Iterator[bool]:
    """At least ``wanted_mib`` in free pages of 2 MiB while the context lasts; False when they cannot be had.

    The number of pages is afterwards what it was before.
    """
    try:
        before = int(RESERVED.read_text())
        free = _free_mib()
        missing = max(0, wanted_mib - free)
        if missing and available_mib(MEMORY.read_text()) < missing + KEPT_MIB:
            yield False
            return
        RESERVED.write_text(str(before + (missing + 1) // 2))
    except OSError:
        yield False
        return
    try:
        yield _free_mib() >= wanted_mib
    finally:
        with contextlib.suppress(OSError):
            RESERVED.write_text(str(before))


def _free_mib() -> int:
    fields = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines() if ":" in line)
    size_kib = int(fields.get("Hugepagesize", "0 kB").split()[0])
    return int(fields.get("HugePages_Free", "0").split()[0]) * size_kib // 1024 if size_kib == 2048 else 0
