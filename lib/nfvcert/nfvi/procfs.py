"""What /proc tells about processes: identity, life, namespaces."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ProcessStat:
    """A process as /proc/<pid>/stat shows it.

    Attributes:
        state: one letter; Z and X are dead ones.
        start_ticks: start in clock ticks after boot; with the pid it identifies a process for ever.
        cpu_ns: user and system time spent, without children.
    """

    pid: int
    state: str
    parent: int
    start_ticks: int
    cpu_ns: int

    @property
    def alive(self) -> bool:
        return self.state not in ("Z", "X", "x")

    @property
    def start_time_ns(self) -> int:
        """Start on CLOCK_MONOTONIC, to the tick (10 ms)."""
        return self.start_ticks * (1_000_000_000 // TICKS_PER_SECOND) - suspended_ns()


def suspended_ns() -> int:
    """How far CLOCK_MONOTONIC is behind the time since boot because the machine slept, to the tick (10 ms).

    The clocks cannot be read at one instant: a process that is preempted between the two readings sees too small a
    difference, so the largest of some readings counts.
    """
    tick = 1_000_000_000 // TICKS_PER_SECOND
    readings = (
        time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.clock_gettime_ns(time.CLOCK_MONOTONIC) for _ in range(5)
    )
    return round(max(readings) / tick) * tick


def parse_stat(text: str) -> ProcessStat:
    """Read one line of /proc/<pid>/stat; the command name in it may hold any character."""
    pid, rest = text.split(" (", 1)
    fields = rest.rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return ProcessStat(
        pid=int(pid),
        state=fields[0],
        parent=int(fields[1]),
        start_ticks=int(fields[19]),
        cpu_ns=ticks * (1_000_000_000 // TICKS_PER_SECOND),
    )


def stat(pid: int) -> ProcessStat | None:
    """The process with this pid now, or None."""
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_running(pid: int, start_ticks: int) -> bool:
    """Whether this very process (not another one that got its pid) still runs."""
    found = stat(pid)
    return found is not None and found.start_ticks == start_ticks and found.alive


def boot_id() -> str:
    """Changes with every start of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def pids() -> Iterator[int]:
    """All processes there are now."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def network_namespace(pid: int) -> tuple[int, int] | None:
    """Device and inode of a process's network namespace, or None when it is gone or has none any more."""
    try:
        found = Path(f"/proc/{pid}/ns/net").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
