"""The server's client of the engine's control socket, against engines that behave and engines that do not."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nfvcert.errors import TestbedError
from nfvcert.traffic.trex.server.engine import ControlEngine, EngineGone, EngineRefusal, EngineSilent

Serve = Callable[[socket.socket, dict[str, Any]], bool]


@pytest.fixture
def engine_of(tmp_path: Path) -> Iterator[Callable[[Serve], ControlEngine]]:
    """Starts an engine whose answers a function gives; it ends when the function says False."""
    listeners: list[socket.socket] = []

    def start(serve: Serve) -> ControlEngine:
        path = tmp_path / "engine.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        listeners.append(listener)

        def run() -> None:
            connection = listener.accept()[0]
            with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as lines:
                for line in lines:
                    order = json.loads(line)
                    if order["op"] == "subscribe":
                        answer(connection, order)
                    elif not serve(connection, order):
                        return

        threading.Thread(target=run, daemon=True).start()
        return ControlEngine(path, timeout_s=5)

    yield start
    for listener in listeners:
        listener.close()


def answer(connection: socket.socket, order: dict[str, Any], **content: Any) -> bool:
    connection.sendall(json.dumps({"ok": True, "id": order["id"], **content}).encode() + b"\n")
    return True


def test_answers_and_events_are_told_apart(engine_of: Any) -> None:
    def serve(connection: socket.socket, order: dict[str, Any]) -> bool:
        connection.sendall(b'{"event": "finished", "port": 0}\n{"event": "inter')
        time.sleep(0.05)
        connection.sendall(b'val"}\n')
        return answer(connection, order, value=order["value"] * 2)

    engine = engine_of(serve)
    assert engine.call("double", {"value": 21}, 1.0)["value"] == 42
    assert [event["event"] for event in engine.events()] == ["finished", "interval"]
    assert engine.events() == []
    assert engine.fileno() is not None
    engine.close()


def test_a_refusal_is_told(engine_of: Any) -> None:
    def serve(connection: socket.socket, order: dict[str, Any]) -> bool:
        return answer(connection, order, ok=False, code="table-full", error="no room")

    with pytest.raises(EngineRefusal, match="packet engine, load: no room") as caught:
        engine_of(serve).call("load", {}, 1.0)
    assert caught.value.code == "table-full"


def test_a_late_answer_is_not_taken_for_that_of_the_next_order(engine_of: Any) -> None:
    def serve(connection: socket.socket, order: dict[str, Any]) -> bool:
        time.sleep(0.3 if order["op"] == "slow" else 0)
        return answer(connection, order, op=order["op"])

    engine = engine_of(serve)
    with pytest.raises(EngineSilent, match=r"packet engine, slow: no answer within 0\.1 s"):
        engine.call("slow", {}, 0.1)
    assert engine.call("fast", {}, 1.0)["op"] == "fast"


def test_an_answer_that_takes_long_comes_by_itself(engine_of: Any) -> None:
    waiting: list[Any] = []

    def serve(connection: socket.socket, order: dict[str, Any]) -> bool:
        if order["op"] == "long":
            waiting.append(order)
            return True
        return answer(connection, waiting.pop(), done=True) and answer(connection, order)

    engine = engine_of(serve)
    got: list[Any] = []
    engine.submit("long", {}, got.append)
    engine.service()
    assert got == []
    engine.call("other", {}, 1.0)
    assert got[0]["done"] is True


@pytest.mark.parametrize("rubbish", [b"hello\n", b"[1]\n", b""])
def test_an_engine_that_ends_or_talks_rubbish_is_gone(engine_of: Any, rubbish: bytes) -> None:
    def serve(connection: socket.socket, order: dict[str, Any]) -> bool:
        connection.sendall(rubbish)
        return False

    engine = engine_of(serve)
    got: list[Any] = []
    with pytest.raises(EngineGone, match="the packet engine is gone"):
        engine.submit("later", {}, got.append)
        engine.call("now", {}, 2.0)
    assert isinstance(got[0], EngineGone)
    with pytest.raises(EngineGone):
        engine.call("again", {}, 1.0)
    with pytest.raises(EngineGone):
        engine.service()


def test_an_engine_that_does_not_read_does_not_hold_up_the_server(engine_of: Any) -> None:
    given_up = threading.Event()

    def serve(connection: socket.socket, order: dict[str, Any]) -> bool:
        assert given_up.wait(20)
        return True

    engine = engine_of(serve)
    engine.submit("stall", {}, lambda _: None)
    with pytest.raises(EngineGone, match="does not read"):
        engine.call("load", {"streams": "x" * (8 << 20)}, 0.5)
    given_up.set()


def test_nobody_at_the_socket(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match=r"cannot be reached.*start nfvcert-packet-engine"):
        ControlEngine(tmp_path / "nobody.sock", timeout_s=0.2)
