"""A server without sockets in front of a simulated engine, both on a clock that the test turns."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field
from typing import Any

from simulated_engine import Flaws, InMemoryEngine, SimulatedEngine

from nfvcert.traffic.trex.server.context import Context, Options
from nfvcert.traffic.trex.server.dispatcher import Dispatcher
from nfvcert.traffic.trex.server.housekeeping import Housekeeping
from nfvcert.traffic.trex.server.log import Log

UDP = bytes.fromhex(
    "024e46020001024e46000000080045000032000000004011 0000100000013000000104010 00c001e0000".replace(" ", "")
)
PACKET = UDP.ljust(64, b"x")
"""A UDP packet of 64 octets, without frame check sequence."""


@dataclass
class Clock:
    """Time that passes when told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Refused(Exception):
    """An error reply."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["specific_err"])
        self.code = error["code"]


@dataclass
class Talk:
    """Requests to the server, and time."""

    clock: Clock
    simulated: SimulatedEngine
    context: Context
    options: Options
    handlers: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.context)
        self.housekeeping = Housekeeping(self.context)

    def frame(self, content: Any) -> Any:
        """The answer to a frame."""
        return json.loads(self.dispatcher.answer(json.dumps(content).encode()))

    def request(self, method: str, /, **parameters: Any) -> Any:
        """The result of a request; the API handler and that of the port are added. Raises: Refused."""
        parameters = {"api_h": self.context.api_h, **parameters}
        if "port_id" in parameters and "handler" not in parameters:
            parameters["handler"] = self.handlers.get(parameters["port_id"], "")
        reply = self.frame({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        if "error" in reply:
            raise Refused(reply["error"])
        return reply["result"]

    def acquire(self, *ports: int, session: int = 7, user: str = "tester", force: bool = False) -> None:
        for port in ports:
            self.handlers[port] = self.request("acquire", port_id=port, user=user, session_id=session, force=force)

    def add(self, number: int, *, port: int = 0, profile: str = "_", **changes: Any) -> None:
        self.request("add_stream", port_id=port, profile_id=profile, stream_id=number, stream=stream(**changes))

    def start(self, *, port: int = 0, profile: str = "_", value: float = 1.0, kind: str = "raw", **more: Any) -> Any:
        mul = {"type": kind, "value": value, "op": "abs"}
        wanted = {"duration": -1, "force": False, **more}
        return self.request("start_traffic", port_id=port, profile_id=profile, mul=mul, **wanted)

    def status(self, port: int = 0) -> Any:
        return self.request("get_port_status", port_id=port, profile_id="*", block=False)

    def pass_time(self, seconds: float, step: float = 0.1) -> None:
        """Let time pass, as the server's loop sees it."""
        end = self.clock.now + seconds
        while self.clock.now < end - 1e-9:
            self.clock.now = min(end, self.clock.now + step)
            self.context.engine.service()
            self.context.take_engine_events()
            self.housekeeping.tick()

    def events(self, session: int = 7) -> list[dict[str, Any]]:
        """Events of a session since the last call."""
        return list(self.request("get_async_events", session_id=session, user="sub")["data"])

    def orders(self, op: str) -> list[dict[str, Any]]:
        """What the engine was told."""
        return [order for order in self.simulated.orders if order["op"] == op]


def stream(**changes: Any) -> dict[str, Any]:
    """A stream object as the client makes it; ``pps``, ``mode`` and ``packet`` (octets) are short for parts of it."""
    rate = changes.pop("rate", {"type": "pps", "value": changes.pop("pps", 1000)})
    mode = {"type": "continuous", **changes.pop("mode", {}), "rate": rate}
    packet = changes.pop("packet", PACKET)
    instructions = changes.pop("instructions", [])
    group = changes.pop("group", None)
    stats: dict[str, Any] = {"enabled": False}
    if group:
        stats = {"enabled": True, "rule_type": group[0], "stream_id": group[1], "vxlan": False, "ieee_1588": False}
    return {
        "enabled": True,
        "self_start": True,
        "start_paused": False,
        "isg": 0.0,
        "flags": 3,
        "action_count": 0,
        "core_id": -1,
        "next_stream_id": -1,
        "mode": mode,
        "packet": {"binary": base64.b64encode(packet).decode(), "meta": ""},
        "vm": {"instructions": instructions},
        "flow_stats": stats,
        **changes,
    }


def make_talk(flaws: Flaws | None = None, **options: Any) -> Talk:
    """A server, its engine and their clock."""
    clock = Clock()
    simulated = SimulatedEngine(clock, flaws)
    told = Options(**{"speed_gbps": 10.0, **options})
    context = Context(InMemoryEngine(simulated), told, clock, Log(io.StringIO()))
    context.begin_frame()
    context.read_ports()
    return Talk(clock, simulated, context, told)
