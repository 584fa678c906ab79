"""Watching VNFCs: one that stays silent longer than it may is at fault."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from nfvcert.reference.em.elements import Worker
from nfvcert.reference.em.management import ElementError


class VnfcFaultError(Exception):
    """A watched VNFC failed."""

    def __init__(self, vnfc_id: str, what: str) -> None:
        super().__init__(what)
        self.vnfc_id = vnfc_id


async def watch(workers: Sequence[Worker], *, interval_s: float, limit_s: float) -> None:
    """Ask every worker for a sign of life until cancelled.

    Args:
        workers: whom to watch; nobody: wait for the cancellation.
        interval_s: pause between two questions.
        limit_s: how long one may stay without an answer.

    Raises:
        VnfcFaultError: of the first that is at fault.
    """
    if not workers:
        await asyncio.Event().wait()
    tasks = [asyncio.create_task(_watch_one(worker, interval_s, limit_s)) for worker in workers]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch_one(worker: Worker, interval_s: float, limit_s: float) -> None:
    heard = time.monotonic()
    while True:
        try:
            answer = await worker.hello(timeout_s=max(limit_s / 2, 0.05))
            if answer.ready:
                heard = time.monotonic()
            reason = "says that it is not ready"
        except ElementError as error:
            reason = error.message
        if time.monotonic() - heard >= limit_s:
            raise VnfcFaultError(worker.id, f"VNFC {worker.id} gave no sign of health for {limit_s:g} s: {reason}")
        await asyncio.sleep(interval_s)
