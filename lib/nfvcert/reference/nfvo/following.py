"""Following the VNFM: its notifications, and slow polling where none comes."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import Any

from nfvcert.reference.common.peer import PeerError
from nfvcert.reference.common.store import Store
from nfvcert.reference.nfvo.engine import Engine
from nfvcert.reference.nfvo.mirror import Mirror
from nfvcert.reference.nfvo.vnfm import VnfmClient
from nfvcert.sol.common import LcmOperationState

log = logging.getLogger(__name__)

CALLBACK = "/callbacks/vnflcm"
KIND = "own-subscription"
OPERATION = "VnfLcmOperationOccurrenceNotification"
CREATION = "VnfIdentifierCreationNotification"
DELETION = "VnfIdentifierDeletionNotification"
_AT_WORK = (LcmOperationState.STARTING, LcmOperationState.PROCESSING, LcmOperationState.ROLLING_BACK)
_FIRST_WAIT_S = 0.2

Body = dict[str, Any]


class Following:
    """Keeps the mirror in step with the VNFM and advances service operations at every news.

    Args:
        callback: URI at which the VNFM reaches :data:`CALLBACK`.
        poll_s: seconds between two looks.
    """

    def __init__(
        self, *, store: Store, mirror: Mirror, engine: Engine, vnfm: VnfmClient, callback: str, poll_s: float
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._engine = engine
        self._vnfm = vnfm
        self._callback = callback
        self._poll_s = poll_s
        self._heard: dict[str, float] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to follow."""
        self._mirror.on_news = self._react
        self._spawn(self._follow())

    async def stop(self) -> None:
        """End all background work."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- notifications ---

    def hear(self, notification: Body) -> None:
        """Take a notification of the VNFM; it is in the store when this returns, the rest is done later."""
        kind, instance = notification.get("notificationType"), str(notification.get("vnfInstanceId"))
        if kind == OPERATION:
            operation = str(notification["vnfLcmOpOccId"])
            self._heard[operation] = asyncio.get_running_loop().time()
            self._mirror.observe(operation, notification, str(notification.get("timeStamp", "")), record=False)
        elif kind in (CREATION, DELETION):
            self._engine.stale[instance] += 1
            self._spawn(self._refresh(instance))

    def _react(self, operation: str) -> None:
        """An operation has another state: when it has come to rest, its instance has to be read again."""
        known = self._mirror.operation(operation)
        if known is None:
            return
        instance = known["vnfInstanceId"]
        if known["operationState"] not in _AT_WORK:
            self._engine.stale[instance] += 1
        self._spawn(self._catch_up(operation, instance))

    async def _catch_up(self, operation: str, instance: str) -> None:
        await self._refresh(instance)
        document = self._engine.operations.of_vnf_operation(operation)
        if document is not None:
            self._engine.advance_soon(document.id)

    async def _refresh(self, instance: str) -> None:
        """Read an instance at the VNFM if it is stale; one that cannot be read now is read again later."""
        async with self._locks[instance]:
            reasons = self._engine.stale[instance]
            if not reasons:
                return
            try:
                found = await self._vnfm.instance(instance)
            except PeerError as error:
                log.warning("VNF instance %s cannot be refreshed: %s", instance, error.detail)
                return
            if found is None:
                self._mirror.remove_instance(instance)
            else:
                self._mirror.update_instance(found)
            self._engine.stale[instance] -= reasons

    # --- polling ---

    async def _follow(self) -> None:
        """Subscribe and look at everything once, then look from time to time at what no notification told about."""
        wait = _FIRST_WAIT_S
        while not await self._tried(self._begin()):
            await asyncio.sleep(wait)
            wait = min(2 * wait, self._poll_s)
        while True:
            await asyncio.sleep(self._poll_s)
            await self._tried(self.look())

    async def _tried(self, work: Any) -> bool:
        try:
            await work
        except PeerError as error:
            log.warning("%s", error.detail)
            return False
        except Exception:
            log.exception("following the VNFM failed")
            return False
        return True

    async def _begin(self) -> None:
        await self._subscribe()
        present = await self._vnfm.instances()
        for found in present:
            self._mirror.update_instance(found)
        for instance in set(self._mirror.instances()) - {str(found["id"]) for found in present}:
            self._mirror.remove_instance(instance)
        for record in await self._vnfm.unfinished():
            self._mirror.observe_record(record)
        await self.look(all_of_them=True)
        for document in self._engine.operations.unfinished():
            self._engine.advance_soon(document.id)

    async def _subscribe(self) -> None:
        known = self._store.get(KIND, "vnflcm")
        mine = known is not None and known.body["callback"] == self._callback
        if known is not None and mine and await self._vnfm.subscribed(known.body["id"]):
            return
        identifier = await self._vnfm.subscribe(self._callback)
        self._store.put(KIND, "vnflcm", {"id": identifier, "callback": self._callback})

    async def look(self, *, all_of_them: bool = False) -> None:
        """Look at unfinished operations of which nothing was heard for a while, and at instances not read yet."""
        now = asyncio.get_running_loop().time()
        for operation, _ in list(self._mirror.unfinished()):
            if all_of_them or now - self._heard.get(operation, 0.0) >= self._poll_s:
                record = await self._vnfm.operation(operation)
                if record is not None:
                    self._mirror.observe_record(record)
                else:
                    self._mirror.lose(operation)
        for instance in [instance for instance, reasons in self._engine.stale.items() if reasons]:
            await self._refresh(instance)
            for document in self._engine.operations.unfinished():
                if any(step["vnfInstanceId"] == instance for step in document.body["steps"]):
                    self._engine.advance_soon(document.id)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
