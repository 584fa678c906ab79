"""Faults of the host itself, put from outside of MANO."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from nfvcert.nfvi.agent.models import Fault, FaultRecord, HoldStop, RefuseCreate


def matches(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether the labels hold all wanted ones; wanting nothing matches everything."""
    return all(labels.get(key) == value for key, value in wanted.items())


class Faults:
    """The faults of one host; those that last are asked for at the moment they matter."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._records: list[FaultRecord] = []
        self._next = 1

    def add(self, fault: Fault, *, lasting: bool) -> FaultRecord:
        """Note a fault that takes effect now."""
        with self._lock:
            record = FaultRecord(id=self._next, t=time.monotonic_ns(), fault=fault, active=lasting)
            if not lasting:
                record.hits = 1
            self._next += 1
            self._records.append(record)
            return record.model_copy()

    def list(self) -> list[FaultRecord]:
        """All faults since the last clearing."""
        with self._lock:
            self._expire()
            return [record.model_copy() for record in self._records]

    def clear(self) -> None:
        """End all faults; stops that are held back go on at once."""
        with self._lock:
            for record in self._records:
                record.active = False
            self._records.clear()
            self._lock.notify_all()

    def held_stop(self, labels: Mapping[str, str]) -> FaultRecord | None:
        """The fault that holds back a stop of a container with these labels (counted as a hit), or None."""
        with self._lock:
            for record in self._records:
                if record.active and isinstance(record.fault, HoldStop) and matches(record.fault.match, labels):
                    record.hits += 1
                    return record
            return None

    def wait_held(self, record: FaultRecord) -> None:
        """Wait as long as a held stop is to be held, less if the faults are cleared."""
        assert isinstance(record.fault, HoldStop)
        deadline = time.monotonic() + record.fault.seconds
        with self._lock:
            while record.active and (left := deadline - time.monotonic()) > 0:
                self._lock.wait(left)

    def refuses(self, labels: Mapping[str, str]) -> bool:
        """Whether a creation is to fail now; uses up one of a counted refusal."""
        with self._lock:
            self._expire()
            for record in self._records:
                fault = record.fault
                if record.active and isinstance(fault, RefuseCreate) and matches(fault.match, labels):
                    record.hits += 1
                    if fault.count is not None and record.hits >= fault.count:
                        record.active = False
                    return True
            return False

    def _expire(self) -> None:
        now = time.monotonic_ns()
        for record in self._records:
            fault = record.fault
            if isinstance(fault, RefuseCreate) and fault.seconds and now - record.t > fault.seconds * 1e9:
                record.active = False
