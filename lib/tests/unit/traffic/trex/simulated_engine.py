"""A packet engine without packets: port 0 looped to port 1, sending computed instead of done.

It answers the orders of the real engine's control socket. Flaws of real generators can be given to it: a capacity above
which sending is stretched, packet groups that count what was never sent, a receiver that overruns, a device that loses.
``python simulated_engine.py --control SOCKET [--flaws JSON]`` serves it.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import selectors
import signal
import socket
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulated_captures import Captures
from simulated_flows import interval, summary
from simulated_refusal import Refusal
from simulated_streams import Run


@dataclass
class Flaws:
    """How the simulated generator or the device between its ports misbehaves.

    Attributes:
        capacity_pps: more is not sent at a time; what was asked for is sent later.
        ghosts: packet groups count above capacity what is never sent, and the duration is kept.
        lose_every: the device loses each n-th packet (0: none).
        overrun_every: the receiver cannot keep each n-th packet (0: none).
        link_up: state of both links.
        settle_s: so long the flow mode takes to stop.
        silent: orders that are never answered.
    """

    capacity_pps: float = float("inf")
    ghosts: bool = False
    lose_every: int = 0
    overrun_every: int = 0
    link_up: bool = True
    settle_s: float = 0.3
    silent: list[str] = field(default_factory=list)


@dataclass
class FlowMode:
    """State of the simulated flow mode."""

    parameters: dict[str, Any]
    begun: float | None = None
    told: float = 0.0
    sent: int = 0


class SimulatedEngine(Captures):
    """Carries out orders.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, flaws: Flaws | None = None) -> None:
        super().__init__()
        self.clock = clock
        self.flaws = flaws or Flaws()
        self.orders: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.loaded: dict[tuple[int, str], list[dict[str, Any]]] = {}
        self.runs: dict[tuple[int, str], Run] = {}
        self.ports = {
            str(n): dict.fromkeys(("opackets", "ipackets", "obytes", "ibytes", "oerrors", "ierrors"), 0) for n in (0, 1)
        }
        self.queue_full = {"0": 0, "1": 0}
        self.groups: dict[str, dict[str, Any]] = {}
        self.flow: FlowMode | None = None
        self._last_rates: tuple[float, dict[str, dict[str, int]]] = (clock(), {})

    def carry_out(self, order: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """The answer, and after how many seconds it comes."""
        self.orders.append(order)
        self.advance()
        try:
            handler = getattr(self, f"op_{order['op']}", None)
            if handler is None:
                raise Refusal("unknown-order", f"there is no order '{order['op']}'")
            answer = handler(order) or {}
            delay = self.flaws.settle_s if order["op"] == "flow_stop" else 0.0
            return {"ok": True, **answer, "id": order.get("id")}, delay
        except Refusal as refusal:
            return {"ok": False, "code": refusal.code, "error": str(refusal), "id": order.get("id")}, 0.0

    def advance(self) -> None:
        """Send what is due by now."""
        now = self.clock()
        for (port, profile), run in list(self.runs.items()):
            for stream, packets, wanted in run.advance(now):
                self._send(port, stream, packets, wanted)
            if run.finished:
                del self.runs[(port, profile)]
                sent = run.sent
                self.events.append(
                    {"event": "finished", "port": port, "profile": profile, "sent": sent, "t_ns": int(run.now * 1e9)}
                )
        self._advance_flows(now)

    # orders

    def op_subscribe(self, order: dict[str, Any]) -> None:
        pass

    def op_info(self, order: dict[str, Any]) -> dict[str, Any]:
        ports = [
            {"index": n, "name": name, "mac": f"02:4e:46:00:00:0{n + 1}", "kind": "ring", "link_up": self.flaws.link_up}
            for n, name in enumerate(("source", "sink"))
        ]
        return {"version": "simulated", "longest_packet": 1514, "ports": ports}

    def op_host(self, order: dict[str, Any]) -> None:
        pass

    def op_load(self, order: dict[str, Any]) -> None:
        if not order["streams"]:
            raise Refusal("nothing", "no streams")
        self.loaded[_key(order)] = order["streams"]

    def op_unload(self, order: dict[str, Any]) -> None:
        self.loaded.pop(_key(order), None)
        self.runs.pop(_key(order), None)

    def op_start(self, order: dict[str, Any]) -> dict[str, Any]:
        if _key(order) not in self.loaded:
            raise Refusal("not-loaded", "no streams are loaded")
        self.runs[_key(order)] = Run(
            self.loaded[_key(order)],
            order["multiplier"],
            order["duration_s"],
            self.clock(),
            capacity_pps=self.flaws.capacity_pps,
            ghosts=self.flaws.ghosts,
        )
        return {"t_ns": int(self.clock() * 1e9)}

    def op_stop(self, order: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.pop(_key(order), None)
        return {"t_ns": int(self.clock() * 1e9), "sent": run.sent if run else 0}

    def op_update(self, order: dict[str, Any]) -> None:
        self._run(order).multiplier = order["multiplier"]

    def op_update_streams(self, order: dict[str, Any]) -> None:
        self._run(order).multipliers |= dict.fromkeys(order["ids"], order["multiplier"])

    def op_pause(self, order: dict[str, Any]) -> None:
        self._run(order).pause(order.get("ids"))

    def op_resume(self, order: dict[str, Any]) -> None:
        self._run(order).resume(order.get("ids"))

    def op_forget_group(self, order: dict[str, Any]) -> None:
        self.groups.pop(str(order["group"]), None)

    def op_push(self, order: dict[str, Any]) -> dict[str, Any]:
        for packet in order["packets"]:
            octets = b64decode(packet)
            self.seen(order["port"], octets, 1, self._count(order["port"], 1, len(octets)))
        return {"packets": len(order["packets"])}

    def op_statistics(self, order: dict[str, Any]) -> dict[str, Any]:
        now = self.clock()
        begin, before = self._last_rates
        told: dict[str, Any] = {}
        for name, counters in self.ports.items():
            old = before.get(name, counters)
            seconds = max(now - begin, 1e-9)
            rates = {
                "tx_pps": (counters["opackets"] - old["opackets"]) / seconds,
                "rx_pps": (counters["ipackets"] - old["ipackets"]) / seconds,
                "tx_bps": 8 * (counters["obytes"] - old["obytes"]) / seconds,
                "rx_bps": 8 * (counters["ibytes"] - old["ibytes"]) / seconds,
            }
            told[name] = {**counters, **rates, "queue_full": self.queue_full[name], "link_up": self.flaws.link_up}
        if now - begin > 0.3:
            self._last_rates = (now, {name: dict(counters) for name, counters in self.ports.items()})
        return {"t_ns": int(now * 1e9), "cpu": 12.5, "ports": told, "groups": json.loads(json.dumps(self.groups))}

    # flow mode

    def op_flow_prepare(self, order: dict[str, Any]) -> dict[str, Any]:
        if order.get("frame", 64) < 64:
            raise Refusal("bad-parameters", "a frame has at least 64 octets")
        self.flow = FlowMode(order)
        living = order.get("concurrent", 0)
        steady = living / order["new_per_second"] if order.get("new_per_second") else None
        told = {"living": living, "mean_lifetime_s": steady, "frame": float(order.get("frame", 64))}
        return {**told, "five_tuples": 4096 * 64 * 64512, "t_ns": int(self.clock() * 1e9)}

    def op_flow_start(self, order: dict[str, Any]) -> dict[str, Any]:
        if self.flow is None:
            raise Refusal("not-prepared", "nothing is prepared")
        self.flow.begun = self.flow.told = self.clock()
        return {"t_ns": int(self.clock() * 1e9)}

    def op_flow_update(self, order: dict[str, Any]) -> dict[str, Any]:
        if self.flow is None:
            raise Refusal("not-running", "nothing runs")
        self.flow.parameters |= {key: value for key, value in order.items() if key in ("pps", "new_per_second")}
        return {"t_ns": int(self.clock() * 1e9)}

    def op_flow_burst(self, order: dict[str, Any]) -> dict[str, Any]:
        return {"t_ns": int(self.clock() * 1e9)}

    def op_flow_stop(self, order: dict[str, Any]) -> dict[str, Any]:
        if self.flow is None:
            raise Refusal("not-running", "nothing runs")
        flow, self.flow = self.flow, None
        begin = flow.begun if flow.begun is not None else self.clock()
        octets = flow.parameters.get("frame", 64) - 4
        told = summary(begin, self.clock(), flow.sent, flow.sent * octets, flow.parameters.get("concurrent", 0))
        if "flows_file" in flow.parameters:
            Path(flow.parameters["flows_file"]).write_text("flow,src,dst\n")
        return {"t_ns": int(self.clock() * 1e9), "summary": told}

    def _advance_flows(self, now: float) -> None:
        flow = self.flow
        if flow is None or flow.begun is None:
            return
        step = flow.parameters.get("interval_ms", 100) / 1000
        while now - flow.told >= step - 1e-9:
            packets = int(flow.parameters["pps"] * step)
            begin, flow.told = flow.told, flow.told + step
            flow.sent += packets
            octets = flow.parameters.get("frame", 64) - 4
            self._count(flow.parameters["tx_port"], packets, octets)
            living = flow.parameters.get("concurrent", 0)
            self.events.append(interval(int(begin * 1e9), int(flow.told * 1e9), packets, packets * octets, living))

    # sending

    def _send(self, port: int, stream: dict[str, Any], packets: int, wanted: int) -> None:
        length = len(stream["packet"]) * 3 // 4 - stream["packet"].count("=")
        arrived = self._count(port, packets, length)
        self.seen(port, b64decode(stream["packet"]), packets, arrived)
        kind, number = stream["flow_stats"]["kind"], str(stream["flow_stats"]["group"])
        if kind == "none":
            return
        group = self.groups.setdefault(number, {"tx": {}, "rx": {}})
        for way, place, count in (("tx", str(port), wanted), ("rx", str(port ^ 1), arrived)):
            counted = group[way].setdefault(place, {"packets": 0, "bytes": 0})
            counted["packets"] += count
            counted["bytes"] += count * length
        if kind == "latency":
            _add_latency(group, arrived, packets - arrived)

    def _count(self, port: int, packets: int, length: int) -> int:
        source, sink = self.ports[str(port)], self.ports[str(port ^ 1)]
        before = source["opackets"]
        source["opackets"] += packets
        source["obytes"] += packets * length
        lost = _each(self.flaws.lose_every, before, packets) if self.flaws.link_up else packets
        overrun = _each(self.flaws.overrun_every, before, packets)
        sink["ierrors"] += overrun
        sink["ipackets"] += packets - lost - overrun
        sink["ibytes"] += (packets - lost - overrun) * length
        return packets - lost - overrun

    def _run(self, order: dict[str, Any]) -> Run:
        if _key(order) not in self.runs:
            raise Refusal("not-running", "nothing runs")
        return self.runs[_key(order)]


def _key(order: dict[str, Any]) -> tuple[int, str]:
    return order["port"], order["profile"]


def _each(every: int, before: int, packets: int) -> int:
    return (before + packets) // every - before // every if every else 0


def _add_latency(group: dict[str, Any], arrived: int, missing: int) -> None:
    """Latencies of 5, 6, 7, 8 and 9 us in turn."""
    zeros = dict.fromkeys(("dropped", "out_of_order", "duplicate", "seq_too_high", "seq_too_low"), 0)
    latency = group.setdefault("latency", {"histogram": {}, **zeros})
    histogram = latency["histogram"]
    for value in range(5, 10):
        share = arrived // 5 + (1 if value - 5 < arrived % 5 else 0)
        if share:
            histogram[str(value)] = histogram.get(str(value), 0) + share
    latency["dropped"] += missing
    latency["seq_too_high"] += missing
    if histogram:
        total = sum(histogram.values())
        average = sum(int(value) * count for value, count in histogram.items()) / total
        values = [int(value) for value in histogram]
        latency |= {"min": min(values), "max": max(values), "average": average, "jitter": 1.0}
        latency["last_max"] = max(values)
        group["latency"] = latency


class InMemoryEngine:
    """The simulated engine as the server's own object."""

    def __init__(self, simulated: SimulatedEngine) -> None:
        self.simulated = simulated
        self._later: list[tuple[float, dict[str, Any], Callable[[Any], None], str]] = []

    def call(self, op: str, fields: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        from nfvcert.traffic.trex.server.engine import EngineRefusal, EngineSilent

        if op in self.simulated.flaws.silent:
            raise EngineSilent("no answer", where=op)
        answer, _ = self.simulated.carry_out(json.loads(json.dumps({"op": op, **fields})))
        if not answer["ok"]:
            raise EngineRefusal(op, answer["code"], answer["error"])
        return answer

    def submit(self, op: str, fields: dict[str, Any], on_answer: Callable[[Any], None]) -> None:
        answer, delay = self.simulated.carry_out({"op": op, **fields})
        self._later.append((self.simulated.clock() + delay, answer, on_answer, op))

    def service(self) -> None:
        from nfvcert.traffic.trex.server.engine import EngineRefusal

        self.simulated.advance()
        due = [item for item in self._later if item[0] <= self.simulated.clock()]
        self._later = [item for item in self._later if item not in due]
        for _, answer, on_answer, op in due:
            on_answer(answer if answer["ok"] else EngineRefusal(op, answer["code"], answer["error"]))

    def events(self) -> list[dict[str, Any]]:
        taken, self.simulated.events = self.simulated.events, []
        return taken

    def fileno(self) -> int | None:
        return None

    def close(self) -> None:
        pass


def serve(path: str, simulated: SimulatedEngine) -> None:
    """Serve the control socket until terminated."""
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    chosen = selectors.DefaultSelector()
    chosen.register(listener, selectors.EVENT_READ)
    received: dict[socket.socket, bytes] = {}
    delayed: list[tuple[float, socket.socket, bytes]] = []
    print(json.dumps({"event": "ready"}), flush=True)
    while True:
        ready = [key.fileobj for key, _ in chosen.select(0.005)]
        for each in ready:
            if each is listener:
                connection = listener.accept()[0]
                chosen.register(connection, selectors.EVENT_READ)
                received[connection] = b""
                continue
            assert isinstance(each, socket.socket)
            data = each.recv(1 << 20)
            if not data:
                chosen.unregister(each)
                del received[each]
                continue
            *lines, received[each] = (received[each] + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                if order["op"] not in simulated.flaws.silent:
                    answer, delay = simulated.carry_out(order)
                    delayed.append((time.monotonic() + delay, each, json.dumps(answer).encode() + b"\n"))
        simulated.advance()
        for _, connection, answer_line in [item for item in delayed if item[0] <= time.monotonic()]:
            connection.sendall(answer_line)
        delayed = [item for item in delayed if item[0] > time.monotonic()]
        events, simulated.events = simulated.events, []
        for event in events:
            for connection in received:
                connection.sendall(json.dumps(event).encode() + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--control", required=True)
    parser.add_argument("--flaws", type=json.loads, default={})
    arguments = parser.parse_args()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    serve(arguments.control, SimulatedEngine(flaws=Flaws(**arguments.flaws)))


if __name__ == "__main__":
    main()
