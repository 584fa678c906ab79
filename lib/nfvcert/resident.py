"""Processes that stay in memory: nothing that answers in time waits for a disk.

A machine may take pages of programs and libraries that were not used for seconds out of its memory, although it has
room, and read them again when they are next needed: beside a busy disk an order is then not answered for seconds.
"""

from __future__ import annotations

import contextlib
import ctypes
from pathlib import Path

_LOCK_CURRENT, _LOCK_FUTURE, _LOCK_ON_FAULT = 1, 2, 4
_POPULATE_READ = 22
"""madvise(2), Linux 5.14 and later; before it, pages are locked as they are used."""
MAPS = Path("/proc/self/maps")


def stay_in_memory() -> bool:
    """Read in what is mapped from programs and libraries, and lock all that is used or will be.

    Memory that was only set aside is not taken. A process without the privilege goes on as it is; False then.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_LOCK_CURRENT | _LOCK_FUTURE | _LOCK_ON_FAULT):
        return False
    with contextlib.suppress(OSError):
        for first, length in mapped_programs(MAPS.read_text()):
            libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(length), _POPULATE_READ)
    return True


def mapped_programs(maps: str) -> list[tuple[int, int]]:
    """Address and length of what is mapped from files and never written, as proc_pid_maps(5) tells it."""
    found = []
    for line in maps.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5].startswith("/") and fields[1][0] == "r" and fields[1][1] == "-":
            first, end = (int(part, 16) for part in fields[0].split("-"))
            found.append((first, end - first))
    return found
