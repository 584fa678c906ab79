"""nfvcert's own programs as contenders: packet engine, and chains of switch, server switch and network functions."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
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
SINK_MAC = "02:4e:46:00:00:02"
IDENTITIES = 65536

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
            "pps": 1.0e6,
            "packet": base64.b64encode(packet).decode(),
            "vm": {"instructions": []},
            "flow_stats": {"kind": "none", "group": 0},
        }
        self.call("load", port=0, profile="_", streams=[stream])
        self.call("start", port=0, profile="_", multiplier=40.0, duration_s=-1)
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


@dataclass(frozen=True, slots=True)
class ChainSetup:
    """Switch and network functions: entries of the table, instances (each behind a port of the switch of its own)."""

    rules: int = 2048
    instances: int = 1
    function: str = "nat"
    server_switch: bool = False


def switch_rules(count: int, instances: int) -> list[Document]:
    """Ranges of equal width over all flow ids, handed to the instances in turn."""
    bounds = [IDENTITIES * entry // count for entry in range(count + 1)]
    return [
        {"rule": f"r{entry}", "range": [bounds[entry], bounds[entry + 1] - 1], "port": f"s{entry % instances + 1}"}
        for entry in range(count)
    ]


class Chain(Closing):
    """Switch, server switches where wanted, and network functions: separate processes that share one core.

    Args:
        source: socket of the generator's sending port.
        sink: socket of its receiving port.
    """

    def __init__(self, folder: Path, setup: ChainSetup, *, source: Path, sink: Path, core: int, ring: int) -> None:
        self._folder, self._setup, self._core, self._ring = folder, setup, core, ring
        self._stack = ExitStack()
        self.programs: list[NativeProgram] = []
        try:
            self._start(source, sink)
        except BaseException:
            self._stack.close()
            raise

    def await_links(self) -> None:
        """Wait until everything is linked."""
        for program in self.programs:
            program.await_links()

    def close(self) -> None:
        """End all processes."""
        self._stack.close()

    def _start(self, source: Path, sink: Path) -> None:
        names = [f"s{number}" for number in range(1, self._setup.instances + 1)]
        macs = {name: f"02:4e:46:01:00:{number:02x}" for number, name in enumerate(names, 1)}
        ports = {"source": memif(source, "client", self._ring), "sink": memif(sink, "client", self._ring)}
        ports |= {name: memif(self._folder / f"{name}.sock", "server", self._ring) for name in names}
        switch = self._run(
            "nfvcert-switch",
            "switch",
            ports,
            {"capacity": max(2048, self._setup.rules), "identity": "five-tuple", "servers": macs, "sink_mac": SINK_MAC},
        )
        switch.call("apply", add=switch_rules(self._setup.rules, self._setup.instances), remove=[], atomic=True)
        for number, name in enumerate(names, 1):
            link = self._folder / f"{name}.sock"
            if self._setup.server_switch:
                link = self._server_switch(name, macs, link)
            self._function(number, name, link)

    def _server_switch(self, name: str, macs: Mapping[str, str], uplink: Path) -> Path:
        inner = self._folder / f"{name}-v1.sock"
        ports = {"uplink": memif(uplink, "client", self._ring), "v1": memif(inner, "server", self._ring)}
        own: Document = {"server": name, "mac": macs[name], "identity": "five-tuple", "idle_timeout_ms": 1000}
        own |= {"peers": {peer: mac for peer, mac in macs.items() if peer != name}, "capacity": 1 << 18}
        program = self._run("nfvcert-server-switch", f"{name}-switch", ports, own)
        program.call("set_ranges", owners=["v1"], starts=[0], to=[0])
        return inner

    def _function(self, number: int, name: str, link: Path) -> None:
        external = [f"203.0.113.{16 * (number - 1) + host}" for host in range(1, 5)] if number <= 15 else []
        external = external or [f"192.0.2.{host}" for host in range(1, 5)]
        parameters = {"external": external, "inside": ["198.18.0.0/16"]} if "nat" in self._setup.function else {}
        own = {"function": self._setup.function, "instance": number, "sink_mac": SINK_MAC, "parameters": parameters}
        self._run("nfvcert-vnf", f"{name}-vnf", {"left": memif(link, "client", self._ring)}, own)

    def _run(self, program: str, name: str, ports: Mapping[str, str], own: Mapping[str, Any]) -> NativeProgram:
        common: Document = {"core": self._core, "memory_mib": 256, "packets": 32767, "ports": dict(ports)}
        started = NativeProgram(program, name, self._folder, {**common, **own})
        self.programs.append(started)
        self._stack.callback(started.close)
        return started


def missing_programs(names: Sequence[str], find: Callable[[str], Path] = binary) -> list[str]:
    """Which native programs are not built."""
    missing = []
    for name in names:
        try:
            find(name)
        except TestbedError:
            missing.append(name)
    return missing
