"""Where a benchmark works: a folder for sockets and logs, the two cores, the right to use them alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import FrameType

from nfvcert.errors import TestbedError
from nfvcert.nfvi.lease import TestbedLock
from nfvcert.testbed.reservation import LOCK, WAIT_S


@dataclass(frozen=True, slots=True)
class Cores:
    """Processor cores: one for the generator, one for the device."""

    generator: int = 0
    device: int = 1


class Room:
    """Hands out fresh folders with short paths, as sockets need them."""

    def __init__(self, path: Path, cores: Cores) -> None:
        self.path = path
        self.cores = cores
        self._numbers = count(1)

    def folder(self) -> Path:
        """A new empty folder."""
        folder = self.path / str(next(self._numbers))
        folder.mkdir()
        return folder


@contextlib.contextmanager
def open_room(cores: Cores) -> Iterator[Room]:
    """The machine's dataplane for this process alone; what was written is removed unless something failed.

    Raises:
        TestbedError: a core does not exist, not enough privileges, or another run does not give the dataplane back.
    """
    cpus = os.sched_getaffinity(0)
    if cores.generator == cores.device or not {cores.generator, cores.device} <= cpus:
        raise TestbedError(
            "benchmarks need two processor cores, one for the generator and one for the device",
            found=f"cores {cores.generator} and {cores.device} of {sorted(cpus)}",
        )
    if os.geteuid() != 0:
        raise TestbedError("benchmarks need root: network namespaces, hugepages, priorities", hint="use sudo")
    lock = TestbedLock(LOCK)
    lock.acquire(command=" ".join(sys.argv), wait_s=WAIT_S)
    path = Path(tempfile.mkdtemp(prefix="nfvb"))
    try:
        with _unwinding():
            yield Room(path, cores)
        shutil.rmtree(path, ignore_errors=True)
    finally:
        lock.release()


@contextlib.contextmanager
def _unwinding() -> Iterator[None]:
    """SIGTERM ends a benchmark as Ctrl-C does: peers are ended and hugepages given back on the way out."""

    def unwind(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
