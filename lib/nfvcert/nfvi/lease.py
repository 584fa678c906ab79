"""Who holds a run: the lease in the run directory, its heartbeat, and locks on testbeds.

A lease names its holder by pid and start time, so that a recycled pid is never mistaken for the holder. The holder also
binds an abstract socket named after the run, which the kernel takes away with the process: it proves the life of a run
whose directory is somewhere else.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from nfvcert.errors import TestbedError
from nfvcert.nfvi import procfs
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.rundir import RunDirectory, run_root

HEARTBEAT_S = 1.0
NEW_PREFIX = ".new-"


class LeaseLost(TestbedError):
    """The run directory was taken away or taken over while the run was going on."""


@dataclass(frozen=True)
class LeaseRecord:
    """Content of lease.json. Times are seconds of CLOCK_REALTIME."""

    rid: str
    pid: int
    start_time: int
    boot_id: str
    created: float
    heartbeat: float
    command: str
    testbed: str

    def holder_alive(self) -> bool:
        """Whether the process that took the lease still runs."""
        return self.boot_id == procfs.boot_id() and procfs.is_running(self.pid, self.start_time)

    def same_holder(self, other: LeaseRecord) -> bool:
        return (self.pid, self.start_time, self.boot_id) == (other.pid, other.start_time, other.boot_id)


def read_lease(rid: RunId) -> LeaseRecord | None:
    """The lease of a run, or None when there is none that can be read."""
    try:
        return LeaseRecord(**json.loads(RunDirectory(rid).lease.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_alive(rid: RunId) -> bool:
    """Whether somebody who lives holds this run, here or under another run root."""
    record = read_lease(rid)
    if record is not None:
        return record.holder_alive()
    return _beacon_answers(rid)


class Lease:
    """The right to use a run id; made by :meth:`acquire`, kept by a heartbeat, ended by :meth:`release`."""

    def __init__(self, record: LeaseRecord, beacon: socket.socket) -> None:
        self.record = record
        self.rid = RunId(record.rid)
        self.directory = RunDirectory(self.rid)
        self._beacon = beacon
        self._stop = threading.Event()
        self._lost: str | None = None
        self._thread = threading.Thread(target=self._beat, name=f"lease-{record.rid}", daemon=True)
        self._thread.start()

    @classmethod
    def acquire(cls, rid: RunId, *, command: str, testbed: str) -> Self:
        """Create the run directory with the lease inside, in one step.

        Raises:
            TestbedError: the run id is in use.
        """
        beacon = _bind_beacon(rid)
        try:
            me = procfs.stat(os.getpid())
            assert me is not None
            now = time.time()
            record = LeaseRecord(rid, me.pid, me.start_ticks, procfs.boot_id(), now, now, command, testbed)
            root = run_root()
            root.mkdir(mode=0o755, parents=True, exist_ok=True)
            fresh = root / f"{NEW_PREFIX}{rid}-{me.pid}"
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            _write(fresh / "lease.json", record)
            try:
                fresh.rename(RunDirectory(rid).path)
            except OSError as error:
                shutil.rmtree(fresh, ignore_errors=True)
                raise _in_use(rid) from error
        except BaseException:
            beacon.close()
            raise
        return cls(record, beacon)

    def check(self) -> None:
        """Raise :class:`LeaseLost` when the lease is lost."""
        if self._lost is not None:
            raise LeaseLost("the lease of this run is lost", where=str(self.directory.lease), found=self._lost)

    def release(self) -> None:
        """Stop the heartbeat and take the lease file away; the directory is left for the sweep."""
        self._stop.set()
        self._thread.join()
        if self._lost is None:
            self.directory.lease.unlink(missing_ok=True)
        self._beacon.close()

    def stop_heartbeat(self) -> None:
        """Keep the lease but write no more: used while the run directory is being removed by its holder."""
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            found = read_lease(self.rid)
            if found is None or not found.same_holder(self.record):
                self._lost = "no lease file" if found is None else f"held by process {found.pid} ({found.command})"
                return
            with contextlib.suppress(OSError):
                _write(self.directory.lease, replace(self.record, heartbeat=time.time()))


class TestbedLock:
    """Exclusive use of a testbed that cannot be shared; the kernel gives it back when the holder dies."""

    __test__ = False

    def __init__(self, testbed: str) -> None:
        self.path = run_root() / f"testbed-{testbed}.lock"
        self._file: int | None = None

    def acquire(self, *, command: str, wait_s: float = 0.0) -> None:
        """Take the lock, waiting at most `wait_s` seconds.

        Raises:
            TestbedError: somebody else holds it; the message says who.
        """
        self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.read(descriptor, 4096).decode(errors="replace").strip()
                    os.close(descriptor)
                    raise TestbedError(
                        "the testbed is in use", where=str(self.path), found=holder, hint="wait for that run to end"
                    ) from None
                time.sleep(0.05)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}: {command}\n".encode(), 0)
        self._file = descriptor

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _write(path: Path, record: LeaseRecord) -> None:
    fresh = path.with_suffix(".tmp")
    fresh.write_text(json.dumps(asdict(record), indent=1) + "\n")
    fresh.replace(path)


def _beacon_name(rid: RunId) -> str:
    return f"\0nfvcert-run-{rid}"


def _bind_beacon(rid: RunId) -> socket.socket:
    beacon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        beacon.bind(_beacon_name(rid))
    except OSError as error:
        beacon.close()
        raise _in_use(rid) from error
    return beacon


def _beacon_answers(rid: RunId) -> bool:
    try:
        _bind_beacon(rid).close()
    except TestbedError:
        return True
    return False


def _in_use(rid: RunId) -> TestbedError:
    record = read_lease(rid)
    return TestbedError(
        "this run id is in use",
        where=str(RunDirectory(rid).path),
        found=f"process {record.pid}: {record.command}" if record else "",
        hint="sweep what dead runs left, or use another run id",
    )
