"""Processes that answer in time beside others that poll.

A machine may take pages of programs and libraries that were not used for seconds out of its memory, although it has
room, and read them again when they are next needed. And where sessions share the cores as groups, a thread of a light
session that wakes beside a heavy group may wait for seconds, far longer than its share explains.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

_LOCK_CURRENT, _LOCK_FUTURE, _LOCK_ON_FAULT = 1, 2, 4
_POPULATE_READ = 22
"""madvise(2), Linux 5.14 and later; before it, pages are locked as they are used."""
MAPS = Path("/proc/self/maps")
AUTOGROUP = Path("/proc/self/autogroup")
"""sched(7): the niceness of the whole session."""
SESSION_NICENESS = -10
"""The session weighs as nine others; what answers orders needs little of that, but at once."""


def answer_promptly() -> None:
    """Stay in memory, and let the session weigh more if it is this process's own; as far as it may."""
    stay_in_memory()
    if os.getsid(0) == os.getpid():  # else it is somebody's shell
        with contextlib.suppress(OSError):
            AUTOGROUP.write_text(str(SESSION_NICENESS))


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
