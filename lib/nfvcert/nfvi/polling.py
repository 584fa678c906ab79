"""Processor time for processes that poll: a control group that weighs more than everybody else on the machine.

A process that polls never sleeps, and gives its turn away after each round. Some schedulers take each of these for a
whole time slice given up, so that anything that works without polling takes the processor for milliseconds at a time,
whatever the niceness. Inside a control group that only decides which of its members comes next; how much time all of
them get together follows from the group's weight.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from pathlib import Path

from nfvcert.nfvi.cgroups import Hierarchies

USUAL = {"cpu.shares": 1024, "cpu.weight": 100}
"""What a process without a group of its own weighs, in version 1 and version 2."""

_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Number of the system call, for which no library has a function."""
SHORTEST_TURN_NS = 100_000
"""Shorter turns are not to be had."""


class _SchedulingAttributes(ctypes.Structure):
    """``struct sched_attr`` of sched_setattr(2)."""

    _fields_ = [
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    ]


def ask_for_turns(turn_ns: int, pid: int = 0) -> None:
    """Let a process (default: this thread, and threads that it starts) have turns of a length.

    Short turns come soon: what answers orders beside processes that poll would otherwise wait for tens of milliseconds
    until it comes to its turn, although it only needs a part of one. How much time it gets in all does not change.
    Among processes that give their turns away, each time a whole turn is taken for given up, so one with turns half as
    long as those of the others comes round twice as often. Schedulers that know no such wish ignore it.
    """
    number = _SCHED_SETATTR.get(platform.machine())
    if number is None:
        return
    wish = _SchedulingAttributes(
        size=ctypes.sizeof(_SchedulingAttributes), nice=os.getpriority(os.PRIO_PROCESS, pid), runtime=turn_ns
    )
    ctypes.CDLL(None).syscall(number, pid, ctypes.byref(wish), 0)


class PollingGroup:
    """A control group of the ``cpu`` controller; the machine may have none, then nothing is done.

    It goes with the other groups of the run when that is swept.

    Args:
        name: of a directory right below the root of a hierarchy.
    """

    def __init__(self, mounted: Hierarchies, name: str) -> None:
        self._place: Path | None = None
        self._weight = "cpu.weight" if mounted.unified else "cpu.shares"
        root = mounted.unified or mounted.controllers.get("cpu")
        if root is None:
            return
        with contextlib.suppress(OSError):
            if mounted.unified:
                (root / "cgroup.subtree_control").write_text("+cpu")
            (root / name).mkdir(exist_ok=True)
            self._place = root / name
        self.weigh(1)

    def weigh(self, times: int) -> None:
        """Weigh so many times as much as an ordinary process."""
        if self._place:
            with contextlib.suppress(OSError):
                (self._place / self._weight).write_text(str(USUAL[self._weight] * times))

    @property
    def usable(self) -> bool:
        """Whether the machine has such a group for us."""
        return self._place is not None

    def add(self, pid: int) -> None:
        """Move a process with all its threads; one that has ended is none of ours."""
        if self._place:
            with contextlib.suppress(OSError):
                (self._place / "cgroup.procs").write_text(str(pid))
