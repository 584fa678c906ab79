"""The relay passes orders on unchanged and in order, records those that change something, and disturbs on demand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from listening import Component

from nfvcert.dataplane.control import ControlClient, ControlLost, OrderRefused
from nfvcert.scenarios.migration_avoidance import relay
from nfvcert.scenarios.migration_avoidance.relay import ControlRelay


class Echo(Component):
    """Answers each order with what it was asked; refuses what is named refuse; tells an event before each answer."""

    def _messages(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        answer = {"ok": order["op"] != "refuse", "id": order.get("id"), "echo": order.get("flows")}
        if not answer["ok"]:
            answer |= {"error": "no", "code": "table-full"}
        return [{"event": "below", "flows": 3}, answer]


class Wired:
    """A component behind a relay, and what the relay told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[tuple[str, dict[str, Any], int]] = []
        self.component = Echo(folder / "own.sock")
        self.relay = ControlRelay(
            "s2", folder / "relay.sock", folder / "own.sock", lambda name, data, t: self.told.append((name, data, t))
        )
        self.client = ControlClient(folder / "relay.sock", timeout_s=20.0)


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wired]:
    found = Wired(tmp_path)
    yield found
    found.client.close()
    found.relay.close()
    found.component.close()


def test_orders_and_answers_pass_unchanged(wired: Wired) -> None:
    flows = [[i, i + 1, 2, 3, 17] for i in range(3000)]
    assert wired.client.call("expect_flows", flows=flows)["echo"] == flows
    assert wired.component.orders[-1]["flows"] == flows


def test_what_changes_something_is_recorded_with_its_times(wired: Wired) -> None:
    before = time.monotonic_ns()
    wired.client.call("apply", add=[{"rule": "a"}], remove=[])
    name, data, at = wired.told[-1]
    assert name == "s2"
    assert data["op"] == "apply"
    assert data["request"] == {"add": [{"rule": "a"}], "remove": []}
    assert data["ok"] is True
    assert before <= data["t_request"] <= at <= time.monotonic_ns()


def test_what_only_reads_is_not_recorded(wired: Wired) -> None:
    wired.client.call("counters")
    wired.client.call("occupancy")
    assert wired.told == []


def test_a_refusal_is_recorded_with_its_code(wired: Wired) -> None:
    with pytest.raises(OrderRefused):
        wired.client.call("refuse")
    assert wired.told[-1][1]["ok"] is False
    assert wired.told[-1][1]["code"] == "table-full"


class Naps:
    """The relay's clock: it says how long it was to hold back, and holds back until it may go on."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.go_on = threading.Event()
        self.monotonic_ns = time.monotonic_ns

    def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        assert seconds == 0 or self.go_on.wait(20)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> Naps:
    found = Naps()
    monkeypatch.setattr(relay, "time", found)
    return found


def test_an_order_can_be_held_and_waited_for(wired: Wired, naps: Naps) -> None:
    wired.relay.hold_next("apply", 0.3)
    thread = threading.Thread(target=wired.client.call, args=("apply",))
    thread.start()
    assert wired.relay.await_order("apply", 2.0)
    assert wired.component.orders == []
    naps.go_on.set()
    thread.join()
    wired.client.call("apply")
    assert naps.taken == [0.3, 0]
    assert len(wired.component.orders) == 2


def test_a_later_order_can_be_held_and_then_lost(wired: Wired, naps: Naps) -> None:
    naps.go_on.set()
    wired.relay.hold_next("apply", 0.1, skip=2, lose=True)
    wired.client.call("apply")
    wired.client.call("apply")
    assert not wired.relay.await_order("apply", 0.01)
    assert wired.client.call("apply")["ok"]  # lost, and repeated over a new connection
    assert wired.relay.await_order("apply", 0.01)
    assert naps.taken == [0, 0, 0.1, 0]
    assert len(wired.component.orders) == 3


def test_orders_can_be_slowed_until_told_otherwise(wired: Wired, naps: Naps) -> None:
    naps.go_on.set()
    wired.relay.delay("expect_flows", 0.2)
    wired.client.call("expect_flows", flows=[])
    wired.client.call("expect_flows", flows=[])
    wired.relay.delay("expect_flows", 0.0)
    wired.client.call("expect_flows", flows=[])
    assert naps.taken == [0.2, 0.2, 0]


def test_an_order_that_is_cut_never_arrives(wired: Wired) -> None:
    wired.client.call("counters")
    wired.relay.cut("apply", 2)
    with pytest.raises(ControlLost):
        wired.client.call("apply")
    assert [order["op"] for order in wired.component.orders] == ["counters"]
    assert wired.client.call("apply")["ok"]


def test_a_component_that_is_gone_closes_the_connection(wired: Wired, tmp_path: Path) -> None:
    wired.component.close()
    (tmp_path / "own.sock").unlink()
    with pytest.raises(ControlLost):
        wired.client.call("apply")


def test_closing_takes_the_socket_away(wired: Wired, tmp_path: Path) -> None:
    wired.relay.close()
    assert not (tmp_path / "relay.sock").exists()
