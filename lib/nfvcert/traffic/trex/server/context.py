"""All that the methods work on: ports, sessions, packet groups, and the engine behind them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nfvcert.traffic.trex.server.engine import Engine, EngineGone, EngineRefusal, EngineSilent
from nfvcert.traffic.trex.server.errors import InProgress, RpcError
from nfvcert.traffic.trex.server.flow_runs import FlowRun
from nfvcert.traffic.trex.server.groups import Groups
from nfvcert.traffic.trex.server.log import Log
from nfvcert.traffic.trex.server.meter import Meter
from nfvcert.traffic.trex.server.ports import FILE_PROFILE, Port
from nfvcert.traffic.trex.server.sessions import EventType, Sessions
from nfvcert.traffic.trex.server.tickets import Tickets

ORDER_S = 0.8
"""So long the engine may take for an order that is answered at once."""
FRAME_S = 0.95
"""So long a frame with all its requests may take; what is left over then is refused."""
SAMPLE_S = 0.5
"""How often statistics are read for rates while something runs, seconds."""
SAMPLE_SHARE = 20
"""Reading them takes at most one part in so many of the time."""


@dataclass(frozen=True)
class Options:
    """What the server is told at its start.

    Attributes:
        speed_gbps: line rate of ports for which the engine knows none (shared memory has no line).
        session_timeout_s: silence after which a session that owns ports has vanished.
        output_folder: flow tables may only be written below it; None: anywhere.
    """

    speed_gbps: float = 100.0
    session_timeout_s: float = 10.0
    output_folder: Path | None = None


@dataclass
class Context:
    """State of the server.

    Args:
        clock: seconds, monotonic.
    """

    engine: Engine
    options: Options
    clock: Callable[[], float]
    log: Log = field(default_factory=Log)
    ports: dict[int, Port] = field(default_factory=dict)
    groups: Groups = field(default_factory=Groups)
    meter: Meter = field(default_factory=Meter)
    flows: dict[int, FlowRun] = field(default_factory=dict)
    """Runs of the flow mode, by sending port."""
    recent_latency: dict[str, float] = field(default_factory=dict)
    """Largest latency (us) of a group since a client last asked for it."""
    stale_groups: set[int] = field(default_factory=set)
    """Groups whose counters the engine is to begin anew before they are read."""
    captures: set[int] = field(default_factory=set)
    """Captures that clients have started and not removed."""
    longest_packet: int = 0
    """Octets that the engine can send as one packet, without frame check sequence."""
    gone: str = ""
    """Why the engine is gone; empty while it is there."""

    def __post_init__(self) -> None:
        self.api_h = secrets.token_hex(4)
        self.started = self.clock()
        self.sessions = Sessions(self.clock, self.options.session_timeout_s)
        self.tickets = Tickets(self.clock)
        self.deadline = float("inf")
        self._statistics: dict[str, Any] | None = None
        self._sampled = float("-inf")
        self._sample_every = SAMPLE_S
        self._links_seen = False
        self._cpu: list[float] = []

    def read_ports(self) -> None:
        """Learn from the engine which ports there are and what they can send. Raises: RpcError."""
        told_of_all = self.order("info")
        self.longest_packet = int(told_of_all["longest_packet"])
        for told in told_of_all["ports"]:
            index = int(told["index"])
            speed = told.get("speed_gbps") or self.options.speed_gbps
            self.ports[index] = Port(
                index=index,
                name=str(told.get("name", index)),
                mac=str(told.get("mac", f"02:4e:46:00:00:{index + 1:02x}")),
                kind=str(told.get("kind", "software")),
                speed_bps=float(speed) * 1e9,
                link_up=bool(told.get("link_up", True)),
            )
        for port in self.ports.values():  # ports in pairs send to each other, as TRex configures them
            peer = self.ports.get(port.index ^ 1)
            port.destination_mac = peer.mac if peer else port.mac

    def begin_frame(self) -> None:
        """A frame has come: its requests see one reading of the statistics and share the time for it."""
        self.deadline = self.clock() + FRAME_S
        self._statistics = None
        self._links_seen = False

    def order(self, op: str, **fields: Any) -> dict[str, Any]:
        """Have the engine do something at once.

        Raises:
            RpcError: it refuses, does not answer in time, or is gone.
        """
        left = min(ORDER_S, self.deadline - self.clock())
        if left <= 0:
            raise RpcError("not carried out: the requests before it took too long", where=op, hint="send fewer at once")
        try:
            return self.engine.call(op, fields, left)
        except EngineRefusal as error:
            raise RpcError(error.what, where=error.where, found=error.code, hint=error.hint) from error
        except (EngineSilent, EngineGone) as error:
            raise self.lost(error) from error

    def order_later(
        self, op: str, fields: dict[str, Any], finish: Callable[[dict[str, Any]], Any], failed: Callable[[], None]
    ) -> InProgress:
        """Have the engine do something that takes its time; raise what this returns. Raises: RpcError."""
        number, on_answer = self.tickets.open(op, finish, failed)
        try:
            self.engine.submit(op, fields, on_answer)
        except EngineGone as error:
            raise self.lost(error) from error
        return InProgress(number)

    def look_at_links(self) -> None:
        """See which links are up, once a frame; what was known holds while the engine is busy with something else."""
        if self._links_seen:
            return
        self._links_seen = True
        try:
            ports = self.order("info")["ports"]
        except RpcError as error:
            self.log.say("links-unknown", error=error.message)
            return
        for told in ports:
            self._note_link(int(told["index"]), told)

    def statistics(self) -> dict[str, Any]:
        """The engine's statistics, the same for all requests of a frame. Raises: RpcError."""
        if self._statistics is None:
            self.renew_groups()
            self._statistics = self.order("statistics")
            self._note(self._statistics)
        return self._statistics

    def renew_groups(self) -> None:
        """Let counters begin anew of groups whose number is used anew. Raises: RpcError."""
        if not self.stale_groups:
            return
        known = self.order("statistics").get("groups", {})
        for number in sorted(self.stale_groups):
            if str(number) in known:
                self.order("forget_group", group=number)
            self.stale_groups.discard(number)
            self.meter.forget(number)
            self.recent_latency.pop(str(number), None)

    def port(self, index: int) -> Port:
        """A port. Raises: RpcError when there is none of that number."""
        if index not in self.ports:
            raise RpcError("no such port", found=str(index), hint=f"there are: {', '.join(map(str, self.ports))}")
        return self.ports[index]

    def active(self) -> bool:
        """Whether streams run, whose rates are to be known."""
        return any(
            port.file_started_ns is not None or any(profile.running for profile in port.profiles.values())
            for port in self.ports.values()
        )

    def cpu_history(self) -> list[int]:
        """The engine's load in percent, latest first."""
        return [round(value) for value in reversed(self._cpu)] or [0]

    def sample(self) -> None:
        """Read statistics now and then, for rates. Raises: RpcError."""
        now = self.clock()
        if now - self._sampled >= self._sample_every:
            self._statistics = None
            self.statistics()
            self._sample_every = max(SAMPLE_S, SAMPLE_SHARE * (self.clock() - now))

    def traffic_begins(self) -> None:
        """Rates are measured anew from now on."""
        self.meter.begin()
        self._sampled = float("-inf")

    def take_engine_events(self) -> None:
        """Act on what the engine told."""
        for event in self.engine.events():
            match event.get("event"):
                case "finished":
                    self._finished(event)
                case "interval":
                    self._interval(event)
                case _:
                    pass

    def _finished(self, event: dict[str, Any]) -> None:
        port = self.ports.get(int(event.get("port", -1)))
        name = str(event.get("profile"))
        if port is not None and name == FILE_PROFILE:
            self._file_finished(port, event)
            return
        profile = port.profiles.get(name) if port else None
        if port is None or profile is None or not profile.running:
            return
        if _of_former_run(event, profile.started_ns):
            return
        profile.running = None
        told = {key: event[key] for key in ("sent", "given_up") if key in event}
        self.log.say("finished", port=port.index, profile=name, **told)
        self.sessions.publish(EventType.PROFILE_FINISHED, {"port_id": port.index, "profile_id": name})

    def _file_finished(self, port: Port, event: dict[str, Any]) -> None:
        if port.file_started_ns is None or _of_former_run(event, port.file_started_ns):
            return
        port.file_started_ns = None
        self.log.say("file-finished", port=port.index, sent=event.get("sent"))
        self.sessions.publish(EventType.PORT_FINISHED, {"port_id": port.index})

    def _interval(self, event: dict[str, Any]) -> None:
        index = event.get("tx_port", event.get("port"))
        runs = [run for run in self.flows.values() if index is None or run.tx_port == index]
        for run in runs:
            run.add_interval(event)

    def _note(self, statistics: dict[str, Any]) -> None:
        now = self.clock()
        self._sampled = now
        self._cpu = [*self._cpu[-19:], float(statistics.get("cpu", 0.0))]
        self.meter.add(statistics, now)
        for number, group in statistics.get("groups", {}).items():
            recent = group.get("latency", {}).get("last_max", 0.0)
            self.recent_latency[number] = max(self.recent_latency.get(number, 0.0), recent)
        for name, counters in statistics.get("ports", {}).items():
            self._note_link(int(name), counters)

    def _note_link(self, index: int, told: dict[str, Any]) -> None:
        port = self.ports.get(index)
        if port is None or "link_up" not in told or port.link_up == bool(told["link_up"]):
            return
        port.link_up = bool(told["link_up"])
        self.log.say("link", port=port.index, up=port.link_up)
        self.sessions.publish(EventType.PORT_ATTRIBUTES, {"port_id": port.index, "attr": port.attributes()})

    def lost(self, error: EngineSilent | EngineGone) -> RpcError:
        """The error reply when the engine did not answer; clients are told when it never will again."""
        if isinstance(error, EngineGone) and not self.gone:
            self.gone = error.message
            self.log.say("engine-gone", reason=error.message)
            self.sessions.publish(EventType.SERVER_STOPPED, {"cause": error.message})
        return RpcError(error.what, where=error.where, found=error.found, hint=error.hint)


def _of_former_run(event: dict[str, Any], started_ns: int) -> bool:
    """Whether an end was told after the next run had begun."""
    return bool(0 < event.get("t_ns", 0) < started_ns)
