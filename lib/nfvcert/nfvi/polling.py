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
        path: relative to the root of a hierarchy; groups on the way are made, and weigh as much as one process.
    """

    def __init__(self, mounted: Hierarchies, path: str) -> None:
        self._places: list[Path] = []
        self._name = "cpu.weight" if mounted.unified else "cpu.shares"
        root = mounted.unified or mounted.controllers.get("cpu")
        if root is None:
            return
        places = [root.joinpath(*path.split("/")[:depth]) for depth in range(1, path.count("/") + 2)]
        with contextlib.suppress(OSError):
            for place in places:
                if mounted.unified:
                    (place.parent / "cgroup.subtree_control").write_text("+cpu")
                place.mkdir(exist_ok=True)
            self._places = places
        self.weigh(1)

    def weigh(self, times: int) -> None:
        """Weigh so many times as much as an ordinary process."""
        for place in self._places:
            with contextlib.suppress(OSError):
                (place / self._name).write_text(str(USUAL[self._name] * times))

    @property
    def usable(self) -> bool:
        """Whether the machine has such a group for us."""
        return bool(self._places)

    def add(self, pid: int) -> None:
        """Move a process with all its threads; one that has ended is none of ours."""
        if self._places:
            with contextlib.suppress(OSError):
                (self._places[-1] / "cgroup.procs").write_text(str(pid))
