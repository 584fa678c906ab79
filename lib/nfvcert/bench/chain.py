"""Chains of switch, server switch and network functions as contenders."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nfvcert.bench.native import Document, NativeProgram, memif
from nfvcert.closing import Closing
from nfvcert.dataplane.identity import IDS
from nfvcert.dataplane.ranges import owner_map
from nfvcert.nfvi.cgroups import hierarchies
from nfvcert.nfvi.names import RunId
from nfvcert.nfvi.polling import PollingGroup, ask_for_turns
from nfvcert.nfvi.sweep import destroy
from nfvcert.testbed.dataplane import POLLING_WEIGHT, TURN_NS

SWITCH = "switch"
SINK_MAC = "02:4e:46:00:00:02"


@dataclass(frozen=True, slots=True)
class ChainSetup:
    """Switch and network functions: entries of the table, instances (each behind a port of the switch of its own)."""

    rules: int = 2048
    instances: int = 1
    function: str = "nat"
    server_switch: bool = False


def switch_rules(count: int, instances: int) -> list[Document]:
    """Ranges of equal width over all flow ids, handed to the instances in turn."""
    bounds = [IDS * entry // count for entry in range(count + 1)]
    return [
        {"rule": f"r{entry}", "range": [bounds[entry], bounds[entry + 1] - 1], "port": f"s{entry % instances + 1}"}
        for entry in range(count)
    ]


class Chain(Closing):
    """Switch, server switches where wanted, and network functions: separate processes that share one core.

    They share it as those of a dataplane do: in a control group of their own, in turns. The switch, which all packets
    pass twice, comes round once more for each instance.

    Args:
        source: socket of the generator's sending port.
        sink: socket of its receiving port.
    """

    def __init__(self, folder: Path, setup: ChainSetup, *, source: Path, sink: Path, core: int, ring: int) -> None:
        self._folder, self._setup, self._core, self._ring = folder, setup, core, ring
        self._stack = ExitStack()
        rid = RunId.new()
        self._stack.callback(destroy, rid)
        self._polling = PollingGroup(hierarchies(), rid.polling_cgroup())
        self._polling.weigh(POLLING_WEIGHT)
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
            SWITCH,
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
        program.call("set_ranges", owners=["v1"], map=owner_map(np.zeros(IDS, np.int8)))
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
        self._stack.callback(started.close)
        self._polling.add(started.pid)
        ask_for_turns(TURN_NS // (1 + self._setup.instances) if name == SWITCH else TURN_NS, started.pid)
        self.programs.append(started)
        return started
