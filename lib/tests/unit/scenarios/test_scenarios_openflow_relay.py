"""The relay in front of Open vSwitch passes everything on, records bundles as orders, and disturbs them on demand."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from listening import Listening

from nfvcert.dataplane.control import ControlLost
from nfvcert.dataplane.identity import IDS, Identity, flow
from nfvcert.dataplane.openflow import OpenFlowClient, OpenFlowRefused, wire
from nfvcert.dataplane.openflow.client import TABLE_FULL
from nfvcert.dataplane.openflow.flows import Command
from nfvcert.dataplane.openflow.wire import Bundle, Kind, Message
from nfvcert.dataplane.rules import FlowRule, RangeRule
from nfvcert.dataplane.switch.pipeline import changes
from nfvcert.scenarios.migration_avoidance.openflow_relay import OpenFlowRelay

PORTS = {"source": 1, "sink": 2, "s1": 3, "s2": 4}
NAMES = {number: name for name, number in PORTS.items()}


class Bridge(Listening):
    """Takes every bundle, or refuses the first change of each while it is full."""

    def __init__(self, path: Path) -> None:
        self.full = False
        self.taken: list[Message] = []
        super().__init__(path)

    def _talk(self, connection: socket.socket) -> None:
        framer, gathered = wire.Framer(), []
        connection.sendall(wire.pack(Kind.HELLO, 1))
        while data := connection.recv(1 << 16):
            for message in framer.feed(data):
                if message.kind == Kind.BUNDLE_ADD:
                    gathered.append(wire.bundle_add_of(message.body)[1])
                    if self.full and len(gathered) == 1:
                        connection.sendall(wire.pack(Kind.ERROR, message.xid, bytes([0, 5, 0, 1])))
                elif message.kind == Kind.BUNDLE_CONTROL:
                    bundle, kind = wire.bundle_control_of(message.body)
                    if kind == Bundle.COMMIT_REQUEST and self.full:
                        connection.sendall(wire.pack(Kind.ERROR, message.xid, bytes([0, 17, 0, 13])))
                        continue
                    if kind == Bundle.COMMIT_REQUEST:
                        self.taken += gathered
                    gathered = [] if kind == Bundle.COMMIT_REQUEST else gathered
                    connection.sendall(wire.bundle_control(message.xid, bundle, Bundle(kind + 1)))


class Wired:
    """A bridge behind a relay, a client in front, and what the relay told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[dict[str, Any]] = []
        self.bridge = Bridge(folder / "switch.mgmt")
        self.relay = OpenFlowRelay(
            "switch",
            folder / "switch.rly",
            folder / "switch.mgmt",
            lambda _, data, t: self.told.append({**data, "t": t}),
            names=NAMES,
        )
        self.client = OpenFlowClient(folder / "switch.rly")

    def apply(self, *rules: RangeRule | FlowRule, command: Command = Command.ADD) -> None:
        self.client.change([mod for rule in rules for mod in changes(rule, command, "nfvcert", PORTS)])

    def close(self) -> None:
        self.client.close()
        self.relay.close()
        self.bridge.close()


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Wired]:
    found = Wired(tmp_path)
    yield found
    found.close()


def test_a_bundle_is_told_as_one_order_with_what_it_adds_and_removes(wired: Wired) -> None:
    wired.apply(RangeRule(0, IDS - 1, "s1"))
    wired.apply(FlowRule(flow(1, 2, 3, 4, 17, Identity.SOURCE_PORT), "s2"), RangeRule(0, 5, "s2"))
    wired.apply(RangeRule(0, IDS - 1, "s1"), command=Command.DELETE_STRICT)
    first, second, third = wired.told
    assert (first["op"], first["ok"], first["code"]) == ("apply", True, None)
    assert first["request"]["add"] == [
        {"rule": "0-65535", "range": [0, 65535], "priority": 0, "port": "s1", "owner": "nfvcert"}
    ]
    assert [rule.get("range") for rule in second["request"]["add"]] == [None, [0, 3], [4, 5]]
    assert third["request"] == {"add": [], "remove": ["0-65535"]}
    assert len(wired.bridge.taken) == 5
    assert first["t_request"] <= first["t"]


def test_a_refusal_is_told_with_its_reason_and_reaches_the_controller(wired: Wired) -> None:
    wired.bridge.full = True
    with pytest.raises(OpenFlowRefused, match="table full") as refusal:
        wired.apply(RangeRule(0, 5, "s2"))
    assert (refusal.value.reason, refusal.value.place) == (TABLE_FULL, 0)
    assert [(told["ok"], told["code"]) for told in wired.told] == [(False, "table-full")]


def test_the_next_bundle_is_held_back_and_its_arrival_told(wired: Wired) -> None:
    wired.relay.hold_next("apply", 0.2)
    begin = time.monotonic()
    asking = threading.Thread(target=wired.apply, args=(RangeRule(0, 5, "s2"),))
    asking.start()
    assert wired.relay.await_order("apply", 2.0)
    assert not wired.bridge.taken
    asking.join()
    assert time.monotonic() - begin >= 0.2
    assert len(wired.bridge.taken) == 2


def test_a_cut_bundle_never_arrives(wired: Wired) -> None:
    wired.relay.cut("apply", 1)
    with pytest.raises(ControlLost):
        wired.apply(RangeRule(0, 5, "s2"))
    assert not wired.bridge.taken
    wired.apply(RangeRule(0, 5, "s2"))
    assert len(wired.bridge.taken) == 2
