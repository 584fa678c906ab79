"""The client's process: orders to it, one after the other, and requests over its connection."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nfvcert.errors import TestbedError
from nfvcert.traffic.native import NativeProcess

ORDER_S = 30.0


class GeneratorRefusal(TestbedError):
    """The generator refused an order, or failed at it; ``kind`` is the worker's word for how."""

    def __init__(self, what: str, kind: str, *, where: str = "", found: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, found=found, hint=hint)
        self.kind = kind


class ClientProcess:
    """The unmodified client in a process of its own; it ends with this one.

    Orders may come from several threads.

    Args:
        where: the server, for errors.
        log: file for what the client prints; None: nowhere.

    Raises:
        TestbedError: it cannot be started.
    """

    def __init__(self, where: str, log: Path | None) -> None:
        self.where = where
        self._process = NativeProcess(
            [sys.executable, "-m", "nfvcert.traffic.trex.worker"], log=log or Path(os.devnull)
        )
        self._lock = threading.RLock()
        self._last_id = 0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def order(
        self, op: str, *, timeout_s: float = ORDER_S, wait_s: float | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Have the client do something.

        Args:
            timeout_s: the process is waited for so long.
            wait_s: the order itself is to wait for so long.

        Raises:
            GeneratorRefusal: it failed.
            TestbedError: no answer in time, or the process has ended.
        """
        with self._lock:
            self._last_id += 1
            order = {"op": op, "id": self._last_id, **fields}
            if wait_s is not None:
                order["timeout_s"] = wait_s
            self._process.send(order)
            answer = self._process.await_event("answer", timeout_s)
            while answer.get("id") != self._last_id:  # the late answer to an order that was given up
                answer = self._process.await_event("answer", timeout_s)
        if not answer.get("ok"):
            kind = str(answer.get("kind", "fault"))
            raise GeneratorRefusal(f"'{op}' failed ({kind})", kind, where=self.where, found=str(answer.get("error")))
        return {key: value for key, value in answer.items() if key not in ("ok", "id", "event")}

    def rpc(self, requests: Sequence[Sequence[Any]], *, timeout_s: float = 10.0) -> list[Any]:
        """Requests of the protocol, [[method, parameters], ...], and their results.

        Raises:
            GeneratorRefusal: one was refused.
        """
        told = [list(each) for each in requests]
        return list(self.order("rpc", timeout_s=timeout_s + ORDER_S, requests=told, wait_s=timeout_s)["results"])

    def close(self) -> None:
        """Stop traffic, give ports up, disconnect and end the process."""
        if self._process.running:
            try:
                self.order("disconnect", timeout_s=5.0)
            except TestbedError:
                pass  # the server may be gone; it takes back ports whose holder is silent
        self._process.close()
