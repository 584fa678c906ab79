"""Holding the dataplane of this machine for one run: its processor cores cannot be shared without spoiling figures.

The processes of the dataplane are started by each scenario, with the settings that it needs. What is held here while
scenarios come and go is the right to do so, and the folder for their sockets.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from nfvcert.errors import TestbedError
from nfvcert.nfvi import sweep
from nfvcert.nfvi.lease import Lease, TestbedLock
from nfvcert.nfvi.names import RunId
from nfvcert.testbed.attachment import DataplaneAccess
from nfvcert.testbed.model import Testbed

LOCK = "dataplane"
WAIT_S = 900.0
"""How long a run waits for another one that holds the dataplane."""


class DataplaneReservation:
    """The dataplane, held; made by :meth:`take`, a context manager, given back at its end."""

    def __init__(self, lock: TestbedLock, lease: Lease, access: DataplaneAccess) -> None:
        self.access = access
        self._lock = lock
        self._lease: Lease | None = lease

    @classmethod
    def take(
        cls,
        testbed: Testbed,
        *,
        log_dir: Path,
        extensions: Mapping[str, Path] | None = None,
        programs: Mapping[str, Path] | None = None,
        wait_s: float = WAIT_S,
    ) -> Self:
        """Hold it; what dead runs left is removed first.

        Args:
            log_dir: where the processes log.
            extensions: component -> file with a behaviour to use instead of its own.
            programs: name of a native program -> program to run in its place.
            wait_s: how long to wait for another run that holds it.

        Raises:
            TestbedError: the testbed has no dataplane, or another run did not give it back in time.
        """
        if testbed.dataplane is None:
            raise TestbedError("the testbed has no dataplane", where=testbed.name, hint="add 'dataplane' to its file")
        sweep.sweep()
        command = " ".join(sys.argv)
        lock = TestbedLock(LOCK)
        lock.acquire(command=command, wait_s=wait_s)
        try:
            rid = RunId.new()
            lease = Lease.acquire(rid, command=command, testbed=testbed.name)
        except BaseException:
            lock.release()
            raise
        access = DataplaneAccess(
            run=str(rid),
            testbed=testbed.name,
            state_dir=str(lease.directory.path),
            log_dir=str(log_dir.resolve()),
            features=list(testbed.features),
            settings=testbed.dataplane,
            extensions={name: str(path.resolve()) for name, path in (extensions or {}).items()},
            programs={name: str(path.resolve()) for name, path in (programs or {}).items()},
        )
        return cls(lock, lease, access)

    def check(self) -> None:
        """Raise when the lease is lost."""
        if self._lease is not None:
            self._lease.check()

    def release(self) -> None:
        """Give it back and remove every trace; harmless when that was done."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.stop_heartbeat()
            try:
                sweep.destroy(lease.rid)
            finally:
                lease.release()
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
