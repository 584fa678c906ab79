"""nfvcert's own programs as contenders, and the packet engine among them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nfvcert.closing import Closing
from nfvcert.dataplane.control import ControlClient
from nfvcert.errors import TestbedError
from nfvcert.measure.search import Outcome
from nfvcert.measure.trials import Trial, defects_of
from nfvcert.traffic.native import NativeProcess, binary

READY_S = 15.0
LINKS_S = 10.0
ORDER_S = 60.0
GRACE_S = 2.0
SOURCE_PORTS = 64512
UNREACHABLE_PPS = 200.0e6
"""Asked for where as many packets as possible are wanted."""

Document = dict[str, Any]


def memif(socket: Path, role: str, ring: int, rx_queues: int = 1) -> str:
    """Port of a native program on a memif socket."""
    return f"memif:socket={socket},role={role},ring={ring}" + (f",rx_queues={rx_queues}" if rx_queues > 1 else "")


class NativeProgram(Closing):
    """A native program with its configuration and its control socket, running while the context lasts."""

    def __init__(self, program: str, name: str, folder: Path, configuration: Mapping[str, Any]) -> None:
        self.name = name
        control = folder / f"{name}.ctl"
        file = folder / f"{name}.json"
        file.write_text(json.dumps({**configuration, "control": str(control)}, indent=1), encoding="utf-8")
        self._process = NativeProcess([binary(program), "--config", file], log=folder / f"{name}.log")
        try:
            self._process.await_event("ready", READY_S)
        except TestbedError:
            self._process.close(GRACE_S)
            raise
        self._control = ControlClient(control, timeout_s=ORDER_S)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def call(self, op: str, **fields: Any) -> Document:
        """An order and its answer."""
        return self._control.call(op, **fields)

    def await_links(self) -> None:
        """Wait until all its ports have a peer.

        Raises:
            TestbedError: one has none.
        """
        deadline = time.monotonic() + LINKS_S
        while down := [name for name, port in self.call("ports")["ports"].items() if not port["link"]]:
            if time.monotonic() > deadline:
                raise TestbedError(f"no link within {LINKS_S:g} s", where=f"{self.name}, port {down[0]}")
            time.sleep(0.02)

    def close(self) -> None:
        """End it."""
        self._control.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGTERM)
        self._process.close(GRACE_S)


@dataclass(frozen=True, slots=True)
class FlowLoad:
    """Load of the flow mode: flows that do not end, octets of a frame with check sequence (or a mix of sizes)."""

    flows: int = 65_536
    frame: int = 64
    sizes: tuple[tuple[int, int], ...] = ()

    def order(self) -> Document:
        """As the engine takes it; every flow has a five-tuple of its own, all source ports from 1,024 on are used."""
        addresses = {
            "source": "198.18.0.1",
            "sources": max(1, -(-self.flows // SOURCE_PORTS)),
            "source_port": 1024,
            "source_ports": SOURCE_PORTS,
            "destination": "198.19.0.1",
            "destinations": 1,
            "destination_port": 9,
        }
        order: Document = {"concurrent": self.flows, "new_per_second": 0, "addresses": addresses, "seed": 1}
        if self.sizes:
            return {**order, "sizes": [{"frame": frame, "weight": weight} for frame, weight in self.sizes]}
        return {**order, "frame": self.frame}


class Engine(NativeProgram):
    """The packet engine: offers a load, accounts what comes back."""

    def __init__(self, folder: Path, ports: Mapping[str, str], core: int) -> None:
        configuration: Document = {"core": core, "memory_mib": 1024, "packets": 131071, "ports": dict(ports)}
        configuration["capability_pps"] = UNREACHABLE_PPS
        super().__init__("nfvcert-packet-engine", "engine", folder, configuration)
        self._receives = len(ports) - 1

    def trial(self, load: FlowLoad, rate: float | None, seconds: float, *, outstanding: int | None = None) -> Document:
        """One trial; ``rate`` in packets/s, None for as many as possible. The engine's summary.

        ``outstanding``: packets that are on their way at most, where no rate is asked for. With what a ring holds the
        device always has room for what it sends back, however long the engine's core was taken away meanwhile.
        """
        order = {**load.order(), "tx_port": 0, "rx_port": self._receives, "pps": rate or "max", "interval_ms": 1000}
        if outstanding is not None and rate is None:
            order["most_outstanding"] = outstanding
        self.call("flow_prepare", **order)
        self.call("flow_start")
        time.sleep(seconds)
        summary: Document = self.call("flow_stop")["summary"]
        return summary

    def outcome(self, load: FlowLoad, rate: float, seconds: float) -> Outcome:
        """One trial as a search takes it."""
        return outcome_of(self.trial(load, rate, seconds), rate)

    def repeat_packet(self, packet: bytes, seconds: float) -> float:
        """Rate (packets/s) at which one packet, the same each time, is sent without being accounted."""
        mode = {"type": "continuous"}
        stream: Document = {
            "id": 1,
            "self_start": True,
            "start_paused": False,
            "isg_us": 0,
            "next": None,
            "action_count": 0,
            "mode": mode,
            "pps": UNREACHABLE_PPS,
            "packet": base64.b64encode(packet).decode(),
            "vm": {"instructions": []},
            "flow_stats": {"kind": "none", "group": 0},
        }
        self.call("load", port=0, profile="_", streams=[stream])
        self.call("start", port=0, profile="_", multiplier=1.0, duration_s=-1)
        time.sleep(0.5)
        before, begin = self._sent(), time.monotonic()
        time.sleep(seconds)
        after, end = self._sent(), time.monotonic()
        self.call("stop", port=0, profile="_")
        self.call("unload", port=0, profile="_")
        return (after - before) / (end - begin)

    def _sent(self) -> int:
        return int(self.call("statistics")["ports"]["0"]["opackets"])


def outcome_of(summary: Mapping[str, Any], rate: float) -> Outcome:
    """The engine's summary of a trial as a search takes it."""
    trial = Trial(
        intended=int(summary["intended"]),
        sent=int(summary["sent"]),
        intended_duration=float(summary["intended_duration_s"]),
        duration=float(summary["duration_s"]),
        send_errors=int(summary["send_errors"]),
        receiver_drops=int(summary["receiver_drops"]),
    )
    sent = trial.sent
    return Outcome(rate, sent, sent - int(summary["lost"]), tuple(defects_of(trial)), trial.duration)


def missing_programs(names: Sequence[str], find: Callable[[str], Path] = binary) -> list[str]:
    """Which native programs are not built."""
    missing = []
    for name in names:
        try:
            find(name)
        except TestbedError:
            missing.append(name)
    return missing
