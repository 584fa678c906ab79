"""A small world of flows, instances and rules, and the history that the recorders of a scenario would write of it.

Flows live and send at one rate; a :class:`Scaling` says which instance handles which of them when, which way they take
and what the hardware table holds. A defect is put into the world before :meth:`Scaling.finish` derives the history, so
that everything else stays consistent. Times are seconds since the beginning of the traffic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nfvcert.checkers.rel002.identity import ids
from nfvcert.history import Event, EventKind, History, marks
from nfvcert.history import migration as m

BASE_S = 1000.0
RATE = 149.0
NEVER = 1e9
Mask = NDArray[np.bool_]
Times = NDArray[np.float64]
Rule = tuple[int, int, str]
Key = tuple[int, int, int, int, int]


def ns(t: float) -> int:
    """CLOCK_MONOTONIC of a time of the traffic."""
    return round((BASE_S + t) * 1e9)


@dataclass
class Span:
    """Packets of some flows from ``first`` to ``last`` (one time a flow)."""

    chosen: Mask
    first: Times
    last: Times
    what: Any = None


@dataclass
class Content:
    """What the hardware table holds from a time on: ranges, and exceptions as rows of flows with their times there."""

    since: float
    ranges: list[Rule]


@dataclass
class Scaling:
    """One scenario. Arrays have one element a flow."""

    scenario: str
    method: str = "plain"
    end: float = 14.0
    trigger: float = 2.0
    scale: float = 0.1
    flows: int = 1000
    born_per_s: float = 200.0
    mean_s: float = 5.0
    endless: int = 0
    table_capacity: int = 205
    quota: int | None = None
    timeout_s: float = 0.2
    seed: int = 7
    driver: str = "core"
    identity: str = "five-tuple"
    instances: dict[int, str] = field(default_factory=lambda: {1: "s1/v1", 2: "s2/v1"})
    workload: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dice = np.random.default_rng(self.seed)
        new = int(self.born_per_s * self.end)
        first = np.concatenate([np.zeros(self.flows), np.sort(dice.uniform(0.001, self.end - 0.05, new))])
        life = dice.exponential(self.mean_s, len(first)) + 0.02
        if self.endless:
            life[: self.endless] = NEVER
        self.born: Times = first + dice.uniform(0, 0.006, len(first))
        self.died: Times = np.minimum(self.born + life, self.end)
        count = len(first)
        self.columns = {
            "src": dice.integers(0x0A000000, 0x0AFFFFFF, count),
            "dst": dice.integers(0xC6120000, 0xC612FFFF, count),
            "sport": dice.integers(1024, 65536, count),
            "dport": dice.integers(1, 1024, count),
            "proto": np.full(count, 17),
        }
        self.id = ids(self.columns, self.identity)
        self.owner = np.ones(count, dtype=np.int64)
        self.silence_ms = np.zeros(count, dtype=np.int64)
        self.latency = (8_000.0, 4_000.0)
        self.p99 = lambda t: 30_000.0
        self.detours: list[Span] = []
        self.elsewhere: list[Span] = []
        self.losses: list[Span] = []
        self.doubled: Mask = np.zeros(count, dtype=np.bool_)
        self.swaps = np.zeros(count, dtype=np.int64)
        self.contents: list[Content] = [Content(-1.0, [(0, 65535, "s1")])]
        self.exceptions: list[tuple[int, float, float, str]] = []
        self.foreign = 0
        self.evicted: tuple[float, int] = (NEVER, 0)
        self.gone: dict[str, float] = {}
        self.loops = 0
        self.states: list[dict[str, Any]] = []
        self.trial_changes: dict[str, Any] = {}
        self._events: list[Event] = []
        self.observer_error = 0
        self.packets: list[dict[str, Any]] = []
        self.offered: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self.born)

    # choosing flows

    def none(self) -> Mask:
        """No flow."""
        return np.zeros(len(self), dtype=np.bool_)

    def within(self, low: int, high: int) -> Mask:
        """Flows with an id in the range."""
        return (self.id >= low) & (self.id <= high)

    def alive(self, t: float) -> Mask:
        """Flows that live at a time."""
        return (self.born <= t) & (self.died > t)

    def key(self, row: int) -> Key:
        """Addresses of a flow."""
        return tuple(int(self.columns[n][row]) for n in ("src", "dst", "sport", "dport", "proto"))  # type: ignore[return-value]

    # what happens

    def detour(self, chosen: Mask, first: Any, last: Any, server: str = "s1") -> None:
        """Packets of these flows are detoured by a server."""
        self.detours.append(self._span(chosen, first, last, server))

    def stray(self, chosen: Mask, first: Any, last: Any, instance: int) -> None:
        """Packets of these flows are handled by another instance than their owner."""
        self.elsewhere.append(self._span(chosen, first, last, instance))

    def lose(self, chosen: Mask, first: Any, last: Any) -> None:
        """Packets of these flows are lost."""
        self.losses.append(self._span(chosen, first, last))

    def _span(self, chosen: Mask, first: Any, last: Any, what: Any = None) -> Span:
        full = np.zeros(len(self))
        return Span(chosen.copy(), np.maximum(full + first, self.born), np.minimum(full + last, self.end), what)

    def rules(self, since: float, ranges: list[Rule]) -> None:
        """The ranges of the hardware table from a time on."""
        self.contents.append(Content(since, ranges))

    def protect(self, chosen: Mask, since: float, port: str = "s1", removal: float = 0.25) -> None:
        """Exceptions for these flows until some time after their end."""
        for row in np.flatnonzero(chosen).tolist():
            until = float(self.died[row]) + removal
            self.exceptions.append((row, since, NEVER if self.died[row] >= self.end else until, port))

    # what is written

    def add(self, t: float, kind: EventKind, source: str, data: dict[str, Any]) -> None:
        """An event as it is."""
        self._events.append(Event(ns(t), kind, source, self.scenario, data))

    def mark(self, t: float, name: str, **data: Any) -> None:
        """A mark."""
        self.add(t, EventKind.MARK, "scenario", {"name": name, **data})

    def ask(self, t: float, label: str = m.FIRST_SPLIT, *, status: int = 201, **data: Any) -> None:
        """A request to the controller."""
        asked = {"kind": "scale-out", "method": self.method, "from": "s1/v1", "to": "s2/v1", "share": 0.5, **data}
        answer = asked.pop("answer", {})
        identifier = asked.pop("id", f"op-{label}") if status < 300 else None
        self.mark(t + 0.004, m.SPLIT, label=label, t_ns=ns(t), status=status, id=identifier, answer=answer, **asked)

    def did(self, t: float, step: str, label: str = m.FIRST_SPLIT, *, final: bool = False, id: str = "") -> None:
        """A step of the controller."""
        self.mark(
            t, m.CONTROLLER_STEP, label=label, id=id or f"op-{label}", t_ns=ns(t), step=step, text=step, final=final
        )

    def ended(self, state: str, label: str = m.FIRST_SPLIT, **data: Any) -> None:
        """The last state of a scaling."""
        told = {"reason": "", "threshold": 200, "cut_flows": [], **data}
        self.mark(self.end + 0.5, m.SCALING_END, label=label, id=f"op-{label}", state=state, **told)

    def order(self, t: float, component: str, op: str, request: dict[str, Any], **data: Any) -> None:
        """An order of the controller."""
        found = {"component": component, "op": op, "t_request": ns(t - 0.002), "request": request, "ok": True}
        self.add(t, EventKind.API_CALL, m.CONTROL + component, {**found, "answer": {}, **data})

    def fault(self, t: float, kind: str, target: str, **data: Any) -> None:
        """A fault that the scenario puts in."""
        self.add(t, EventKind.FAULT, "scenario", {"kind": kind, "target": target, **data})

    # deriving the history

    def sent_until(self, t: Any) -> NDArray[np.int64]:
        """Packets that each flow has sent until a time (one for all, or one a flow)."""
        inside = np.clip(np.minimum(np.zeros(len(self)) + t, self.died) - self.born, 0, None)
        begun = (self.born <= np.zeros(len(self)) + t) & (inside > 0)
        return np.where(begun, np.floor(inside * RATE) + 1, 0).astype(np.int64)

    def packets_in(self, span: Span, until: float = NEVER) -> NDArray[np.int64]:
        """Packets of each flow within a span, those after ``until`` left out."""
        first = self.sent_until(np.minimum(span.first, until))
        last = self.sent_until(np.minimum(np.maximum(span.last, span.first), until))
        return np.where(span.chosen, last - first, 0)

    def finish(self) -> History:
        """The history with its tables."""
        self._begin()
        flows = self._flows()
        self._intervals(flows)
        rows = self._dumps()
        sample = np.arange(0.05, self.end + 0.6, 0.1)
        names = ["generator", "switch", "controller", "s1", "s2", *self.instances.values()]
        for t in sample:
            listed = [{"name": n, "pid": 100, "running": bool(t < self.gone.get(n, NEVER))} for n in names]
            self.add(float(t), EventKind.INVENTORY, m.PROCESSES, {"processes": listed})
        tables = {m.FLOWS_TABLE: pa.table(flows), m.RULES_TABLE: pa.Table.from_pylist(rows)}
        if self.states:
            tables[m.STATES_TABLE] = pa.Table.from_pylist(self.states)
        if self.offered:
            rows = [{"t_ns": ns(row["t"]), **{k: v for k, v in row.items() if k != "t"}} for row in self.packets]
            tables |= {m.PACKETS_TABLE: pa.Table.from_pylist(rows), m.OFFERED_TABLE: pa.Table.from_pylist(self.offered)}
        self.mark(self.end + 0.7, marks.END, complete=True, error=None)
        events = sorted(self._events, key=lambda event: event.t)
        numbered = [Event(e.t, e.kind, e.source, e.scenario, e.data, e.wall, seq) for seq, e in enumerate(events)]
        return History(self.scenario, numbered, tables)

    def _begin(self) -> None:
        self.mark(-1.5, marks.BEGIN, clock={"source": "CLOCK_MONOTONIC", "error_ns": 1_000_000}, testbed="dataplane")
        self.mark(
            -1.4,
            m.WORKLOAD,
            **{
                "workload": "a1",
                "scale": self.scale,
                "frame": 64,
                "packets_per_second": RATE * self.flows,
                "concurrent_flows": self.flows,
                "new_flows_per_second": self.born_per_s,
                "lifetime": {"model": "exponential", "mean_s": self.mean_s},
                "duration_s": self.end,
                "trigger_s": self.trigger,
                "seed": self.seed,
                "identity": self.identity,
                "table_capacity": self.table_capacity,
                "quota": self.quota,
                "state_timeout_s": self.timeout_s,
                "function": "monitor",
                "driver": self.driver,
                "method": self.method,
                "initial": "s1/v1",
                "instances": {str(number): name for number, name in self.instances.items()},
                **self.workload,
            },
        )
        self.mark(-0.001, m.TRAFFIC, t_ns=ns(0.0))

    def _flows(self) -> dict[str, Any]:
        sent = self.sent_until(NEVER)
        lost = sum((self.packets_in(span) for span in self.losses), np.zeros(len(self), dtype=np.int64))
        lost = np.minimum(lost, sent)
        other = sum((self.packets_in(span) for span in self.elsewhere), np.zeros(len(self), dtype=np.int64))
        detoured = sum((self.packets_in(span) for span in self.detours), np.zeros(len(self), dtype=np.int64))
        first_other = np.zeros(len(self), dtype=np.int64)
        last_detoured = np.zeros(len(self), dtype=np.int64)
        for span in self.elsewhere:
            first_other[span.chosen] = ((BASE_S + span.first[span.chosen]) * 1e9).astype(np.int64)
        for span in self.detours:
            hit = span.chosen & (self.packets_in(span) > 0)
            last_detoured[hit] = ((BASE_S + np.minimum(span.last, self.died)[hit]) * 1e9).astype(np.int64)
        last_owner = (BASE_S + self.died) * 1e9
        for span in (*self.elsewhere, *self.losses):
            gone = span.chosen & (span.last >= self.died)
            last_owner[gone] = np.minimum(last_owner, (BASE_S + span.first) * 1e9)[gone]
        changes = np.where(other > 0, np.maximum(1, self.swaps), 0)
        return {
            **self.columns,
            "flow": np.arange(len(self)),
            "born_ns": ((BASE_S + self.born) * 1e9).astype(np.int64),
            "first_tx_ns": ((BASE_S + self.born) * 1e9).astype(np.int64),
            "last_tx_ns": ((BASE_S + self.died) * 1e9).astype(np.int64),
            "sent": sent,
            "received": sent - lost,
            "lost": lost,
            "duplicates": np.where(self.doubled, sent // 2, 0),
            "reordered": np.zeros(len(self), dtype=np.int64),
            "first_instance": self.owner,
            "owner_packets": sent - lost - other,
            "other_packets": np.where(other > 0, other, 0),
            "first_other_ns": first_other,
            "last_owner_ns": last_owner.astype(np.int64),
            "detoured": detoured,
            "last_detoured_ns": last_detoured,
            "longest_gap_ns": np.maximum(np.full(len(self), 7_000_000), self.silence_ms * 1_000_000),
            "changes": changes,
            "silence_ms": self.silence_ms,
        }

    def _intervals(self, flows: dict[str, Any]) -> None:
        edges = np.round(np.arange(0.0, self.end + 0.05, 0.1), 3)
        edges[-1] = self.end
        sums = {t: self._sums(t) for t in edges.tolist()}
        sums[edges.tolist()[-1]] = self._sums(self.end + 0.01)
        self._unused()
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            old, new = sums[first], sums[last]
            data = {
                "begin_ns": ns(first),
                "end_ns": ns(last),
                "sent": new["sent"] - old["sent"],
                "received": new["received"] - old["received"],
                "living": int(self.alive(first).sum()),
                "instances": {
                    str(n): {
                        "packets": new["handled"][n] - old["handled"][n],
                        "detoured": new["detoured"][n] - old["detoured"][n],
                    }
                    for n in self.instances
                },
                "latency_ns": {"direct": {"p50": self.latency[0], "p99": self.p99(first), "n": 500}},
            }
            detoured = sum(i["detoured"] for i in data["instances"].values())
            if detoured:
                data["latency_ns"]["detoured"] = {"p50": sum(self.latency), "p99": 60_000.0, "n": detoured}
            self.add(last, EventKind.PACKET_INTERVAL, m.GENERATOR, data)
            servers = {name.partition("/")[0] for name in self.instances.values()}
            ports = {s: {"rx_packets": self._handled_at(new, s) + new["by"].get(s, 0)} for s in servers}
            for row in self.packets if last >= self.end else ():
                ports[self.instances[row["instance"]].partition("/")[0]]["rx_packets"] += 1
            ports["s1"]["rx_packets"] += self.observer_error
            self.add(last + 0.01, EventKind.PACKET_INTERVAL, m.SWITCH, {"t_ns": ns(last), "ports": ports, "no_rule": 0})
            for server in servers:
                peers = {"peer": {"packets": new["by"].get(server, 0)}} if new["by"].get(server) else {}
                counters = {"t_ns": ns(last), "detoured": peers, "loops": self.loops}
                self.add(last + 0.01, EventKind.PACKET_INTERVAL, m.SERVER_SWITCH + server, counters)
        trial = {
            "intended": int(flows["sent"].sum()),
            "sent": int(flows["sent"].sum()),
            "intended_duration": self.end,
            "duration": self.end,
            "send_errors": 0,
            "receiver_drops": 0,
            "lost": int(flows["lost"].sum()),
            "foreign": len(self.packets),
            **self.trial_changes,
        }
        self.mark(self.end + 0.4, marks.TRIAL, label="traffic", **trial)
        for name in (m.FLOWS_TABLE, m.RULES_TABLE):
            self.add(self.end + 0.45, EventKind.FLOW_RECORD, m.GENERATOR, {"table": name})

    def _unused(self) -> None:
        """Counters before the traffic: what was sent to warm links up is in them."""
        servers = {name.partition("/")[0] for name in self.instances.values()}
        ports = {server: {"rx_packets": 0} for server in servers}
        self.add(-0.2, EventKind.PACKET_INTERVAL, m.SWITCH, {"t_ns": ns(-0.2), "ports": ports, "no_rule": 0})
        for server in servers:
            counters = {"t_ns": ns(-0.2), "detoured": {}, "loops": 0}
            self.add(-0.2, EventKind.PACKET_INTERVAL, m.SERVER_SWITCH + server, counters)

    def _handled_at(self, sums: dict[str, Any], server: str) -> int:
        return sum(sums["handled"][n] for n, name in self.instances.items() if name.startswith(server + "/"))

    def _sums(self, t: float) -> dict[str, Any]:
        sent = self.sent_until(t)
        received = sent.copy()
        for span in self.losses:
            received -= np.minimum(self.packets_in(span, t), received)
        handled = {n: int(received[self.owner == n].sum()) for n in self.instances}
        for span in self.elsewhere:
            strayed = self.packets_in(span, t)
            for n in self.instances:
                handled[n] -= int(strayed[self.owner == n].sum())
            handled[span.what] += int(strayed.sum())
        detoured = dict.fromkeys(self.instances, 0)
        by: dict[str, int] = {}
        for span in self.detours:
            packets = self.packets_in(span, t)
            by[span.what] = by.get(span.what, 0) + int(packets.sum())
            for n in self.instances:
                detoured[n] += int(packets[self.owner == n].sum())
        return {
            "sent": int(sent.sum()),
            "received": int(received.sum()),
            "handled": handled,
            "detoured": detoured,
            "by": by,
        }

    def _dumps(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        before: Any = None
        for t in np.arange(-0.95, self.end + 0.55, 0.1).tolist():
            ranges = [content for content in self.contents if content.since <= t][-1].ranges
            present = [(row, port) for row, since, until, port in self.exceptions if since <= t < until]
            foreign = self.foreign - (self.evicted[1] if t >= self.evicted[0] else 0)
            used = len(ranges) + len(present) + foreign
            data = {
                "t_ns": ns(t),
                "used": used,
                "capacity": self.table_capacity,
                "ranges": len(ranges),
                "exceptions": len(present),
            }
            self.add(t + 0.003, EventKind.INVENTORY, m.SWITCH, data)
            if (ranges, present, foreign) == before:
                continue
            before = (ranges, present, foreign)
            empty = dict.fromkeys(("src", "dst", "sport", "dport", "proto"), 0)
            rows += [
                {"t_ns": ns(t), "rule": f"r{low}", "kind": "range", "lo": low, "hi": high, **empty, "port": port,
                 "owner": "nfvcert"}
                for low, high, port in ranges
            ]  # fmt: skip
            for row, port in present:
                named = dict(zip(("src", "dst", "sport", "dport", "proto"), self.key(row), strict=True))
                rows.append(
                    {"t_ns": ns(t), "rule": f"e{row}", "kind": "flow", "lo": 0, "hi": 0, **named, "port": port,
                     "owner": "nfvcert"}
                )  # fmt: skip
            rows += [
                {"t_ns": ns(t), "rule": f"x{i}", "kind": "flow", "lo": 0, "hi": 0, **empty, "src": i + 1, "port": "s1",
                 "owner": "tenant"}
                for i in range(foreign)
            ]  # fmt: skip
        return rows


Change = Callable[[Scaling], None]
