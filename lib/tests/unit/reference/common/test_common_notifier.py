"""Notifications: order, repetition with the same id, restart, deleted subscriptions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from nfvcert.reference.common.notifier import Notifier
from nfvcert.reference.common.problem import Problem
from nfvcert.reference.common.store import Store


class Sink:
    """Subscribers behind a transport; `answer` decides on each attempt."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, str]] = []
        self.answer: Callable[[str, str], int] = lambda path, identifier: 204
        self.authorizations: list[str] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(204 if request.url.path != "/broken" else 200)
        identifier = json.loads(request.content)["id"]
        self.attempts.append((request.url.path, identifier))
        self.authorizations.append(request.headers.get("authorization", ""))
        await asyncio.sleep(0)
        status = self.answer(request.url.path, identifier)
        if status == 0:
            raise httpx.ConnectError("gone", request=request)
        return httpx.Response(status)

    def taken(self, path: str) -> list[str]:
        return [identifier for found, identifier in self.attempts if found == path]


def notifier(store: Store, sink: Sink, **options: Any) -> Notifier:
    quick = {"first_wait": 0.001, "longest_wait": 0.002} | options
    return Notifier(store, "2.0.0", transport=httpx.MockTransport(sink), **quick)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 10))


def subscription(name: str) -> dict[str, Any]:
    return {"callbackUri": f"http://sink/{name}"}


def test_each_subscriber_gets_everything_in_order_whatever_the_other_does() -> None:
    sink, store = Sink(), Store("sqlite://")
    failures = {"/slow": 3}

    def answer(path: str, identifier: str) -> int:
        failures[path] = failures.get(path, 0) - 1
        return 503 if failures[path] >= 0 else 204

    sink.answer = answer

    async def scenario() -> None:
        sender = notifier(store, sink)
        await sender.start()
        for number in range(5):
            for name in ("slow", "quick"):
                sender.enqueue(name, subscription(name), {"id": f"n{number}"})
        await sender.idle()
        await sender.stop()

    run(scenario)
    order = [f"n{number}" for number in range(5)]
    assert sink.taken("/quick") == order
    assert sink.taken("/slow") == ["n0", "n0", "n0", *order]
    assert not store.list("notification")


def test_what_nobody_takes_is_dropped_in_the_end_and_the_rest_delivered() -> None:
    sink, store = Sink(), Store("sqlite://")
    sink.answer = lambda path, identifier: 0 if identifier == "lost" else 204

    async def scenario() -> None:
        sender = notifier(store, sink, give_up=0.02)
        await sender.start()
        sender.enqueue("s", subscription("s"), {"id": "lost"})
        sender.enqueue("s", subscription("s"), {"id": "next"})
        await sender.idle()
        await sender.stop()

    run(scenario)
    assert sink.attempts[-1][1] == "next"
    assert not store.list("notification")


def test_queue_survives_the_process() -> None:
    sink, store = Sink(), Store("sqlite://")
    sink.answer = lambda path, identifier: 503

    async def first() -> None:
        sender = notifier(store, sink)
        await sender.start()
        for number in range(3):
            sender.enqueue("s", subscription("s"), {"id": f"n{number}"})
        await asyncio.sleep(0.01)
        await sender.stop()

    run(first)
    assert len(store.list("notification")) == 3
    sink.attempts.clear()
    sink.answer = lambda path, identifier: 204

    async def second() -> None:
        sender = notifier(store, sink)
        await sender.start()
        await sender.idle()
        await sender.stop()

    run(second)
    assert sink.taken("/s") == ["n0", "n1", "n2"]


def test_nothing_is_sent_to_a_deleted_subscription() -> None:
    sink, store = Sink(), Store("sqlite://")
    sink.answer = lambda path, identifier: 503

    async def scenario() -> None:
        sender = notifier(store, sink)
        await sender.start()
        sender.enqueue("s", subscription("s"), {"id": "n"})
        await asyncio.sleep(0.01)
        sender.forget("s")
        await sender.idle()
        await sender.stop()

    run(scenario)
    assert not store.list("notification")


def test_undone_transaction_notifies_nobody() -> None:
    sink, store = Sink(), Store("sqlite://")

    async def scenario() -> None:
        sender = notifier(store, sink)
        await sender.start()
        with pytest.raises(ZeroDivisionError), store.transaction():
            sender.enqueue("s", subscription("s"), {"id": "n"})
            raise ZeroDivisionError
        await sender.idle()
        await sender.stop()

    run(scenario)
    assert not sink.attempts


def test_lanes_of_their_own_give_up_the_order() -> None:
    sink, store = Sink(), Store("sqlite://")

    async def prepare(notification: dict[str, Any]) -> None:
        await asyncio.sleep(0.02 if notification["id"] == "first" else 0)

    async def scenario() -> None:
        sender = notifier(store, sink, lane=lambda name, body: body["id"], prepare=prepare)
        await sender.start()
        sender.enqueue("s", subscription("s"), {"id": "first"})
        sender.enqueue("s", subscription("s"), {"id": "second"})
        await sender.idle()
        await sender.stop()

    run(scenario)
    assert sink.taken("/s") == ["second", "first"]


def test_callback_is_tested_and_credentials_are_used() -> None:
    sink, store = Sink(), Store("sqlite://")
    basic = {"authType": ["BASIC"], "paramsBasic": {"userName": "u", "password": "p"}}

    async def scenario() -> None:
        sender = notifier(store, sink)
        await sender.start()
        await sender.test("http://sink/good")
        with pytest.raises(Problem) as caught:
            await sender.test("http://sink/broken")
        assert caught.value.status == 422
        sender.enqueue("s", subscription("s") | {"authentication": basic}, {"id": "n"})
        await sender.idle()
        await sender.stop()

    run(scenario)
    assert sink.authorizations[0].startswith("Basic ")
