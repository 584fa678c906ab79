"""Delivery of notifications to subscribers, in order and surviving a restart (SOL003 5.3.11, SOL013 4).

The queue is in the store: a notification enqueued in the transaction that changed a record is never lost and never told
about a change that did not happen. Notifications of one lane are delivered one after another; a lane is a subscription
unless the component decides otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.store import Document, Store

log = logging.getLogger(__name__)

KIND = "notification"
Lane = Callable[[str, dict[str, Any]], str]
Prepare = Callable[[dict[str, Any]], Awaitable[None]]


def subscription_lane(subscription_id: str, _: dict[str, Any]) -> str:
    """All notifications of a subscription in one lane: they arrive in the order of the events."""
    return subscription_id


async def at_once(_: dict[str, Any]) -> None:
    """Deliver without preparation."""


class Notifier:
    """Delivers queued notifications.

    Args:
        store: holds the queue.
        version: Version header of the notifications.
        lane: (subscription id, notification) -> lane.
        prepare: awaited before the first attempt of each notification.
        first_wait, longest_wait: seconds between attempts; doubled each time.
        give_up: seconds after which a notification that nobody takes is dropped and the next one tried.
    """

    def __init__(
        self,
        store: Store,
        version: str,
        *,
        lane: Lane = subscription_lane,
        prepare: Prepare = at_once,
        first_wait: float = 0.1,
        longest_wait: float = 2.0,
        give_up: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._store = store
        self._lane = lane
        self._prepare = prepare
        self._waits = (first_wait, longest_wait, give_up)
        self._http = httpx.AsyncClient(timeout=5.0, headers={"Version": version}, trust_env=False, transport=transport)
        self._lanes: dict[str, deque[Document]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._started = False

    async def start(self) -> None:
        """Begin to deliver, first what an earlier process left in the queue."""
        self._started = True
        for document in self._store.list(KIND):
            self._append(document)

    async def stop(self) -> None:
        """Stop delivering; what is queued stays in the store."""
        self._started = False
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self._http.aclose()

    def enqueue(self, subscription_id: str, subscription: dict[str, Any], notification: dict[str, Any]) -> None:
        """Queue one notification (with its ``id``) for ``subscription["callbackUri"]``.

        May be called inside a store transaction; delivery begins when the event loop runs again.
        """
        body = {
            "subscriptionId": subscription_id,
            "uri": subscription["callbackUri"],
            "auth": subscription.get("authentication"),
            "notification": notification,
        }
        identifier = f"{subscription_id}/{notification['id']}"
        self._store.insert(KIND, identifier, body)
        document = self._store.get(KIND, identifier)
        if document is not None and self._started:
            self._append(document)

    def forget(self, subscription_id: str) -> None:
        """Drop what is queued for a subscription that was deleted."""
        for document in self._store.list(KIND):
            if document.body["subscriptionId"] == subscription_id:
                self._store.delete(KIND, document.id)

    async def idle(self) -> None:
        """Return when nothing is queued."""
        while self._workers:
            await asyncio.gather(*self._workers.values(), return_exceptions=True)

    async def test(self, uri: str, authentication: dict[str, Any] | None = None) -> None:
        """The test of a new subscription's callback: GET must be answered 204 (SOL003 5.4.20).

        Raises:
            Problem: 422, naming what the callback did.
        """
        try:
            response = await self._http.get(uri, auth=_auth(authentication))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Problem(422, f"the test of callbackUri {uri} got no answer: {type(error).__name__}") from error
        if response.status_code != 204:
            raise Problem(422, f"the test of callbackUri {uri} got {response.status_code}, expected 204")

    def _append(self, document: Document) -> None:
        lane = self._lane(document.body["subscriptionId"], document.body["notification"])
        self._lanes.setdefault(lane, deque()).append(document)
        if lane not in self._workers:
            self._workers[lane] = asyncio.create_task(self._work(lane))

    async def _work(self, lane: str) -> None:
        queue = self._lanes[lane]
        try:
            while queue:
                document = queue[0]
                await self._prepare(document.body["notification"])
                await self._deliver(document)
                self._store.delete(KIND, document.id)
                queue.popleft()
        finally:
            del self._workers[lane], self._lanes[lane]

    async def _deliver(self, document: Document) -> None:
        """Try until the subscriber takes it, the subscription is gone, or the time is over."""
        wait, longest, give_up = self._waits
        loop = asyncio.get_running_loop()
        deadline = loop.time() + give_up
        while self._store.get(KIND, document.id) is not None:
            outcome = await self._attempt(document.body)
            if not outcome:
                return
            if loop.time() + wait > deadline:
                log.error("notification %s dropped: %s", document.id, outcome)
                return
            log.warning("notification %s: %s, again in %.1f s", document.id, outcome, wait)
            await asyncio.sleep(wait)
            wait = min(2 * wait, longest)

    async def _attempt(self, body: dict[str, Any]) -> str:
        """One POST; "" if taken, else what went wrong."""
        try:
            response = await self._http.post(body["uri"], json=body["notification"], auth=_auth(body["auth"]))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"no answer from {body['uri']}: {type(error).__name__}"
        return "" if response.is_success else f"{body['uri']} answered {response.status_code}"


def _auth(authentication: dict[str, Any] | None) -> httpx.Auth:
    basic = (authentication or {}).get("paramsBasic")
    return httpx.BasicAuth(basic.get("userName") or "", basic.get("password") or "") if basic else httpx.Auth()
