"""The relay in front of Open vSwitch: bundles of flow changes are the orders that it records and disturbs."""

from __future__ import annotations

import socket
import struct
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nfvcert.dataplane.openflow import FlowMod, wire
from nfvcert.dataplane.openflow.client import TABLE_FULL
from nfvcert.dataplane.openflow.flows import Command
from nfvcert.dataplane.openflow.wire import Bundle, Kind, Message
from nfvcert.dataplane.switch.pipeline import document, owner_tag
from nfvcert.scenarios.migration_avoidance.relay import ControlRelay, Observer, shut
from nfvcert.testbed.dataplane.layout import OWNER, SWITCH, Layout

APPLY = "apply"
"""What a bundle is called in a history, as the same order of the switch model is."""

Asked = deque[dict[str, Any] | None]


def relay_for(layout: Layout, component: str, listen: Path, observer: Observer) -> ControlRelay:
    """The relay that understands a component."""
    target = layout.control(component)
    if component == SWITCH and layout.bridged:
        return OpenFlowRelay(component, listen, target, observer, names={n: p for p, n in layout.switch_ports.items()})
    return ControlRelay(component, listen, target, observer)


class OpenFlowRelay(ControlRelay):
    """Passes OpenFlow messages on; the commit of a bundle is an order of the name :data:`APPLY`.

    Args:
        names: of the switch's ports by their numbers.
    """

    def __init__(
        self, component: str, listen: Path, target: Path, observer: Observer, *, names: dict[int, str]
    ) -> None:
        self._names = names
        super().__init__(component, listen, target, observer)

    def _orders(self, client: socket.socket, server: socket.socket, asked: Asked) -> None:
        bundles: dict[int, dict[str, list[Any]]] = {}
        try:
            for message in _messages(client):
                if message.kind == Kind.BUNDLE_ADD:
                    bundle, inner = wire.bundle_add_of(message.body)
                    self._gather(bundles.setdefault(bundle, {"add": [], "remove": []}), inner)
                elif message.kind == Kind.BUNDLE_CONTROL:
                    bundle, kind = wire.bundle_control_of(message.body)
                    if kind == Bundle.COMMIT_REQUEST:
                        request = bundles.pop(bundle, {"add": [], "remove": []})
                        about = {"op": APPLY, "t_request": time.monotonic_ns(), "request": request}
                        if not self._let_pass(APPLY):
                            break
                        asked.append({**about, "xid": message.xid, "refusal": None})
                server.sendall(wire.pack(message.kind, message.xid, message.body))
        except (OSError, ValueError, struct.error):
            pass
        finally:
            shut(client, server)

    def _answers(self, client: socket.socket, server: socket.socket, asked: Asked) -> None:
        refusal: tuple[int, int] | None = None
        try:
            for message in _messages(server):
                if message.kind == Kind.ERROR and refusal is None:
                    refusal = wire.error_of(message.body)
                order = asked[0] if asked else None
                if order is not None and message.xid == order["xid"]:
                    asked.popleft()
                    self._tell_bundle(order, refusal)
                    refusal = None
                client.sendall(wire.pack(message.kind, message.xid, message.body))
        except (OSError, ValueError, struct.error):
            pass
        finally:
            shut(client, server)

    def _gather(self, request: dict[str, list[Any]], message: Message) -> None:
        mod = FlowMod.decode(message.body)
        told = document(mod, {owner_tag(OWNER): OWNER}, self._names)
        if mod.command is Command.ADD:
            request["add"].append(told)
        else:
            request["remove"].append(told["rule"])

    def _tell_bundle(self, order: dict[str, Any], refusal: tuple[int, int] | None) -> None:
        at = time.monotonic_ns()
        code = None if refusal is None else "table-full" if refusal == TABLE_FULL else f"{refusal[0]}/{refusal[1]}"
        told = {
            "component": self.component,
            "op": order["op"],
            "t_request": order["t_request"],
            "request": order["request"],
            "ok": refusal is None,
            "error": None if refusal is None else "the bundle is refused",
            "code": code,
            "answer": {"t_ns": at},
        }
        self._observer(self.component, told, at)


def _messages(connection: socket.socket) -> Iterator[Message]:
    framer = wire.Framer()
    while data := connection.recv(1 << 20):
        yield from framer.feed(data)
